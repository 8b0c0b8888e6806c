"""Short answers from an article, every statement with an exact passage marked in its text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from article_qa.config import Settings
from article_qa.errors import (
    ArticleError,
    ArticleQAError,
    EvaluationError,
    FeedbackError,
    HistoryError,
    IndexCorruptError,
    IndexSchemaError,
    IndexStaleError,
    IndexUnusableError,
    LimitError,
    MissingExtraError,
    ModelError,
    OptionsError,
    SessionExpiredError,
    UnknownArticleError,
)
from article_qa.types import (
    Answer,
    Article,
    Citation,
    Draft,
    Engine,
    Event,
    Evidence,
    Hit,
    Passage,
    Span,
    Statement,
    Store,
    Turn,
)

if TYPE_CHECKING:
    from article_qa.bot import ArticleQA

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Article",
    "ArticleError",
    "ArticleQA",
    "ArticleQAError",
    "Citation",
    "Draft",
    "Engine",
    "EvaluationError",
    "Event",
    "Evidence",
    "FeedbackError",
    "HistoryError",
    "Hit",
    "IndexCorruptError",
    "IndexSchemaError",
    "IndexStaleError",
    "IndexUnusableError",
    "LimitError",
    "MissingExtraError",
    "ModelError",
    "OptionsError",
    "Passage",
    "SessionExpiredError",
    "Settings",
    "Span",
    "Statement",
    "Store",
    "Turn",
    "UnknownArticleError",
]


def __getattr__(name: str) -> Any:
    """Import ``ArticleQA`` on first use: importing the package loads no model library."""
    if name == "ArticleQA":
        from article_qa.bot import ArticleQA

        return ArticleQA
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
