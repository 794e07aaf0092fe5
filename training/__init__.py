"""Uses core to train: reads data, talks to a person, writes results."""
