"""How near a smaller model stays to the one it was made from."""
