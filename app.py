"""Serve the page on the built index: ``python app.py`` (options: ``article-qa serve --help``)."""

from __future__ import annotations

import os
from pathlib import Path

from article_qa.web import launch

if __name__ == "__main__":
    here = Path(__file__).parent
    launch(
        index_dir=here / "index",
        seeds=here / "seeds",
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ["PORT"]) if "PORT" in os.environ else None,
        chat_model=os.environ.get("ARTICLE_QA_CHAT_MODEL"),
        open_browser="NO_BROWSER" not in os.environ,
    )
