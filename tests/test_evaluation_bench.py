"""Retrieval measured on SQuAD files, small enough to check by eye."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from article_qa import Settings
from article_qa.errors import EvaluationError
from article_qa.evaluation.bench import read_questions, retrieval

SETTINGS = Settings(passage_words=10, context_words=30)
HARBOUR = (
    "The harbour of Port Vell opened again on Monday. "
    "Divers had cleared two sunken boats from the entrance."
)
BAKERY = "The bakery sells rye bread. Its oven dates from 1890. It closes on Sundays."


def squad(path: Path, **changes: Any) -> Path:
    paragraphs = [
        {"context": text, "qas": [{"question": question, "answers": []}]}
        for text, question in [
            (HARBOUR, "Who cleared the boats?"),
            (BAKERY, "When is the bakery closed?"),
            (BAKERY, "What does it sell?"),  # the same paragraph again
            ("Sign up for our newsletter.", "What can one sign up for?"),
        ]
    ]
    paragraphs[0]["qas"].append({"question": "Who sank them?", "is_impossible": True})
    path.write_text(json.dumps({"data": [{"title": "t", "paragraphs": paragraphs}], **changes}))
    return path


def test_the_table_has_a_row_for_each_way(tmp_path: Path) -> None:
    head, *rows = retrieval(squad(tmp_path / "squad.json"), None, SETTINGS)
    assert [row[0] for row in rows] == ["dense", "BM25", "fused", "fused with sentences"]
    for _, questions, paragraphs, first, third, _, mrr in rows:
        assert (questions, paragraphs) == ("4", "3")
        assert float(first) >= 0.75  # 'What does it sell?' may go wrong
        assert third == "1.000"
        assert float(first) <= float(mrr) <= 1
    assert dict(zip(head, rows[-1], strict=True))["recall@1"] == rows[-1][-1] == "1.000"


def test_a_limit_asks_fewer_questions_of_the_whole_corpus(tmp_path: Path) -> None:
    path = squad(tmp_path / "squad.json")
    rows = retrieval(path, 2, SETTINGS)
    assert rows[1][1:3] == ("2", "3")
    assert retrieval(path, 2, SETTINGS) == rows


@pytest.mark.parametrize("content", ["", "[]", '{"data": [{"paragraphs": [{}]}]}', '{"data": 3}'])
def test_a_file_that_is_not_squad_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(EvaluationError, match=r"x\.json is not in SQuAD format"):
        read_questions(path)


def test_a_file_without_questions_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="no answerable question"):
        read_questions(squad(tmp_path / "x.json", data=[]))
