"""Reads model files: bounded, without trusting a byte of them."""
