from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from article_qa.training.calibrate import development_cases
from article_qa.training.data import (
    DEV_SQUAD2_TITLES,
    DEV_WIKI_ARTICLES,
    Example,
    cut_window,
    load_examples,
    make_pairs,
    swap,
)

CONTEXT = (
    "The Heron ferry first crossed the strait in 1987. Captain Lena Marsh took command in 2015. "
    "Before her the boat was steered by Otto Brandt for eleven years. It carries forty cars, and "
    "in winter it sails twice a day. The company was bought by the town of Ollen in 2003."
)


def example(question: str, answer: str, title: str = "ferry") -> Example:
    start = CONTEXT.index(answer)
    return Example("made", title, question, CONTEXT, ((start, start + len(answer)),))


EXAMPLES = [
    example("Who took command of the ferry in 2015?", "Captain Lena Marsh"),
    example("When did the Heron ferry first cross the strait?", "1987"),
    example("How many cars does the ferry carry?", "forty"),
    example("Who steered the boat before Lena Marsh?", "Otto Brandt"),
]


def test_a_window_holds_whole_sentences_and_the_answer() -> None:
    for words in (5, 20, 200):
        pair = cut_window(CONTEXT, EXAMPLES[0].answers, words, random.Random(0))
        assert pair is not None and pair.window in CONTEXT
        start, end = pair.spans[0]
        assert pair.window[start:end] == "Captain Lena Marsh"


def test_a_swapped_question_asks_something_else_about_the_same() -> None:
    seen = {swap(EXAMPLES[1].question, CONTEXT, random.Random(seed)) for seed in range(20)}
    assert "When did the Heron ferry last cross the strait?" in seen
    assert all(question != EXAMPLES[1].question for question in seen)
    assert swap("why is it so", CONTEXT, random.Random(0)) is None


def test_pairs_without_an_answer_do_not_hold_it() -> None:
    questions = {e.question: CONTEXT[slice(*e.answers[0])] for e in EXAMPLES}
    pairs = [pair for seed in range(20) for pair in make_pairs(EXAMPLES, seed)]
    assert any(pair.spans for pair in pairs)
    negatives = [p for p in pairs if not p.spans and p.question in questions]
    assert any(pair.window not in CONTEXT for pair in negatives)  # a sentence was taken out
    for pair in negatives:
        assert questions[pair.question].lower() not in pair.window.lower()
    assert make_pairs(EXAMPLES, 3) == make_pairs(EXAMPLES, 3)


def squad(titles: list[str]) -> str:
    paragraph = {
        "context": CONTEXT,
        "qas": [
            {"id": "1", "question": "How many?", "answers": [{"text": "The", "answer_start": 0}]}
        ],
    }
    return json.dumps({"data": [{"title": t, "paragraphs": [paragraph]} for t in titles]})


def test_development_articles_are_never_trained_on(tmp_path: Path) -> None:
    titles = [f"wiki {n}" for n in range(DEV_WIKI_ARTICLES + 2)]
    (tmp_path / "squadshifts_new_wiki.json").write_text(squad(titles), "utf-8")
    rows = [
        {"title": title, "context": CONTEXT, "question": "Why?", "answers": []}
        for title in ("Other", *DEV_SQUAD2_TITLES)
    ]
    lines = "\n".join(map(json.dumps, rows))
    (tmp_path / "squad2_six_articles.jsonl").write_text(lines, "utf-8")
    trained = {e.title for e in load_examples(tmp_path, 0)}
    assert trained == {"wiki 0", "wiki 1", "Other"}


@pytest.mark.parametrize("seed", [0, 1])
def test_cases_for_calibration_ask_each_article_in_every_way(seed: int) -> None:
    paragraphs = [CONTEXT, CONTEXT.replace("Heron", "Gull").replace("Marsh", "Reed")]
    examples = [
        Example("made", title, e.question, paragraph, e.answers if "Gull" not in paragraph else ())
        for title in ("one", "two")
        for paragraph in paragraphs
        for e in EXAMPLES
    ]
    texts, cases = development_cases(examples, seed, 16)
    assert {case.kind for case in cases} >= {"own", "adversarial", "half", "altered", "off topic"}
    for case in cases:
        assert all(gold in texts[case.article] for gold in case.golds)
        assert bool(case.golds) == (case.kind in ("own", "half"))
