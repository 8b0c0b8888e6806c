"""Questions -> rows -> figures -> table, JSON, HTML report; comparison and gate.

::

    questions = load_questions("tests/regression/seed.jsonl")
    report = evaluate(questions, qa, threshold=0.5)   # qa built with Settings(answer_threshold=0)
    report.figures()["f1"].value

Importing this package loads no model library; the pytest plugin depends on that.
"""

from __future__ import annotations

from article_qa.evaluation.loading import feedback_to_questions, load_questions, load_squad
from article_qa.evaluation.records import Question, Quote, Report, Row
from article_qa.evaluation.runner import evaluate

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
