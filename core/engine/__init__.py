"""What trains: the optimizer, the program and its executions, the recorder, the guard."""
