from __future__ import annotations

import json
from pathlib import Path

import pytest

from article_qa.answering.citations import verify
from article_qa.errors import FeedbackError
from article_qa.reading.article import parse_article
from article_qa.types import Draft, Evidence, Statement, Turn
from article_qa.web import feedback
from article_qa.web.feedback import Feedback, record

ARTICLE = parse_article("The Bell\n\nThe bell was cast by Ada Brandt. It is old.", id="bell")


def turn(question: str = "Who cast it?", understood_as: str | None = None) -> Turn:
    evidence = Evidence("bell", ARTICLE.blocks[-1].sentences[0])
    answer = verify(
        Draft((Statement((evidence,)),), 0.9),
        question,
        (),
        {"bell": ARTICLE},
        understood_as=understood_as,
    )
    return Turn(question, answer)


def test_a_verdict_is_a_line_of_the_regression_set() -> None:
    row = record([turn()], "bell", "up")
    assert row["question"] == "Who cast it?"
    assert row["answers"] == [turn().answer.plain]
    assert (row["kind"], row["split"], row["answerable"]) == ("feedback", "dev", True)
    ((quote,),) = row["quotes"]
    assert ARTICLE.text[quote["start"] : quote["end"]] == quote["text"]


def test_a_follow_up_is_stored_with_its_turns() -> None:
    turns = [turn("What is the bell?"), turn("Who cast it?", "Who cast the bell?")]
    row = record(turns, "bell", "down")
    assert row["turns"] == ["What is the bell?", "Who cast it?"]
    assert "question" not in row


def test_a_refusal_is_stored_as_unanswerable() -> None:
    row = record(
        [Turn("Why?", verify(Draft(reason="It does not say."), "Why?", (), {}))], "bell", "down"
    )
    assert (row["answers"], row["quotes"], row["answerable"]) == ([], [], False)


def test_lines_are_appended_whole(tmp_path: Path) -> None:
    store = Feedback(tmp_path / "new" / "feedback.jsonl")
    for verdict in ("up", "down"):
        store.store([turn()], "bell", verdict)
    lines = (tmp_path / "new" / "feedback.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["verdict"] for line in lines] == ["up", "down"]


def test_only_its_owner_may_read_what_visitors_asked(tmp_path: Path) -> None:
    Feedback(tmp_path / "feedback.jsonl").store([turn()], "bell", "up")
    assert (tmp_path / "feedback.jsonl").stat().st_mode & 0o777 == 0o600


def test_without_a_path_nothing_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Feedback(None).store([turn()], "bell", "up")
    assert not list(tmp_path.iterdir())


def test_no_visitor_can_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "MAX_FILE_BYTES", 100)
    store = Feedback(tmp_path / "feedback.jsonl")
    store.store([turn()], "bell", "up")
    with pytest.raises(FeedbackError, match="full"):
        store.store([turn()], "bell", "up")


def test_another_verdict_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FeedbackError, match='"up" or "down"'):
        Feedback(tmp_path / "f").store([turn()], "bell", "<script>")
    assert not (tmp_path / "f").exists()
