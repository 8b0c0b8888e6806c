from __future__ import annotations

import json
import math
import random
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from article_qa.answering.reader import BUNDLED_READER
from article_qa.training.calibrate import development_cases
from article_qa.training.data import (
    DEV_SQUAD2_TITLES,
    DEV_WIKI_ARTICLES,
    Example,
    _join_tokens,
    split_examples,
)
from article_qa.training.front_matter import front_matter
from article_qa.training.model import sentence_loss
from article_qa.training.pairs import Pair, _as_list, cut_window, make_pairs, swap
from article_qa.training.train import Recipe, encode
from article_qa.training.typed import type_question
from article_qa.training.written import written_pairs

CONTEXT = (
    "The Heron ferry first crossed the strait in 1987. Captain Lena Marsh took command in 2015. "
    "Before her the boat was steered by Otto Brandt for eleven years. It carries forty cars, and "
    "in winter it sails twice a day. The company was bought by the town of Ollen in 2003."
)


def example(question: str, answer: str, title: str = "ferry") -> Example:
    start = CONTEXT.index(answer)
    return Example("made", title, question, CONTEXT, ((start, start + len(answer)),), "span")


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


def test_a_swapped_year_lies_near() -> None:
    question = "Who took command in 2015?"
    years = {swap(question, "Nobody.", random.Random(seed)) for seed in range(30)}
    assert all(y and 2005 <= int(y[-5:-1]) <= 2025 and "2015" not in y for y in years)


def test_pairs_say_what_their_windows_hold() -> None:
    pairs = [pair for seed in range(20) for pair in make_pairs(EXAMPLES, seed)]
    answers = {CONTEXT[slice(*e.answers[0])] for e in EXAMPLES}
    spans = [pair for pair in pairs if pair.verdict == "span"]
    assert spans and all(pair.spans for pair in spans)
    assert any(pair.window[slice(*pair.spans[0])] in answers for pair in spans)
    none = [pair for pair in pairs if pair.verdict == "none"]
    assert 0.2 < len(none) / len(pairs) < 0.7 and not any(pair.spans for pair in none)
    assert make_pairs(EXAMPLES, 3) == make_pairs(EXAMPLES, 3)


def test_a_question_of_yes_or_no_has_a_verdict_and_no_span() -> None:
    polar = Example("made", "ferry", "Does it carry cars?", CONTEXT, (), "yes")
    pairs = [pair for seed in range(10) for pair in make_pairs([polar, *EXAMPLES], seed)]
    assert {p.verdict for p in pairs if "cars" in p.question and "many" not in p.question} >= {
        "yes"
    }
    assert not any(p.spans for p in pairs if p.verdict == "yes")


def test_a_list_keeps_its_answer() -> None:
    window = CONTEXT[:92]
    start = window.index("Captain Lena Marsh")
    pair = Pair("Who?", window, ((start, start + 18),), "span")
    for seed in range(5):
        listed = _as_list(pair, random.Random(seed))
        assert listed.window != window and listed.window[slice(*listed.spans[0])] == (
            "Captain Lena Marsh"
        )
        marked = [(listed.window[s:e].strip(), right) for s, e, right in listed.marked()]
        assert marked[:2] == [(CONTEXT[:49], False), (CONTEXT[50:90], True)]


def test_a_sentence_answers_where_a_span_or_what_shows_it_lies() -> None:
    asked = Pair("Who?", CONTEXT, ((50, 68),), "span")
    assert [right for *_, right in asked.marked()] == [False, True, False, False, False]
    nobody = Pair("Who?", CONTEXT, (), "none")
    assert not any(right for *_, right in nobody.marked())
    polar = Pair("Did she?", CONTEXT, (), "yes")
    assert polar.marked() == []  # which sentence says so is not known
    shown = Pair("Did she?", CONTEXT, (), "yes", shown=((50, 60),))
    assert [right for *_, right in shown.marked()] == [False, True, False, False, False]


def test_sentences_become_ranges_of_tokens() -> None:
    tokenizer = AutoTokenizer.from_pretrained(BUNDLED_READER, local_files_only=True)
    (encoded,) = encode([Pair("Who?", CONTEXT, ((50, 68),), "span")], tokenizer)
    texts = [tokenizer.decode(encoded.ids[a:b]) for a, b, _ in encoded.sentences]
    assert texts[0] == "the heron ferry first crossed the strait in 1987."
    assert [right for *_, right in encoded.sentences] == [False, True, False, False, False]
    assert encoded.starts == [encoded.sentences[1][0]]


def test_the_loss_of_sentences_by_hand() -> None:
    even = sentence_loss(torch.zeros(3), [[True, False], [False]])
    assert even.item() == pytest.approx(1.5 * math.log(2))  # each by itself, and half the choice
    nobody = sentence_loss(torch.zeros(2), [[False, False]])
    assert nobody.item() == pytest.approx(math.log(2))


def test_written_questions_say_which_sentences_answer(tmp_path: Path) -> None:
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "ferry.txt").write_text(f"The Heron\n\n{CONTEXT}\n", "utf-8")
    row = {"article": "ferry", "genre": "news", "split": "dev", "kind": "yesno"}
    asked = [
        {"id": "1", "question": "is it steered by otto", "answers": ["no"],
         "quotes": [["Captain Lena Marsh took command"]]},
        {"id": "2", "question": "who runs it now", "answers": ["Lena Marsh"],
         "quotes": [["Captain Lena Marsh took command"]]},
        {"id": "3", "question": "what does a ticket cost", "answers": [], "quotes": []},
    ]  # fmt: skip
    lines = "\n".join(json.dumps({**row, **q, "answerable": bool(q["quotes"])}) for q in asked)
    (tmp_path / "ferry.jsonl").write_text(lines, "utf-8")
    no, who, *rest = written_pairs(tmp_path, 0)
    assert (no.verdict, no.spans) == ("no", ())
    assert who.verdict == "span" and who.window[slice(*who.spans[0])] == "Lena Marsh"
    for pair in (no, who):
        right = [pair.window[s:e] for s, e, right in pair.marked() if right]
        assert right == ["Captain Lena Marsh took command in 2015."]
    assert rest and {pair.verdict for pair in rest} == {"none"}


def test_typed_questions_keep_their_rare_words() -> None:
    typed = {
        type_question("Who took command of the ferry in 2015?", random.Random(s)) for s in range(80)
    }
    assert len(typed) > 10 and "Who took command of the ferry in 2015?" in typed
    assert any(t == t.lower() and not t.endswith("?") for t in typed)
    assert sum("2015" in t for t in typed) == len(typed)


def test_front_matter_knows_this_article_from_others() -> None:
    seen = list(front_matter([CONTEXT], 300, random.Random(0)))
    for _, window, spans in seen:
        assert all(0 <= s < e <= len(window) for s, e in spans)
    others = [spans for question, _, spans in seen if "the book" in question]
    assert others and not any(others)
    wrote = [w[s:e] for q, w, spans in seen if q == "Who wrote this?" for s, e in spans]
    assert wrote and all(name[0].isupper() for name in wrote)


def test_spaces_that_a_tokenizer_left_are_undone() -> None:
    text = "It was ( he said ) the first , in 1987 ."
    start = text.index("1987")
    joined, spans = _join_tokens(text, ((start, start + 4),))
    assert joined == "It was (he said) the first, in 1987."
    assert joined[slice(*spans[0])] == "1987"


def test_the_learning_rate_rises_stays_and_falls() -> None:
    recipe = Recipe(steps=1000, decay=200, warmup=100)
    assert [recipe.rate(s) for s in (0, 99, 500, 800, 900, 1000)] == [0.01, 1, 1, 1, 0.5, 0]
    longer = Recipe(steps=5000, decay=200, warmup=100)
    assert all(recipe.rate(s) == longer.rate(s) for s in range(800))


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
    training, development = split_examples(tmp_path)
    trained = {e.title for rows in training.values() for e in rows}
    held = {e.title for rows in development.values() for e in rows}
    assert not trained & held and set(DEV_SQUAD2_TITLES) < held
    assert trained == {"wiki 0", "wiki 1", "Other"}


def test_each_article_is_asked_in_every_way(tmp_path: Path) -> None:
    titles = [f"wiki {n}" for n in range(DEV_WIKI_ARTICLES + 1)]
    (tmp_path / "squadshifts_new_wiki.json").write_text(squad(titles), "utf-8")
    rows = [
        {"title": title, "context": CONTEXT, "question": f"Who is {n}?",
         "answers": [{"text": "Captain Lena Marsh", "answer_start": CONTEXT.index("Captain")}]
         if n % 2 else []}
        for title in DEV_SQUAD2_TITLES
        for n in range(12)
    ]  # fmt: skip
    lines = "\n".join(map(json.dumps, rows))
    (tmp_path / "squad2_six_articles.jsonl").write_text(lines, "utf-8")
    texts, cases = development_cases(tmp_path, 0, 16)
    assert {case.kind for case in cases} >= {"own", "adversarial", "half", "off topic"}
    assert not any("wiki 0" in case.article for case in cases)  # trained on
    for case in cases:
        assert bool(case.places) == (case.kind in ("own", "half", "topic"))
        for span in (span for group in case.places for span in group):
            words = texts[case.article][span.start : span.end]
            assert words in case.golds or case.kind == "topic"
