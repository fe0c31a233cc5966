"""Better bits for the same space: importance, error feedback, scaling and a mix of types, each kept where it helps."""
