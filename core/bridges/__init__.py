"""Rules in other frameworks, and their state from there. Each is imported by name: `import core` leaves them alone."""
