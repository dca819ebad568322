"""Runs: store and queue them, do them in a worker or a cluster, export and import them."""
