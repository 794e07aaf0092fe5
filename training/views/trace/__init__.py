"""A training run watched by the flight recorder: its figures in files, and on a page that moves."""
