"""The runner's figures on outcomes small enough to check by eye."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from article_qa.errors import EvaluationError, MissingExtraError
from article_qa.evaluation import (
    Question,
    Quote,
    Report,
    evaluate,
    feedback_to_questions,
    load_questions,
    load_squad,
)
from article_qa.evaluation import command as command_module
from article_qa.evaluation.compare import (
    Outcome,
    check_floors,
    compare,
    mcnemar,
    permutation,
    read_baseline,
    read_floors,
    write_baseline,
)
from article_qa.evaluation.loading import load_sets, locate_gold, to_record
from article_qa.evaluation.metrics import (
    Columns,
    answer_is_right,
    calibration_bins,
    calibration_error,
    columns,
    coverage_accuracy,
    curve_area,
    exact_match,
    format_figure,
    normalise,
    token_f1,
)
from article_qa.evaluation.records import Thresholds
from article_qa.evaluation.report import failures, tables, to_html, to_json
from article_qa.reading.article import parse_article
from article_qa.types import Answer, Citation, Hit, Passage, Span, Turn

TEXT = "Anna built the mill in 1901. Ben burned it down in 1950. Cleo <painted> the ruin."
MILL = parse_article(TEXT, id="mill")
SENTENCES = [Span(0, 28), Span(29, 56), Span(57, 81)]


def quote(words: str) -> Quote:
    start = TEXT.index(words)
    return Quote(words, start, start + len(words))


def hit(span: Span) -> Hit:
    text = TEXT[span.start : span.end]
    return Hit(Passage("mill", span, text, (span,), span), 1.0, 1.0, 1.0, span, 1.0)


def answer(
    plain: str, *sentences: int, confidence: float = 0.9, ranking: Sequence[int] = (0, 1, 2)
) -> Answer:
    """Make an answer that cites these sentences; without words it is a refusal."""
    cited = [SENTENCES[i] for i in sentences]
    return Answer(
        question="",
        text=plain,
        plain=plain,
        status="answered" if plain else "refused",
        reason=None if plain else "It does not say.",
        confidence=confidence,
        citations=tuple(
            Citation(n, "mill", s.start, s.end, TEXT[s.start : s.end])
            for n, s in enumerate(cited, 1)
        ),
        hits=tuple(hit(SENTENCES[i]) for i in ranking),
    )


class FakeQA:
    """Says what it was told to say, and remembers how it was asked."""

    def __init__(self, answers: Mapping[str, Answer | Exception]) -> None:
        self.articles = (MILL,)
        self.answers = answers
        self.asked: list[tuple[str, Sequence[Turn], Sequence[str] | None]] = []

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        article_ids: Sequence[str] | None = None,
    ) -> Answer:
        self.asked.append((question, history, article_ids))
        found = self.answers[question]
        if isinstance(found, Exception):
            raise found
        return found


def question(text: str, answers: Sequence[str] = (), *groups: str, **extra: Any) -> Question:
    return Question(
        id=extra.pop("id", text),
        article="mill",
        kind=extra.pop("kind", "who"),
        split=extra.pop("split", "test"),
        turns=extra.pop("turns", (text,)),
        answers=tuple(answers),
        quotes=tuple((quote(words),) for words in groups),
        answerable=bool(groups),
        **extra,
    )


BUILDER = question("builder?", ["Anna"], "Anna built the mill")
BURNER = question("burner?", ["Ben"], "Ben burned it down")
PEOPLE = question("people?", ["Anna and Ben"], "Anna built", "Ben burned", kind="list")
OWNER = question("owner?", kind="unanswerable")
PRICE = question("price?", kind="unanswerable")
QUESTIONS = (BUILDER, BURNER, PEOPLE, OWNER, PRICE)
ANSWERS: dict[str, Answer | Exception] = {
    "builder?": answer("Anna", 0, confidence=0.9),  # right
    "burner?": answer("Ben", 1, confidence=0.3, ranking=(0, 2, 1)),  # right, but held back
    "people?": answer("Anna", 0, 2, confidence=0.8),  # half of it, and a citation beside it
    "owner?": answer("Cleo", 2, confidence=0.7),  # should have been refused
    "price?": answer(""),  # rightly refused
}


@pytest.fixture
def report() -> Report:
    return evaluate(QUESTIONS, FakeQA(ANSWERS), threshold=0.5)


# --- words ----------------------------------------------------------------------------------


def test_squad_normalisation() -> None:
    assert normalise("  The U.S. Army's  mill, an old one! ") == "us armys mill old one".split()


@pytest.mark.parametrize(
    ("given", "golds", "exact", "f1"),
    [
        ("the Mill", ["mill."], 1, 1),
        ("old mill", ["mill"], 0, 2 / 3),
        ("mill", ["old mill", "ruin"], 0, 2 / 3),
        ("ruin", ["mill"], 0, 0),
        ("", ["mill"], 0, 0),
        ("mill mill", ["mill"], 0, 2 / 3),
    ],
)
def test_exact_match_and_f1(given: str, golds: list[str], exact: float, f1: float) -> None:
    assert exact_match(given, golds) == exact
    assert token_f1(given, golds) == pytest.approx(f1)


@given(st.text(max_size=30), st.text(max_size=30))
def test_f1_is_symmetric_bounded_and_one_on_itself(a: str, b: str) -> None:
    assert 0 <= token_f1(a, [b]) <= 1
    assert token_f1(a, [b]) == token_f1(b, [a])
    assert token_f1(a, [a]) == 1


@pytest.mark.parametrize(
    ("given", "golds", "right"),
    [
        ("It was Anna who built it in 1901.", ["Anna"], True),  # a sentence that holds the answer
        ("Joanna", ["Anna"], False),  # not part of a word
        ("Ben", ["Anna"], False),
        ("Anna Smith", ["Anna Jones"], True),  # F1 of a half
        ("anything", [], True),  # only the citation is judged
        ("Yes", ["no"], False),
        ("No, it did not.", ["no"], True),
        ("Ben burned it down.", ["yes"], True),  # the sentence that settles it, without yes or no
        ("Yes", ["no", "Ben burned it"], False),
        ("Cleo saw it.", ["yes", "Ben burned it"], False),
    ],
)
def test_an_answer_is_right_if_it_holds_an_acceptable_one(
    given: str, golds: list[str], right: bool
) -> None:
    assert answer_is_right(given, golds) is right


# --- the runner and its figures -------------------------------------------------------------


def test_rows_of_the_mill(report: Report) -> None:
    builder, burner, people, owner, price = report.rows
    assert (builder.correct, builder.outcome) == (True, "right")
    assert (burner.right, burner.refused, burner.outcome) == (True, True, "refused wrongly")
    assert (people.citation_precision, people.citation_recall) == (0.5, 0.5)
    assert (people.contains_gold, people.why_wrong) == (0.5, "cited elsewhere")
    assert owner.outcome == "answered the unanswerable"
    assert (price.correct, price.outcome) == (True, "refused rightly")
    assert burner.ranks == (3,)
    assert people.ranks == (1, 2)


def test_figures_of_the_mill(report: Report) -> None:
    figures = {name: estimate.value for name, estimate in report.figures().items()}
    assert figures["correct"] == 2 / 5  # builder and price
    assert figures["accuracy_given"] == 1 / 3  # of builder, people, owner
    assert figures["coverage"] == 2 / 3
    assert figures["false_refusal_rate"] == 1 / 3
    assert figures["refusal_precision"] == 1 / 2  # of burner and price
    assert figures["refusal_recall"] == 1 / 2  # of owner and price
    assert figures["exact"] == 2 / 3
    assert figures["exact_at_threshold"] == 1 / 3
    assert figures["f1"] == pytest.approx((1 + 1 + 0.5) / 3)  # 'Anna' for 'Anna and Ben': 1/2
    assert figures["f1_at_threshold"] == pytest.approx((1 + 0 + 0.5) / 3)
    assert figures["citation_precision"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert figures["recall@1"] == pytest.approx((1 + 0 + 0.5) / 3)
    assert figures["recall@3"] == 1
    assert figures["mrr"] == pytest.approx((1 + 1 / 3 + (1 + 1 / 2) / 2) / 3)
    assert figures["quote_integrity"] == 1


def test_a_kind_without_unanswerable_questions_has_no_refusal_recall(report: Report) -> None:
    figures = report.figures(kind="list")
    assert math.isnan(figures["refusal_recall"].value)
    assert format_figure("refusal_recall", figures["refusal_recall"].value) == "–"


def test_the_interval_holds_the_value_and_is_the_same_again(report: Report) -> None:
    first, again = report.figures()["correct"], report.figures()["correct"]
    assert first == again
    assert first.low < first.value < first.high


def test_an_exception_is_an_outcome_and_counts_as_wrong() -> None:
    broken = {**ANSWERS, "builder?": RuntimeError("no luck"), "price?": ValueError("nor here")}
    report = evaluate(QUESTIONS, FakeQA(broken), threshold=0.5)
    assert [row.error for row in report.rows if row.error] == [
        "RuntimeError: no luck",
        "ValueError: nor here",
    ]
    assert not any(row.correct for row in report.rows)
    figures = report.figures(intervals=False)
    assert figures["correct"].value == 0
    assert figures["exact"].value == 1 / 3  # burner alone, of three
    assert figures["refusal_recall"].value == 0  # an exception is no refusal


@pytest.mark.parametrize(
    "citation",
    [
        Citation(1, "mill", 0, 28, "Anna built the mill in 1902."),
        Citation(1, "mill", 0, 27, TEXT[0:28]),
        Citation(1, "mill", -24, 81, TEXT[-24:81]),
        Citation(1, "mill", 57, 200, TEXT[57:200]),
        Citation(1, "dam", 0, 28, TEXT[0:28]),
    ],
)
def test_a_quote_that_is_not_the_articles_fails_the_run(citation: Citation) -> None:
    forged = replace(answer("Anna", 0), citations=(citation,))
    report = evaluate([BUILDER], FakeQA({"builder?": forged}))
    assert report.rows[0].outcome == "altered quote"
    assert report.figures()["quote_integrity"].value == 0
    assert "builder?" in check_floors(report, [])[0]


def test_a_refusals_nearest_quotes_are_checked_too() -> None:
    nearest = (Citation(1, "mill", 0, 4, "Enna"),)
    report = evaluate([PRICE], FakeQA({"price?": replace(answer(""), nearest=nearest)}))
    assert not report.rows[0].correct


def test_a_conversation_remembers_what_was_shown_and_nothing_held_back() -> None:
    followup = question(
        "and the burner?", ["Ben"], "Ben burned", turns=("builder?", "price?", "and the burner?")
    )
    answers = {
        **ANSWERS,
        "price?": answer("Cleo", 2, confidence=0.2),
        "and the burner?": answer("Ben", 1),
    }
    qa = FakeQA(answers)
    report = evaluate([replace(followup, scope=("mill",))], qa, threshold=0.5)
    assert report.rows[0].correct
    text, history, articles = qa.asked[-1]
    assert (text, articles) == ("and the burner?", ("mill",))
    assert [(turn.question, turn.answer.refused) for turn in history] == [
        ("builder?", False),
        ("price?", True),
    ]
    assert history[1].answer.citations == ()


def test_gold_that_does_not_stand_in_the_article_is_an_error() -> None:
    wrong = replace(BUILDER, quotes=((Quote("Anna built", 1, 11),),), source="set.jsonl:7")
    with pytest.raises(EvaluationError, match=r"set\.jsonl:7.*'nna built '"):
        evaluate([wrong], FakeQA(ANSWERS))
    with pytest.raises(EvaluationError, match=r"'dam' is not among the 1 articles"):
        evaluate([replace(BUILDER, article="dam")], FakeQA(ANSWERS))


def test_a_question_under_review_is_counted_apart() -> None:
    report = evaluate([BUILDER, replace(BURNER, verdict="down")], FakeQA(ANSWERS))
    assert [row.question.id for row in report.rows] == ["builder?"]
    assert [q.id for q in report.unreviewed] == ["burner?"]


def made(right: Sequence[int], confidence: Sequence[float], given: Sequence[int]) -> Columns:
    """Make columns of which only the confidence and rightness matter."""
    c = columns(evaluate([BUILDER] * len(right), FakeQA(ANSWERS)).rows)
    c.right, c.confidence, c.given = right, confidence, given
    return c


def test_coverage_accuracy_curve() -> None:
    c = made([1, 1, 0, 0], [0.9, 0.6, 0.8, 0.0], [1, 1, 1, 0])
    coverage, accuracy = coverage_accuracy(c)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert accuracy.tolist() == pytest.approx([1, 1 / 2, 2 / 3, 1 / 2])
    assert curve_area(c) == pytest.approx((1 + 1 / 2 + 2 / 3 + 1 / 2) / 4)


def test_equal_confidences_share_their_accuracy_whatever_their_order() -> None:
    for right in ([1, 0], [0, 1]):
        assert coverage_accuracy(made(right, [0.5, 0.5], [1, 1]))[1].tolist() == [0.5, 0.5]


def test_expected_calibration_error() -> None:
    c = made([1, 1, 0, 1], [0.95, 0.85, 0.85, 1.0], [1, 1, 1, 1])
    # bin 0.8-0.9: confidence 0.85, accuracy 1/2; bin 0.9-1.0: confidence 0.975, accuracy 1
    assert calibration_bins(c) == pytest.approx(np.array([[2, 0.85, 0.5], [2, 0.975, 1]]))
    assert calibration_error(c) == pytest.approx((2 * 0.35 + 2 * 0.025) / 4)


def test_calibration_bins_agree_with_scikit_learn() -> None:
    calibration_curve = pytest.importorskip("sklearn.calibration").calibration_curve
    rng = np.random.default_rng(1)
    confidence = rng.random(200)
    right = rng.random(200) < confidence
    c = made(right.tolist(), confidence.tolist(), [1] * 200)
    accuracy, mean = calibration_curve(right, confidence, n_bins=10)
    assert calibration_bins(c)[:, 1:] == pytest.approx(np.stack([mean, accuracy], axis=1))


# --- three outcomes -------------------------------------------------------------------------

FOUNDER = replace(
    question("who founded the dam?", kind="presupposition"), corrective=(quote("Ben burned it"),)
)
TYPED = (BUILDER, BURNER, PEOPLE, OWNER, PRICE, FOUNDER)


def typed(**answers: Answer) -> Report:
    """Ask the typed questions with 0.5 for a sure and 0.2 for an unsure answer."""
    told = {**ANSWERS, FOUNDER.text: answer("Ben", 1, confidence=0.6)}
    told |= {f"{name}?": said for name, said in answers.items()}
    return evaluate(TYPED, FakeQA(told), threshold=Thresholds(0.5, 0.2))


def test_every_outcome_has_its_name() -> None:
    report = typed(price=answer("1901", 0, confidence=0.3), burner=answer("Ben", 1, confidence=0.1))
    assert [(row.status, row.outcome, row.correct) for row in report.rows] == [
        ("answered", "right", True),
        ("refused", "refused wrongly", False),
        ("answered", "wrong", False),
        ("answered", "answered the unanswerable", False),
        ("unsure", "unsure of the unanswerable", False),
        ("answered", "corrected", True),
    ]


def test_an_unsure_answer_that_is_right_counts_and_figures_keep_sure_ones_apart() -> None:
    report = typed(price=answer("1901", 0, confidence=0.3))
    assert report.rows[1].status == "unsure"  # burner, right at 0.3
    figures = {name: estimate.value for name, estimate in report.figures().items()}
    assert figures["correct"] == 3 / 6  # builder, burner, founder
    assert figures["accuracy_sure"] == 2 / 4  # of builder, people, owner, founder
    assert figures["accuracy_given"] == 3 / 6
    assert figures["unanswerable_sure"] == pytest.approx(1 / 3)  # owner; founder is corrected
    assert figures["unanswerable_unsure"] == pytest.approx(1 / 3)  # price
    assert figures["unsure_share"] == pytest.approx(2 / 6)
    assert figures["coverage"] == 1
    # confidence 0.9 0.3 0.8 0.7 0.3 0.6, right 1 1 0 0 0 1: a bin each, but for the two at 0.3
    wanted = (0.1 + 2 * abs(0.3 - 0.5) + 0.8 + 0.7 + 0.4) / 6
    assert figures["calibration_error"] == pytest.approx(wanted)


def test_what_is_held_back_is_left_out_of_the_shown_calibration_error() -> None:
    report = evaluate([BUILDER, BURNER], FakeQA(ANSWERS), threshold=0.5)
    figures = report.figures(intervals=False)
    assert figures["calibration_error"].value == pytest.approx((0.1 + 0.7) / 2)
    assert figures["calibration_error_shown"].value == pytest.approx(0.1)


def test_a_correction_has_to_cite_the_passage() -> None:
    elsewhere = evaluate([FOUNDER], FakeQA({FOUNDER.text: answer("Ben", 0)}), threshold=0.5)
    assert elsewhere.rows[0].outcome == "answered the unanswerable"


def test_what_an_answer_says_of_itself_is_believed() -> None:
    class Stated:  # an answer of a system that says how sure it is
        refused, confidence = False, 0.9

        def __init__(self, status: str) -> None:
            self.status, self.refused = status, status in ("refused", "invalid")

    seen = [Thresholds(0.5, 0.2).status(Stated(s)) for s in ("answered", "unsure", "invalid")]  # type: ignore[arg-type]
    assert seen == ["answered", "unsure", "invalid"]


def test_the_interval_is_that_of_resampled_questions() -> None:
    report = typed()
    rights = np.array([row.correct for row in report.rows], dtype=float)
    rng = np.random.default_rng(7)
    draws = [rng.choice(rights, len(rights)).mean() for _ in range(4000)]
    estimate = report.figures()["correct"]
    low, high = np.percentile(draws, [2.5, 97.5])
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=0.05)


def test_turns_that_questions_share_are_asked_once() -> None:
    first = question("and who?", ["Ben"], "Ben burned", turns=("builder?", "burner?"))
    second = replace(first, id="second", turns=("builder?", "burner?", "people?"))
    qa = FakeQA(ANSWERS)
    rows = evaluate([BUILDER, first, second], qa, threshold=0.2).rows
    assert [text for text, _, _ in qa.asked] == ["builder?", "burner?", "people?"]
    assert [len(history) for _, history, _ in qa.asked] == [0, 1, 2]
    assert rows[1].seconds > 0
    alone = replace(first, scope=("mill",))  # asked of other articles it is another conversation
    evaluate([BUILDER, alone], qa, threshold=0.2)
    assert len(qa.asked) == 3 + 3


def test_an_earlier_turn_that_raises_is_the_outcome() -> None:
    broken = {**ANSWERS, "builder?": RuntimeError("no luck")}
    after = question("and who?", ["Ben"], "Ben burned", turns=("builder?", "burner?"))
    (row,) = evaluate([after], FakeQA(broken)).rows
    assert (row.outcome, row.error) == ("error", "RuntimeError: no luck")


def test_failures_are_printed_to_be_read() -> None:
    report = typed(price=answer("1901", 0, confidence=0.3))
    text = failures(report, 10)
    assert text.count("asked:") == 3  # people, owner, price
    assert "owner? (unanswerable, test): answered the unanswerable" in text
    assert "answered: '1901' (unsure, 0.30)" in text
    assert "cited in: Anna built" in text
    assert "citing:   'Cleo <painted> the ruin.'" in text
    assert failures(report, 1).count("asked:") == 1


# --- passages that are texts alone ----------------------------------------------------------

MARKED = parse_article(
    "# The **mill**\n\nAnna built the\nmill [in 1901](https://mill.example/a). \u201cIt\u2019s "
    "mine,\u201d she said.\n\n| Plan | $42 |\n|---|---|\n| Old | $420 |\n\nAnna built the mill.\n",
    id="mill",
)


@pytest.mark.parametrize(
    ("words", "places"),
    [
        ("the mill", ["the\nmill", "the mill"]),  # every occurrence; white space is white space
        ("mill in 1901.", ["mill [in 1901"]),  # neither link marks nor targets are words
        ('"It\'s mine," she said.', ["It\u2019s mine,\u201d she said"]),
        ("Plan $42", ["Plan | $42"]),
        ("$42", ["$42"]),  # not $420
        ("Anna built The mill", []),  # letter for letter
        ("https mill example", []),
    ],
)
def test_a_text_is_found_by_its_words(words: str, places: list[str]) -> None:
    asked = Question("q", "mill", "who", "dev", ("?",), quotes=((Quote(words),),))
    (placed,), missing = locate_gold([asked], {"mill": MARKED})
    assert [q.text for q in placed.quotes[0]] == places
    assert all(MARKED.text[q.start : q.end] == q.text for q in placed.quotes[0])
    assert missing == (() if places else (f"q: {words!r}",))


def test_a_text_that_stands_nowhere_is_an_error_or_is_named() -> None:
    lost = replace(BUILDER, quotes=((Quote("Anna burned the mill"),),))
    with pytest.raises(EvaluationError, match=r"builder\?: 'Anna burned the mill'"):
        evaluate([lost], FakeQA(ANSWERS))
    report = evaluate([lost], FakeQA(ANSWERS), allow_missing=True)
    assert report.missing == ("builder?: 'Anna burned the mill'",)
    assert report.rows[0].outcome == "wrong"


def test_a_line_of_texts_is_read_and_written_back(tmp_path: Path) -> None:
    record = {**RECORD, "quotes": [["Anna built", "the mill"]], "genre": "news"}
    false = {**record, "id": "q2", "answerable": False, "answers": [], "quotes": []}
    false["corrective"] = ["Ben burned it"]
    path = write_set(tmp_path / "set.jsonl", record, false)
    loaded = load_questions(path)
    assert loaded[0].quotes == ((Quote("Anna built"), Quote("the mill")),)
    assert (loaded[0].genre, loaded[1].corrective) == ("news", (Quote("Ben burned it"),))
    assert [to_record(q) for q in loaded] == [record, false]


# --- loading --------------------------------------------------------------------------------

RECORD = {
    "id": "q1",
    "article": "mill",
    "kind": "who",
    "split": "dev",
    "question": "builder?",
    "answers": ["Anna"],
    "quotes": [[{"text": "Anna", "start": 0, "end": 4}]],
    "answerable": True,
}


def write_set(path: Path, *records: Mapping[str, Any] | str) -> Path:
    lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_set_is_read_and_written_back(tmp_path: Path) -> None:
    path = write_set(tmp_path / "set.jsonl", "// a remark", RECORD, "")
    (loaded,) = load_questions(path)
    assert loaded.quotes == ((Quote("Anna", 0, 4),),)
    assert (loaded.scope, loaded.source) == (("mill",), f"{path}:2")
    assert to_record(loaded) == RECORD


def drop(key: str) -> dict[str, Any]:
    return {k: v for k, v in RECORD.items() if k != key}


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ("{", "not JSON"),
        ("[]", "found list"),
        (drop("id"), '"id"'),
        ({**RECORD, "split": "train"}, "'train'"),
        (drop("question"), '"question" or'),
        ({**RECORD, "turns": ["a"]}, '"question" or'),
        ({**drop("question"), "turns": []}, '"turns"'),
        ({**RECORD, "question": 3}, "strings"),
        ({**RECORD, "answerable": "yes"}, "true or false"),
        ({**RECORD, "answerable": False}, "has none"),
        (drop("quotes"), "at least one group"),
        ({**RECORD, "quotes": [[]]}, "at least one quote"),
        ({**RECORD, "quotes": [{"text": "Anna"}]}, "list of lists"),
        ({**RECORD, "quotes": [[{"text": "Anna", "start": 0, "end": 5}]]}, "4 characters"),
        ({**RECORD, "answers": "Anna"}, "list of strings"),
        ({**RECORD, "quotes": [["..."]]}, "no word"),
        ({**RECORD, "quotes": ["Anna"]}, "list of lists"),
        ({**RECORD, "corrective": ["Anna"]}, "unanswerable"),
        ({**RECORD, "genre": 3}, '"genre"'),
        ({**RECORD, "verdict": "sideways"}, "sideways"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, record: Any, problem: str) -> None:
    path = write_set(tmp_path / "set.jsonl", {**RECORD, "id": "fine"}, record)
    with pytest.raises(EvaluationError, match=re.escape(f"{path}:2")) as caught:
        load_questions(path)
    assert problem in str(caught.value)


def test_an_id_used_twice_an_empty_set_and_no_set_are_errors(tmp_path: Path) -> None:
    one = write_set(tmp_path / "one.jsonl", RECORD)
    two = write_set(tmp_path / "two.jsonl", RECORD)
    with pytest.raises(EvaluationError, match=r"two\.jsonl:1.*'q1'.*one\.jsonl:1"):
        load_sets({one: "a", two: "b"})
    with pytest.raises(EvaluationError, match="no question"):
        load_questions(write_set(tmp_path / "empty.jsonl", ""))
    with pytest.raises(EvaluationError, match="cannot be read"):
        load_questions(tmp_path / "missing.jsonl")


def test_feedback_becomes_questions(tmp_path: Path) -> None:
    up = {**RECORD, "kind": "feedback", "verdict": "up", "time": "2026-11-22T22:41:00Z"}
    path = write_set(
        tmp_path / "feedback.jsonl",
        up,
        {**up, "id": "q2", "question": "another?"},
        {**up, "id": "q3", "verdict": "down"},  # a change of mind about q1
    )
    other, changed = feedback_to_questions(path)
    assert (other.id, other.verdict) == ("q2", "up")
    assert (changed.id, changed.verdict, changed.answers) == ("q3", "down", ("Anna",))
    with pytest.raises(EvaluationError, match="verdict"):
        feedback_to_questions(write_set(tmp_path / "bare.jsonl", RECORD))


def test_what_the_page_stores_is_read(tmp_path: Path) -> None:
    feedback = pytest.importorskip("article_qa.web.feedback")
    shown, refused = Turn("builder?", answer("Anna", 0)), Turn("price?", answer(""))
    path = write_set(
        tmp_path / "feedback.jsonl",
        feedback.record([shown], "mill", "up"),
        feedback.record([shown, refused], "mill", "up"),
    )
    builder, price = feedback_to_questions(path)
    report = evaluate([builder, price], FakeQA(ANSWERS))
    assert [row.correct for row in report.rows] == [True, True]


# --- SQuAD ----------------------------------------------------------------------------------


def squad(*articles: tuple[str, list[tuple[str, list[dict[str, Any]]]]]) -> dict[str, Any]:
    return {
        "data": [
            {"title": title, "paragraphs": [{"context": c, "qas": qas} for c, qas in paragraphs]}
            for title, paragraphs in articles
        ]
    }


def ask(id: str, context: str, words: str | None) -> dict[str, Any]:
    if words is None:
        return {"id": id, "question": f"{id}?", "answers": [], "is_impossible": True}
    found = {"text": words, "answer_start": context.index(words)}
    return {"id": id, "question": f"{id}?", "answers": [found, found]}


ONE, TWO, DAM = "Anna built\r\nthe mill.", "Ben burned\rthe mill.", "Dora dug the dam."
FILE = squad(
    ("mill", [(ONE, [ask("q1", ONE, "the mill")]), (TWO, [ask("q2", TWO, "burned\rthe")])]),
    ("dam", [(DAM, [ask("q3", DAM, "Dora"), ask("q4", DAM, None)])]),
)


@pytest.fixture
def squad_file(tmp_path: Path) -> Path:
    path = tmp_path / "squad.json"
    path.write_text(json.dumps(FILE), encoding="utf-8")
    return path


def test_squad_offsets_are_those_of_the_joined_article(squad_file: Path) -> None:
    loaded = load_squad(squad_file)
    assert loaded.texts["mill"] == "Anna built\nthe mill.\n\nBen burned\nthe mill."
    assert [(q.id, q.kind, q.scope) for q in loaded.questions] == [
        ("q1", "answerable", None),
        ("q2", "answerable", None),
        ("q3", "answerable", None),
        ("q4", "impossible", None),
    ]
    for q in loaded.questions:
        article = parse_article(loaded.texts[q.article], id=q.article)
        for gold in (gold for group in q.quotes for gold in group):
            assert article.text[gold.start : gold.end] == gold.text
    assert loaded.questions[1].answers == ("burned\nthe",)


PIECES = st.lists(st.sampled_from(["a", "b", " ", "\n", "\r\n", "\r ", "\u2028", "é"]), min_size=1)


@settings(deadline=None)
@given(st.lists(PIECES.filter(lambda p: "".join(p).strip()), min_size=1, max_size=4), st.data())
def test_squad_offsets_hold_for_any_paragraphs(
    tmp_path_factory: pytest.TempPathFactory, paragraphs: list[list[str]], data: st.DataObject
) -> None:
    written = []
    for number, pieces in enumerate(paragraphs):
        first = data.draw(st.integers(0, len(pieces) - 1))
        last = data.draw(st.integers(first, len(pieces) - 1))
        words = "".join(pieces[first : last + 1])
        gold = {"text": words, "answer_start": len("".join(pieces[:first]))}
        qa = {"id": str(number), "question": "?", "answers": [gold]}
        written.append(("".join(pieces), [qa]))
    path = tmp_path_factory.mktemp("squad") / "squad.json"
    path.write_text(json.dumps(squad(("a", written))), encoding="utf-8")
    loaded = load_squad(path)
    article = parse_article(loaded.texts["a"], id="a")
    assert len(loaded.questions) == len(paragraphs)
    for q in loaded.questions:
        ((found,),) = q.quotes
        assert article.text[found.start : found.end] == found.text


def test_a_limit_draws_the_same_questions_again_and_a_larger_one_more(tmp_path: Path) -> None:
    context = "Anna built the mill."
    path = tmp_path / "many.json"
    many = [ask(f"q{n:02}", context, "Anna") for n in range(50)]
    path.write_text(json.dumps(squad(("mill", [(context, many)]))), encoding="utf-8")
    five = [q.id for q in load_squad(path, limit=5).questions]
    ten = [q.id for q in load_squad(path, limit=10).questions]
    assert five == [q.id for q in load_squad(path, limit=5).questions]
    assert len(five) == 5
    assert set(five) < set(ten)
    assert five == sorted(five)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ([], "SQuAD format"),
        ({"data": [{"title": "mill"}]}, "SQuAD format"),
        ({"data": [{"title": "mill", "paragraphs": [{"qas": []}]}]}, "mill, paragraph 0"),
        (
            squad(("mill", [(DAM, [{**ask("q", DAM, "Dora"), "answers": []}])])),
            "no answers",
        ),
        (
            squad(("mill", [(DAM.upper(), [ask("q", DAM, "dug")])])),
            "question q: answer 'dug' is said to stand at 5, where the paragraph says 'DUG'",
        ),
    ],
)
def test_what_is_not_squad_is_named(tmp_path: Path, data: Any, problem: str) -> None:
    path = tmp_path / "squad.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(EvaluationError, match=re.escape(problem)):
        load_squad(path)


# --- comparison and floors ------------------------------------------------------------------


def test_a_baseline_equals_itself_and_is_written_the_same(report: Report, tmp_path: Path) -> None:
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    write_baseline(report, first)
    write_baseline(report, second)
    assert first.read_bytes() == second.read_bytes()
    comparison = compare(report, read_baseline(first))
    assert comparison.changes == comparison.added == comparison.removed == ()
    assert (comparison.correct_p, comparison.f1_p) == (1, 1)
    assert not comparison.regressed(0)
    lines = first.read_text().splitlines()
    assert sum(line.startswith('"builder?"') for line in lines) == 1  # a question a line


def test_what_got_worse_is_named_and_past_the_tolerance_fails(
    report: Report, tmp_path: Path
) -> None:
    path = tmp_path / "baseline.json"
    write_baseline(report, path)
    worse = {**ANSWERS, "builder?": answer("Ben", 1)}
    gone = [q for q in QUESTIONS if q is not PRICE]
    comparison = compare(evaluate(gone, FakeQA(worse), threshold=0.5), read_baseline(path))
    assert [(c.id, c.verdict) for c in comparison.changes] == [("builder?", "worse")]
    assert comparison.changes[0].after == Outcome(False, False, 0.0, "Ben")
    assert comparison.removed == ("price?",)
    assert comparison.correct == (0.25, 0)
    assert comparison.regressed(0.2)
    assert comparison.f1 == (1.5 / 4, 0.5 / 4)
    assert not comparison.regressed(0.25)


def test_a_baseline_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="--update-baseline"):
        read_baseline(tmp_path / "missing.json")


def test_mcnemar_is_the_sign_test_of_what_changed() -> None:
    before, after = np.zeros(10), np.array([1.0] * 6 + [0.0] * 4)
    assert mcnemar(before, after) == pytest.approx(2 / 2**6)
    assert mcnemar(before, before) == 1


def test_permutation_is_exact_for_few_changes() -> None:
    before, after = np.zeros(5), np.array([0.5, 0.5, 0.5, 0.5, 0.0])
    assert permutation(before, after) == pytest.approx(2 / 2**4)
    assert permutation(before, before) == 1


def floors_file(path: Path, **entry: Any) -> Path:
    lines = [f"{key} = {json.dumps(value)}" for key, value in entry.items()]
    path.write_text("[[floor]]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_floors(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "floors.toml"
    held = floors_file(path, figure="correct", at_least=0.4, reason="two of five")
    assert check_floors(report, read_floors(held)) == ()
    broken = floors_file(path, figure="correct", at_least=0.5, reason="half", split="test")
    (message,) = check_floors(report, read_floors(broken))
    assert "right outcome (test) is 40.0, expected at least 0.5: half" in message
    ceiling = floors_file(path, figure="false_refusal_rate", at_most=0.1, reason="few")
    assert len(check_floors(report, read_floors(ceiling))) == 1
    other = floors_file(path, figure="correct", at_least=1.0, reason="-", system="tutorial")
    assert check_floors(report, read_floors(other)) == ()
    undefined = floors_file(path, figure="refusal_recall", at_least=0.1, kind="who", reason="-")
    assert len(check_floors(report, read_floors(undefined))) == 1


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ({"figure": "bleu", "at_least": 0.1, "reason": "-"}, "bleu"),
        ({"figure": "f1", "reason": "-"}, "either"),
        ({"figure": "f1", "at_least": 0.1}, "reason"),
        ({"figure": "f1", "at_least": 0.1, "reason": "-", "splat": "dev"}, "splat"),
    ],
)
def test_malformed_floors_are_named(tmp_path: Path, entry: dict[str, Any], problem: str) -> None:
    with pytest.raises(EvaluationError, match=problem):
        read_floors(floors_file(tmp_path / "floors.toml", **entry))


def test_the_repositorys_floors_are_well_formed() -> None:
    floors = read_floors(Path(__file__).parent / "regression" / "floors.toml")
    assert any(f.figure == "quote_integrity" and f.at_least == 1.0 for f in floors)


# --- reports --------------------------------------------------------------------------------


def printed(report: Report) -> str:
    from rich.console import Console

    console = Console(width=120, file=io.StringIO())
    with console.capture() as capture:
        console.print(*tables([report]))
    return capture.get()


def test_the_tables_have_a_row_for_each_kind_and_keep_the_splits_apart() -> None:
    questions = [BUILDER, replace(BURNER, split="dev"), PEOPLE, OWNER, PRICE]
    text = printed(evaluate(questions, FakeQA(ANSWERS)))
    assert text.index("dev: 1 questions") < text.index("test: 4 questions")
    for kind in ("who", "list", "unanswerable"):
        assert re.search(rf"(?m)^ +{kind} +extractive +\d", text)


def test_json_has_every_row_and_no_nan(report: Report) -> None:
    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    (system,) = json.loads(to_json([report]), parse_constant=no_constant)["systems"]
    assert [row["id"] for row in system["rows"]] == [q.id for q in QUESTIONS]
    (part,) = system["parts"]
    assert (part["split"], part["figures"]["correct"]["value"]) == ("test", 0.4)
    assert part["kinds"]["list"]["refusal_recall"] is None
    assert part["outcomes"]["answered the unanswerable"] == 1
    assert system["rows"][0]["answer"]["citations"][0]["quote"] == "Anna built the mill in 1901."
    assert system["rows"][0]["quotes"] == [["Anna built the mill"]]


class Page(HTMLParser):
    """Collects the tags, the addresses and the marked text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.marked: list[str] = []
        self._in_mark = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._in_mark = tag == "mark"
        self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "action")]

    def handle_data(self, data: str) -> None:
        if self._in_mark:
            self.marked.append(data)
            self._in_mark = False


def test_the_page_shows_every_question_and_asks_nothing_of_the_network(report: Report) -> None:
    html = to_html([report])
    page = Page(html)
    assert page.tags.count("article") == len(QUESTIONS)
    assert page.addresses == []
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org)", html)
    assert SENTENCES[2] and TEXT[57:81] in page.marked  # the citation, in its context
    assert html == to_html([report])


def test_hostile_text_stays_text() -> None:
    nasty = "<script>alert(1)</script>"
    asked = question(nasty, [nasty], "Cleo <painted> the ruin", kind='"><img src=x>')
    broken = question("boom", [nasty], "Cleo")
    qa = FakeQA({nasty: answer(nasty, 2), "boom": RuntimeError(nasty)})
    page = Page(to_html([evaluate([asked, broken], qa, name=nasty)]))
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert "painted" not in page.tags
    assert TEXT[57:81] in page.marked


# --- the command ----------------------------------------------------------------------------


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Run the command over a set of two questions, with the engine replaced by the fake."""
    from article_qa.evaluation import systems

    (tmp_path / "mill.txt").write_text(TEXT, encoding="utf-8")
    write_set(tmp_path / "set.jsonl", to_record(BUILDER), to_record(PRICE))
    monkeypatch.chdir(tmp_path)

    def invoke(*args: str, answers: Mapping[str, Answer | Exception] = ANSWERS) -> Any:
        import typer

        def build(name: str, **_: Any) -> systems.Built:
            return systems.Built(FakeQA(answers), Thresholds(0.5, 0.5), None)

        monkeypatch.setattr(systems, "build_system", build)
        app = typer.Typer()
        app.command()(command_module.evaluate_command)
        return CliRunner().invoke(app, list(args))

    return invoke


def test_the_command_reports_and_gates(run: Callable[..., Any], tmp_path: Path) -> None:
    done = run("--set", "set.jsonl", "--json", "out/a.json", "--html", "out/a.html")
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out/a.json").read_text())["systems"][0]["system"] == "extractive"
    assert (tmp_path / "out/a.html").read_text().startswith("<!doctype html>")

    done = run("--set", "set.jsonl", "--baseline", "base.json", "--update-baseline")
    assert done.exit_code == 0
    done = run("--set", "set.jsonl", "--baseline", "base.json")
    assert done.exit_code == 0
    assert "0 questions changed" in done.output

    worse = {**ANSWERS, "builder?": RuntimeError("no luck")}
    done = run("--set", "set.jsonl", "--baseline", "base.json", answers=worse)
    assert done.exit_code == 1
    assert "RuntimeError: no luck" in done.output
    assert re.search(r"worse +builder\?: 'Anna'", done.output)
    done = run("--set", "set.jsonl", "--baseline", "base.json", "--tolerance", "0.5", answers=worse)
    assert done.exit_code == 0  # one of two questions is no more than a half


def test_the_command_fails_below_a_floor_or_with_an_altered_quote(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    floors_file(tmp_path / "floors.toml", figure="f1", at_least=1.0, reason="all of it")
    assert run("--set", "set.jsonl", "--floors", "floors.toml").exit_code == 0
    forged = replace(answer("Anna", 0), citations=(Citation(1, "mill", 0, 4, "Enna"),))
    done = run("--set", "set.jsonl", answers={**ANSWERS, "builder?": forged})
    assert done.exit_code == 1
    assert "altered quote" in done.output


def test_several_systems_stand_side_by_side(run: Callable[..., Any]) -> None:
    done = run("--set", "set.jsonl", "--system", "extractive", "--system", "tutorial")
    assert done.exit_code == 0
    assert re.search(r"extractive ≥ 0\.5 +tutorial", done.output)


def test_without_the_extra_the_command_says_what_to_install(
    run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_module, "find_spec", lambda name: None)
    done = run("--set", "set.jsonl")
    assert isinstance(done.exception, MissingExtraError)
    assert "pip install 'article-qa[eval]'" in str(done.exception)


def test_feedback_is_printed_as_questions(run: Callable[..., Any], tmp_path: Path) -> None:
    write_set(tmp_path / "feedback.jsonl", {**RECORD, "kind": "feedback", "verdict": "up"})
    done = run("--import-feedback", "feedback.jsonl")
    assert json.loads(done.output) == {**RECORD, "kind": "feedback", "verdict": "up"}


def test_a_missing_article_names_where_was_searched(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "mill.txt").unlink()
    done = run("--set", "set.jsonl")
    assert isinstance(done.exception, EvaluationError)
    assert "mill.txt" in str(done.exception)
    assert "--articles" in str(done.exception)


def test_the_accepted_baseline_is_not_overwritten_by_another_sets_run(
    run: Callable[..., Any],
) -> None:
    done = run("--set", "set.jsonl", "--update-baseline")
    assert isinstance(done.exception, EvaluationError)
    assert "--baseline" in str(done.exception)


def test_the_sentences_of_the_mill_are_where_they_are_said_to_be() -> None:
    assert MILL.text == TEXT
    assert [TEXT[s.start : s.end] for s in SENTENCES] == [
        "Anna built the mill in 1901.",
        "Ben burned it down in 1950.",
        "Cleo <painted> the ruin.",
    ]
