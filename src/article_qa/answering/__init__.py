"""Hits to a draft, a draft to an answer."""
