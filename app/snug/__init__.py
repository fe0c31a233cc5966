"""Snug finds the language model that fits a computer, gets it there, and lets a person talk to it."""

__version__ = "0.1.0"
