"""A variant as files that anyone can use: without wlm, and back here."""
