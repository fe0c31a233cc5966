"""A Hub on this computer: the real client library talks to it, and it can be told to fail in every known way."""
