"""Serve the built index, as ``article-qa serve`` does: the page, and REST (see /docs)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from article_qa.errors import ArticleQAError
from article_qa.web import launch
from article_qa.web.options import read_options

if __name__ == "__main__":
    here = Path(__file__).parent
    try:
        options = read_options()
        if "index" not in options.model_fields_set:
            options = options.model_copy(update={"index": here / "index"})
        launch(options, seeds=here / "seeds", open_browser="NO_BROWSER" not in os.environ)
    except ArticleQAError as error:
        sys.exit(f"Error: {error}")
