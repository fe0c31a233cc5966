"""The child processes: typed messages, the loop, the handlers, the blocking client."""
