"""The network, its parts, and matrices of integers."""
