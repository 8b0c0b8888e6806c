"""A file to an ``Article``, and an ``Article`` to passages."""
