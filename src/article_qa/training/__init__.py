"""Train the bundled reader: ``python -m article_qa.training`` (extra ``training``)."""
