"""The regression set is what it says it is: every label is checked against its article."""

from __future__ import annotations

import importlib.util
import json
import re
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from article_qa.evaluation.loading import load_sets, locate_gold
from article_qa.reading.article import read_article
from article_qa.types import Article

FOLDER = Path(__file__).parent / "regression"
FILES = sorted(FOLDER.glob("*.jsonl"))
FEWEST = {"seed": 150, "seagrass": 60, "lanterns": 60}
JOINED = {"list", "overview", "yesno"}
"""Kinds whose acceptable answers need not stand in the article in one piece."""
FUNCTION_WORDS = set(
    re.findall(
        r"\w+",
        """a after an and any are as at be before being by close did do does for from had has have
        he her him his how i in into is it its no of on or ought own s she so some somebody soon
        that the their them there they this those to was were what when where which who whom whose
        why with you your""",
    )
)

Row = dict[str, Any]


@pytest.fixture(scope="module")
def fill() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fill", FOLDER / "fill.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(path: Path) -> list[Row]:
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line and not line.startswith("//")]


ROWS = [row for path in FILES for row in read(path)]


def flat(text: str) -> str:
    return " ".join(text.split()).casefold()


def asked(row: Row) -> list[str]:
    return row["turns"] if "turns" in row else [row["question"]]


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold())) - FUNCTION_WORDS


def quotes(row: Row) -> list[Row]:
    return [quote for group in row["quotes"] for quote in group]


def test_every_quote_stands_where_it_is_said_to_stand(fill: ModuleType) -> None:
    wrong = [
        (row["id"], quote["text"])
        for row in ROWS
        for quote in quotes(row)
        if fill.article_text(row["article"])[quote["start"] : quote["end"]] != quote["text"]
    ]
    assert wrong == []


def test_ids_and_questions_are_unique() -> None:
    assert [id for id, n in Counter(row["id"] for row in ROWS).items() if n > 1] == []
    texts = Counter((row["article"], flat(" / ".join(asked(row))), row["id"]) for row in ROWS)
    blank = {row["id"] for row in ROWS if not flat(" ".join(asked(row)))}
    seen = Counter((article, text) for article, text, id in texts if id not in blank)
    assert [pair for pair, n in seen.items() if n > 1] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_enough_questions_of_every_kind(path: Path, fill: ModuleType) -> None:
    rows = read(path)
    kinds = Counter(row["kind"] for row in rows)
    assert len(rows) >= FEWEST.get(path.stem, 1)
    assert set(kinds) <= set(fill.KINDS)
    if path.stem in FEWEST:
        assert set(fill.KINDS) - {"feedback"} <= set(kinds)
        unanswerable = sum(not row["answerable"] for row in rows) / len(rows)
        assert 0.35 <= unanswerable <= 0.40


@pytest.mark.parametrize("path", [FOLDER / f"{name}.jsonl" for name in FEWEST])
def test_the_splits_are_even_within_each_kind(path: Path) -> None:
    rows = read(path)
    for kind, total in Counter(row["kind"] for row in rows).items():
        dev = sum(row["kind"] == kind and row["split"] == "dev" for row in rows)
        assert abs(dev - 0.4 * total) <= 1, kind
    assert {row["split"] for row in rows} == {"dev", "test"}


def test_an_answer_has_evidence_and_an_unanswerable_question_has_none() -> None:
    for row in ROWS:
        assert row["answerable"] == bool(row["quotes"]), row["id"]
        assert all(row["quotes"]), row["id"]
        if row["kind"] != "overview":
            assert row["answerable"] == bool(row["answers"]), row["id"]


def test_acceptable_answers_stand_in_the_article(fill: ModuleType) -> None:
    for row in ROWS:
        text = flat(fill.article_text(row["article"]))
        if row["kind"] == "yesno":
            assert row["answers"][0] in ("yes", "no"), row["id"]
            assert all(flat(answer) in text for answer in row["answers"][1:]), row["id"]
        elif row["kind"] == "list":
            parts = [part for answer in row["answers"] for part in answer.split(", ")]
            assert all(flat(part) in text for part in parts), row["id"]
        else:
            assert all(flat(answer) in text for answer in row["answers"]), row["id"]


def test_some_acceptable_answer_stands_in_the_evidence() -> None:
    for row in ROWS:
        if row["answers"] and row["kind"] not in JOINED | {"said", "metadata"}:
            evidence = flat(" ".join(quote["text"] for quote in quotes(row)))
            assert any(flat(answer) in evidence for answer in row["answers"]), row["id"]


def test_paraphrases_share_no_content_word_with_their_article(fill: ModuleType) -> None:
    for row in ROWS:
        if row["kind"] == "paraphrase":
            shared = words(row["question"]) & words(fill.article_text(row["article"]))
            assert shared == set(), row["id"]


def test_follow_ups_are_conversations_and_one_hostile_question_is_enormous() -> None:
    assert all(len(asked(row)) > 1 for row in ROWS if row["kind"] == "followup")
    hostile = [row["question"] for row in ROWS if row["kind"] == "hostile"]
    assert max(map(len, hostile)) == 10_000
    assert "" in hostile


def test_the_files_are_as_the_command_writes_them(fill: ModuleType, tmp_path: Path) -> None:
    for path in FILES:
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        fill.fill_file(copy)
        assert copy.read_bytes() == path.read_bytes(), "run: python tests/regression/fill.py"


def test_the_plain_text_article_has_line_breaks_of_two_characters() -> None:
    path = FOLDER / "articles" / "lanterns.txt"
    assert b"\r\n" in path.read_bytes()
    assert "\r" not in read_article(path).text


def write(path: Path, *rows: Row) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


ONE_LINE = {
    "id": "lanterns-who-90",
    "article": "lanterns",
    "kind": "who",
    "question": "Who chairs the events committee?",
    "answers": ["Ruth Denby"],
    "quotes": ["Councillor Ruth Denby, who chairs the events committee"],
}


def test_a_question_can_be_added_in_one_line(fill: ModuleType, tmp_path: Path) -> None:
    path = write(tmp_path / "new.jsonl", ONE_LINE, {**ONE_LINE, "id": "x", "split": "dev"})
    fill.fill_file(path)
    first, second = read(path)
    [[quote]] = first["quotes"]
    text = fill.article_text("lanterns")
    assert text[quote["start"] : quote["end"]] == ONE_LINE["quotes"][0]
    assert first["answerable"] is True
    assert (first["split"], second["split"]) == ("test", "dev")


def test_a_blank_in_a_quote_matches_a_line_break(fill: ModuleType) -> None:
    text = "The gates\nopen at six."
    assert fill.fill_quote("gates open", text) == {"text": "gates\nopen", "start": 4, "end": 14}


def test_a_repeated_quote_needs_an_occurrence(fill: ModuleType) -> None:
    text = "Nobody is paid. Still, Nobody is paid."
    with pytest.raises(ValueError, match="stands 2 times"):
        fill.fill_quote("Nobody is paid.", text)
    filled = fill.fill_quote({"text": "Nobody is paid.", "occurrence": 2}, text)
    assert filled == {"text": "Nobody is paid.", "start": 23, "end": 38}
    with pytest.raises(ValueError, match="no occurrence 3"):
        fill.fill_quote({"text": "Nobody is paid.", "occurrence": 3}, text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quotes": ["Ruth Denbigh chairs it"]}, r"bad\.jsonl:2: the article does not say"),
        ({"quotes": [{"text": "Ruth", "start": 0, "end": 4}]}, "offsets do not belong"),
        ({"quotes": []}, "needs quotes"),
        ({"answerable": False}, "needs quotes"),
        ({"kind": "whoever"}, "unknown kind 'whoever'"),
        ({"article": "lantern"}, "expected one article file named lantern"),
        ({"anwsers": []}, "unknown keys"),
        ({"turns": ["Who?"]}, "either 'question' or 'turns'"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    change: Row, message: str, fill: ModuleType, tmp_path: Path
) -> None:
    path = write(tmp_path / "bad.jsonl", ONE_LINE, {**ONE_LINE, "id": "lanterns-who-91", **change})
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message):
        fill.fill_file(path)
    assert path.read_bytes() == before


def test_the_command_reports_a_mistake_and_fails(
    fill: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "bad.jsonl", {**ONE_LINE, "quotes": ["no such words"]})
    assert fill.main([str(path)]) == 1
    assert "bad.jsonl:1" in capsys.readouterr().err
    assert fill.main([str(write(tmp_path / "good.jsonl", ONE_LINE))]) == 0


# --- the typed questions --------------------------------------------------------------------

TYPED_FILES = sorted((FOLDER / "typed").glob("*.jsonl"))
TYPED = [row for path in TYPED_FILES for row in read(path)]


@pytest.fixture(scope="module")
def typed_articles() -> dict[str, Article]:
    paths = sorted((FOLDER / "typed" / "articles").iterdir())
    return {article.id: article for article in map(read_article, paths)}


def test_every_typed_passage_stands_in_its_article(typed_articles: dict[str, Article]) -> None:
    questions = load_sets(dict.fromkeys(TYPED_FILES, "typed"))
    assert len(questions) == len(TYPED) >= 800
    assert locate_gold(questions, typed_articles)[1] == ()


def test_typed_questions_are_split_by_article_and_each_article_is_of_its_own_genre() -> None:
    splits = {(row["article"], row["split"]) for row in TYPED}
    genres = {(row["article"], row["genre"]) for row in TYPED}
    assert len(splits) == len(genres) == len({genre for _, genre in genres}) == 10
    assert Counter(split for _, split in splits) == {"dev": 5, "test": 5}


def test_typed_questions_can_be_answered_or_not_as_they_say() -> None:
    assert 0.2 <= sum(not row["answerable"] for row in TYPED) / len(TYPED) <= 0.3
    for row in TYPED:
        assert row["answerable"] == bool(row.get("quotes")), row["id"]
        assert row["answerable"] or not row.get("answers"), row["id"]
        assert row["kind"] != "yesno" or row["answers"][0] in ("yes", "no"), row["id"]
        assert row["kind"] != "followup" or len(row["turns"]) > 1, row["id"]


def test_typed_questions_are_asked_once() -> None:
    seen = Counter((row["article"], tuple(map(flat, asked(row)))) for row in TYPED)
    assert [key for key, n in seen.items() if n > 1] == []
    assert len({row["id"] for row in TYPED + ROWS}) == len(TYPED) + len(ROWS)


@pytest.mark.parametrize("part", ["train", "judge"])
def test_what_was_written_for_training_points_into_its_articles(part: str) -> None:
    folder = FOLDER / "written" / part
    paths = sorted(folder.glob("*.jsonl"))
    questions = load_sets(dict.fromkeys(paths, part))
    articles = {a.id: a for a in map(read_article, sorted((folder / "articles").iterdir()))}
    assert len(questions) >= 500 and locate_gold(questions, articles)[1] == ()
    assert {path.stem for path in paths} == set(articles)
    assert not set(articles) & {row["article"] for row in [*ROWS, *TYPED]}
