"""Reads what this computer is: one module a probe, each with a pure `parse()`."""
