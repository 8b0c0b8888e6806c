"""Questions -> rows -> figures -> table, JSON, HTML report; comparison and gate.

::

    questions = load_questions("tests/regression/seed.jsonl")
    qa = ArticleQA.from_files(["seeds"], Settings(answer_threshold=0.0))  # answers all it can
    report = evaluate(questions, qa, threshold=Settings().answer_threshold)
    report.figures()["f1"].value

Importing this package loads next to nothing, not even numpy: the command line imports it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from article_qa.evaluation.loading import feedback_to_questions, load_questions
    from article_qa.evaluation.records import Question, Quote, Report, Row
    from article_qa.evaluation.runner import evaluate
    from article_qa.evaluation.squad import load_squad

__all__ = [
    "Question",
    "Quote",
    "Report",
    "Row",
    "evaluate",
    "feedback_to_questions",
    "load_questions",
    "load_squad",
]


def __getattr__(name: str) -> Any:
    """Import what is public on first use."""
    if name in __all__:
        for module in ("records", "loading", "squad", "runner"):
            found = vars(import_module(f"{__name__}.{module}"))
            if name in found:
                return found[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
