"""What all tests share: one small real ArticleQA, and no network beyond this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ferry import FERRY

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(scope="session")
def qa() -> Iterator[object]:
    """A real ArticleQA over one short article, with the shipped models."""
    from article_qa import ArticleQA

    yield ArticleQA.from_texts({"ferry": FERRY})
