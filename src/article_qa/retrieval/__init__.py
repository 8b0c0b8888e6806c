"""A question to the passages that fit it."""
