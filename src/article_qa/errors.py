"""Everything this package raises on purpose.

::

    ArticleQAError
     +-- ArticleError       an article cannot be read: missing, empty, binary, unknown format
     +-- IndexUnusableError  an index cannot be used; the message names the command that mends it
     |    +-- IndexCorruptError   truncated, edited, not an index
     |    +-- IndexStaleError     made from other articles, another model or other settings
     |    +-- IndexSchemaError    written by a newer version of this package
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


class IndexUnusableError(ArticleQAError):
    """An index cannot be used."""


class IndexCorruptError(IndexUnusableError):
    """An index is truncated, edited, or not an index."""


class IndexStaleError(IndexUnusableError):
    """An index was made from other articles, another model or other settings."""


class IndexSchemaError(IndexUnusableError):
    """An index was written by a newer version of this package."""


class ModelError(ArticleQAError):
    """A model cannot be found or loaded."""


class MissingExtraError(ArticleQAError):
    """An optional package is needed."""


class EvaluationError(ArticleQAError):
    """An evaluation set is malformed."""
