"""A rule explained by running it on symbols: its formula, its slots, its dialects, and steps on numbers."""
