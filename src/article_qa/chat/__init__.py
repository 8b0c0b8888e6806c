"""A chat model as engine, and the check of what it says."""
