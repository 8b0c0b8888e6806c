from __future__ import annotations

import pytest
from ferry import FERRY

from article_qa.answering.reader import BUNDLED_READER
from article_qa.answering.verifier import (
    MAX_BEFORE,
    MAX_SENTENCE,
    Candidate,
    candidate_at,
    load_verifier,
    mark,
    verify,
)
from article_qa.reading.article import parse_article, read_article
from article_qa.retrieval.encoder import Encoder
from article_qa.types import Article, Span

SENTENCES = (
    "The Heron ferry has crossed the Tamsin strait since 1987.",
    "It carries 240 passengers.",
    "Captain Lena Marsh took command in 2015, after the death of her father, Otto Marsh.",
    "Critics say that the old boat is too slow.",
)


def place(article: Article, words: str) -> Span:
    start = article.text.index(words)
    return Span(start, start + len(words))


@pytest.mark.parametrize(
    "question, answer",
    [
        ("how many people fit on it", 1),
        ("since when does the boat go over the strait", 0),
        ("who runs it now", 2),
        ("whats wrong with the boat according to critics", 3),
    ],
)
def test_the_sentence_that_answers_is_the_surest(question: str, answer: int) -> None:
    article = parse_article(FERRY, id="ferry")
    places = [("ferry", place(article, words)) for words in SENTENCES]
    odds = verify(load_verifier(), question, {"ferry": article}, places)
    assert max(places, key=lambda p: odds[p]) == places[answer]


def test_a_sentence_that_does_not_answer_is_below_one_that_does() -> None:
    verifier = load_verifier()
    carries = Candidate("The Heron ferry has crossed the strait since 1987.", SENTENCES[1])
    asked = verifier.log_odds("how many passengers does the ferry carry", carries)
    assert asked > 0 > verifier.log_odds("who painted the town hall", carries)
    assert asked > verifier.log_odds("how many crew does the ferry have", carries)
    assert asked == verifier.log_odds("how many passengers does the ferry carry", carries)


def test_only_the_sentence_is_marked_and_long_parts_are_cut() -> None:
    tokenizer = Encoder(BUNDLED_READER).tokenizer
    ids, types = mark(tokenizer, "who?", Candidate("Before. " * 50, "It sails. " * 50))
    words = [tokenizer.id_to_token(i) for i, kind in zip(ids, types, strict=True) if kind]
    assert words[:3] == ["it", "sails", "."] and len(words) == MAX_SENTENCE
    before = ids[ids.index(tokenizer.token_to_id("[SEP]")) + 1 : types.index(1)]
    assert len(before) == MAX_BEFORE
    assert (ids[0], ids[-1]) == (tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]"))


def test_a_candidate_stands_below_its_heading_and_behind_what_was_said_before() -> None:
    fees = "# Terms\n\nA word first.\n\n## Fees\n\nBasic costs $4. Plus costs $9.\n\n"
    text = f"{fees}## Notice\n\n- We tell you first.\n"
    article = read_article(("terms.md", text.encode()))
    plus, tell = (place(article, words) for words in ("Plus costs $9.", "We tell you first."))
    assert candidate_at(article, plus) == Candidate("Fees\nBasic costs $4.", "Plus costs $9.")
    assert candidate_at(article, tell).before == "Notice"


def test_half_a_surrogate_pair_and_nothing_are_read() -> None:
    verifier = load_verifier()
    assert isinstance(verifier.log_odds("wh\ud800o", Candidate("", "a\ud800")), float)
    assert isinstance(verifier.log_odds("", Candidate("", "")), float)
