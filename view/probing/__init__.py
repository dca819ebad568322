"""Pages looked at from outside, without a browser."""
