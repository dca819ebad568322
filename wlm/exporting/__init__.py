"""A variant as files that anyone can use without wlm, and that wlm can import."""
