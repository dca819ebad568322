"""Variants in ONNX Runtime: their files, sessions and weights."""
