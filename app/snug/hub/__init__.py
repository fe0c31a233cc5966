"""The Hugging Face Hub: search, model pages, remote headers, downloads."""
