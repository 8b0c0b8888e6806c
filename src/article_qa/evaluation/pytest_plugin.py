"""A pytest plugin: each question of a set is a test, so that any project can gate on its set.

::

    pytest -p article_qa.evaluation.pytest_plugin --article-qa-set questions.jsonl

makes a test of every question, named by its id, beside the project's own tests. Articles are
looked for in the folders that ``--article-qa-articles`` names, in ``articles`` beside the set, and
beside the set itself. A test fails with the reason, the answer and what was expected.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from article_qa.config import Settings
from article_qa.errors import ArticleQAError
from article_qa.evaluation.command import find_article
from article_qa.evaluation.loading import load_questions
from article_qa.evaluation.records import Question
from article_qa.evaluation.report import describe
from article_qa.evaluation.runner import evaluate
from article_qa.evaluation.systems import build_system

SETS = "article_qa_set"
ARTICLES = "article_qa_articles"
CHAT_MODEL = "article_qa_chat_model"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("article-qa", "questions asked of articles")
    add = group.addoption
    add("--article-qa-set", action="append", default=[], dest=SETS, metavar="FILE",
        help="make a test of each question of this set in JSON Lines; repeatable")  # fmt: skip
    add("--article-qa-articles", action="append", default=[], dest=ARTICLES, metavar="DIR",
        help="folder of the articles that the questions are about; repeatable")  # fmt: skip
    add("--article-qa-chat-model", default=None, dest=CHAT_MODEL, metavar="NAME",
        help="ask this chat model (provider:model) in place of the built-in reader")  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Name the sets among what is to be collected."""
    config.args += [str(path) for path in _sets(config) if str(path) not in config.args]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the sets that were named, and no other JSON Lines file."""
    if file_path in _sets(parent.config):
        return QuestionFile.from_parent(parent, path=file_path)
    return None


def _sets(config: pytest.Config) -> list[Path]:
    return [Path(config.invocation_params.dir, path).resolve() for path in config.getoption(SETS)]


class QuestionFile(pytest.File):
    """A question set: a collector of questions."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield a test for each question; one that awaits review is skipped, visibly."""
        try:
            questions = load_questions(self.path)
        except ArticleQAError as error:
            raise self.CollectError(str(error)) from error
        for question in questions:
            item = QuestionItem.from_parent(self, name=question.id, question=question)
            if question.verdict == "down":
                item.add_marker(pytest.mark.skip(reason="rejected by a reader: awaits review"))
            yield item

    def setup(self) -> None:
        """Build the engine, once for the whole set."""
        items = self.session.items
        mine = [i for i in items if isinstance(i, QuestionItem) and i.parent is self]
        folders = [
            *(Path(self.config.invocation_params.dir, d) for d in self.config.getoption(ARTICLES)),
            self.path.parent / "articles",
            self.path.parent,
        ]
        wanted = dict.fromkeys(item.question.article for item in mine)
        self.built = build_system(
            self.config.getoption(CHAT_MODEL) or "extractive",
            paths=[find_article(id, folders) for id in wanted],
            settings=Settings(),
        )


class QuestionItem(pytest.Item):
    """One question as a test."""

    def __init__(self, *, question: Question, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.question = question

    def runtest(self) -> None:
        """Ask, and fail with the reason if the outcome is not right."""
        assert isinstance(self.parent, QuestionFile)
        built = self.parent.built
        (row,) = evaluate([self.question], built.system, threshold=built.thresholds).rows
        if not row.correct:
            raise WrongOutcome(describe(row))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """Say what was asked, answered and expected, without a traceback of this package."""
        if isinstance(excinfo.value, WrongOutcome | ArticleQAError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo, style))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return file, line (from 0) and name of the question."""
        line = self.question.source.rpartition(":")[2]
        return self.path, int(line) - 1 if line.isdigit() else None, self.question.id


class WrongOutcome(Exception):  # noqa: N818 - not an error of the program: the test's verdict
    """A question whose outcome is not right."""
