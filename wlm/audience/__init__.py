"""A blind test for a room full of people: its rounds, and everyone's votes."""
