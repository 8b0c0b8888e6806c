"""The page: a conversation beside the typeset article, and the named API behind it.

The only package that imports gradio. ``page`` wires, ``sessions`` keeps visitors apart, ``render``
makes safe HTML; ``page.html``, ``page.css`` and ``page.js`` are what the browser gets.
"""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # gradio reads it when imported

from article_qa.web.app import create_app, launch, serve
from article_qa.web.page import build

__all__ = ["build", "create_app", "launch", "serve"]
