"""Making model files: quantising tensors to the types that llama.cpp reads."""
