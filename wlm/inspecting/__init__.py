"""Bytes, time and error of a model's parts."""
