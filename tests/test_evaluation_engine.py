"""The runner and the pytest plugin on the real engine, over an article of a few sentences."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import pytest

from article_qa import ArticleQA, Settings
from article_qa.errors import EvaluationError, MissingExtraError
from article_qa.evaluation import Question, Quote, evaluate, systems
from article_qa.evaluation.loading import to_record
from article_qa.evaluation.records import Report, Thresholds
from article_qa.evaluation.runner import as_shown
from article_qa.evaluation.systems import NAMES, build_system

pytest_plugins = ("pytester",)

TEXT = """The Old Mill of Harrow

By Dora Quill

The mill was built in 1901 by Anna Brandt, a carpenter from the valley.

Ben Okafor burned it down by accident in 1950 while smoking in the hayloft.

The village council bought the ruin for 300 crowns and planted an orchard around it.
"""
BUILDER = Question(
    id="builder",
    article="mill",
    kind="who",
    split="test",
    turns=("Who built the mill?",),
    answers=("Anna Brandt",),
    quotes=((Quote("Anna Brandt", TEXT.index("Anna"), TEXT.index("Anna") + 11),),),
    scope=("mill",),
)
PRICE = Question(
    id="price",
    article="mill",
    kind="howmany",
    split="test",
    turns=("For how many crowns did the council buy the ruin?",),
    answers=("300", "300 crowns"),
    quotes=((Quote("300 crowns", TEXT.index("300"), TEXT.index("300") + 10),),),
)
WEATHER = Question(
    id="weather",
    article="mill",
    kind="offtopic",
    split="test",
    turns=("Which planet has the most moons?",),
    answerable=False,
)
QUESTIONS = (BUILDER, PRICE, WEATHER)


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    built = {name: build_system(name, texts={"mill": TEXT}) for name in NAMES}
    return {
        name: evaluate(QUESTIONS, b.system, name=name, threshold=b.thresholds)
        for name, b in built.items()
    }


def test_every_system_cites_the_article_and_answers_every_question(
    reports: dict[str, Report],
) -> None:
    for report in reports.values():
        assert [row.error for row in report.rows] == [None] * len(QUESTIONS)
        assert report.figures()["quote_integrity"].value == 1


def test_the_tutorial_chain_answers_with_a_chunk_and_never_refuses(
    reports: dict[str, Report],
) -> None:
    rows = reports["tutorial"].rows
    assert all(row.shown for row in rows)
    assert rows[0].answer is not None and rows[0].answer.plain == TEXT.strip()  # one chunk
    assert rows[0].correct  # which holds the answer, generously
    assert rows[0].f1 < 0.2
    assert rows[2].outcome == "answered the unanswerable"


def test_retrieval_alone_answers_with_a_sentence(reports: dict[str, Report]) -> None:
    answer = reports["retrieval"].rows[0].answer
    assert answer is not None
    assert answer.plain.startswith("The mill was built in 1901 by Anna Brandt")


def test_one_pass_without_a_threshold_equals_a_run_with_one(reports: dict[str, Report]) -> None:
    confidences = [row.confidence for row in reports["extractive"].rows]
    threshold = sorted(confidences)[1]  # so that something is held back and something is not
    direct = ArticleQA.from_texts({"mill": TEXT}, Settings(answer_threshold=threshold))
    for row in reports["extractive"].rows:
        assert row.answer is not None
        ours, theirs = (
            as_shown(row.answer, Thresholds(threshold, threshold)),
            direct.ask(row.question.text),
        )
        assert ours.refused == theirs.refused
        assert ours.plain == theirs.plain or ours.refused
        assert ours.citations == theirs.citations


def test_a_chat_model_decides_itself_what_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: dict[str, object] = {}

    def article_qa(**options: object) -> str:
        asked_for.update(options)
        return "the system"

    monkeypatch.setattr(systems, "article_qa", article_qa)
    built = build_system("ollama:llama3.2", texts={"mill": TEXT})
    assert built == ("the system", Thresholds(0.0, 0.0), Settings().fingerprint())
    assert asked_for["chat_model"] == "ollama:llama3.2"
    assert asked_for["settings"] == Settings()  # what it hands to the reader is decided as shipped


def test_an_unknown_system_is_named() -> None:
    with pytest.raises(EvaluationError, match="'oracle' is no system"):
        build_system("oracle", texts={"mill": TEXT})


def test_the_tutorial_chain_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_text_splitters", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'article-qa\[eval\]'"):
        build_system("tutorial", texts={"mill": TEXT})


# --- the pytest plugin ----------------------------------------------------------------------

PLUGIN = "article_qa.evaluation.pytest_plugin"


def write(folder: Path, *questions: Question) -> None:
    (folder / "articles").mkdir()
    (folder / "articles" / "mill.txt").write_text(TEXT, encoding="utf-8")
    lines = "".join(json.dumps(to_record(question)) + "\n" for question in questions)
    (folder / "set.jsonl").write_text(lines, encoding="utf-8")


def test_each_question_is_a_test(pytester: pytest.Pytester) -> None:
    wrong = Question(**{**fields(PRICE), "id": "wrong", "answers": ("seven geese",)})
    doubtful = Question(**{**fields(PRICE), "id": "doubtful", "verdict": "down"})
    write(pytester.path, WEATHER, wrong, doubtful)
    pytester.makepyfile("def test_of_the_project(): pass")
    options = ("--article-qa-set", "set.jsonl", "-rA", "-W", "ignore")
    result = pytester.runpytest("-p", PLUGIN, *options)
    result.assert_outcomes(passed=2, failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        ["*asked: *For how many crowns did the council buy the ruin?", "*expected: seven geese"]
    )


def test_a_malformed_set_is_a_collection_error(pytester: pytest.Pytester) -> None:
    (pytester.path / "set.jsonl").write_text("{}\n")
    result = pytester.runpytest("-p", PLUGIN, "--article-qa-set", "set.jsonl", "-W", "ignore")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(['*set.jsonl:1: "id" must be*'])


def test_without_a_set_the_plugin_does_nothing(pytester: pytest.Pytester) -> None:
    write(pytester.path, WEATHER)
    pytester.makepyfile("def test_of_the_project(): pass")
    result = pytester.runpytest("-p", PLUGIN, "-W", "ignore")
    result.assert_outcomes(passed=1)


def test_the_plugin_is_loaded_only_when_named() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))
    assert "pytest11" not in project["project"].get("entry-points", {})


def fields(question: Question) -> dict[str, object]:
    return {name: getattr(question, name) for name in question.__slots__}
