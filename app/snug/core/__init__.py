"""The rules: memory, speed, recommendation and words. Standard library only."""
