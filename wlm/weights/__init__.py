"""Weights in files: the formats that wlm reads, the names of their keys, and model folders."""
