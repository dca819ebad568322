"""The preflight of a talk or a deployment: checks of this machine, and how to fix problems."""
