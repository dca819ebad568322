"""Runs stored, queued, done by a worker or a cluster, exported and imported."""
