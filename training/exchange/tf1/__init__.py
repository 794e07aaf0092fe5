"""Checkpoints of TensorFlow 1's Saver, read and written."""
