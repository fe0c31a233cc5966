"""Runs models: the only importer of `llama_cpp`."""
