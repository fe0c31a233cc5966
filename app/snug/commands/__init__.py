"""The command line's verbs, one module a family."""
