"""The parts of the two commands. Standard library only: they run before anything is installed."""
