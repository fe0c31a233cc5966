"""Checkpoints as their makers publish them: folders of safetensors in every kind of packing, read as float32."""
