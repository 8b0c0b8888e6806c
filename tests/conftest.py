"""What all tests share: one small real ArticleQA, and no network beyond this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

ROOT = Path(__file__).parent.parent
SEED = ROOT / "seeds" / "000_85ebba8beb37503f.txt"

FERRY = """The Heron Ferry

By Ada Okafor

Published March 3, 2020

The Heron ferry has crossed the Tamsin strait since 1987. It carries 240 passengers.

Captain Lena Marsh took command in 2015, after the death of her father, Otto Marsh. "The sea is \
patient," she said.

Critics say that the old boat is too slow. The council in Port Elby wants to replace it with an \
electric ship because diesel has become too dear.
"""


@pytest.fixture(scope="session")
def qa() -> Iterator[object]:
    """A real ArticleQA over one short article, with the shipped models."""
    from article_qa import ArticleQA

    yield ArticleQA.from_texts({"ferry": FERRY})


@pytest.fixture(scope="session")
def seed_qa() -> Iterator[object]:
    """The committed index of the seed article."""
    from article_qa import ArticleQA

    yield ArticleQA.load(ROOT / "index")


@pytest.fixture
def in_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in the repository's root, as a user of the README does."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
