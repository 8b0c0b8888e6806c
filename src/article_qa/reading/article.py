"""Reading articles: the names that other parts of the package use."""

from __future__ import annotations

from article_qa.reading.files import (
    SUFFIXES,
    find_files,
    parse_file,
    read_article,
    read_articles,
    unique_ids,
)
from article_qa.reading.forms import CREDITS
from article_qa.reading.layout import MAX_SENTENCE_CHARS
from article_qa.reading.text import parse_article

__all__ = [
    "CREDITS",
    "MAX_SENTENCE_CHARS",
    "SUFFIXES",
    "find_files",
    "parse_article",
    "parse_file",
    "read_article",
    "read_articles",
    "unique_ids",
]
