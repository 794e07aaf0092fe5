"""Runs on several devices, processes or machines, by tf.distribute."""
