"""The preflight of a talk or a deployment: what is well on this machine, and what to do."""
