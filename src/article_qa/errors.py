"""Everything this package raises on purpose.

::

    ArticleQAError
     +-- ArticleError       an article cannot be read: missing, empty, binary, unknown format
     |    +-- UnknownArticleError  no article of such an id is open here
     +-- HistoryError       a conversation to go on from was not held over these articles
     +-- FeedbackError      a verdict cannot be stored
     +-- LimitError         a server's bound is reached: sessions, articles, memory
     |    +-- SessionExpiredError  a visitor's session is not known here any more
     +-- IndexUnusableError  an index cannot be used; the message names the command that mends it
     |    +-- IndexCorruptError   truncated, edited, not an index
     |    +-- IndexStaleError     made from other articles, another model or other settings
     |    +-- IndexSchemaError    written by a newer version of this package
     +-- OptionsError       the service is configured wrongly
     +-- ModelError         a model cannot be found or loaded
     +-- MissingExtraError  an optional package is needed; the message has the pip command
     +-- EvaluationError    an evaluation set is malformed

Catch ``ArticleQAError`` to show any of them to a person: the message says what was found, what was
expected and what to do next. That the article does not answer a question is no error: it is an
``Answer`` with ``refused`` set.
"""

from __future__ import annotations


class ArticleQAError(Exception):
    """Base of all errors that this package raises on purpose."""


class ArticleError(ArticleQAError):
    """An article cannot be read."""


class UnknownArticleError(ArticleError):
    """No article of such an id is open here."""


class HistoryError(ArticleQAError):
    """A conversation to go on from is not one that was held over these articles."""


class FeedbackError(ArticleQAError):
    """A verdict on an answer cannot be stored."""


class LimitError(ArticleQAError):
    """A bound of the server is reached: sessions, articles, memory."""


class SessionExpiredError(LimitError):
    """A visitor's session is not known here: too long idle, or the server was restarted."""

    def __init__(self) -> None:
        super().__init__("This conversation has expired. Reload the page to start a new one.")


class IndexUnusableError(ArticleQAError):
    """An index cannot be used."""


class IndexCorruptError(IndexUnusableError):
    """An index is truncated, edited, or not an index."""


class IndexStaleError(IndexUnusableError):
    """An index was made from other articles, another model or other settings."""


class IndexSchemaError(IndexUnusableError):
    """An index was written by a newer version of this package."""


class OptionsError(ArticleQAError):
    """The service is configured wrongly: a flag or a variable of the environment."""


class ModelError(ArticleQAError):
    """A model cannot be found or loaded."""


class MissingExtraError(ArticleQAError):
    """An optional package is needed."""


class EvaluationError(ArticleQAError):
    """An evaluation set is malformed."""
