"""Which models and texts there are, by name, and how they come here."""
