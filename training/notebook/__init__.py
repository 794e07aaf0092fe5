"""The notebook's experiments and questions, run again over seeds, and what came of them beside what it printed."""
