"""The window: view-models, list models, the process client."""
