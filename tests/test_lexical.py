from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from article_qa.retrieval.lexical import BM25, tokens

TEXTS = [
    "The envoy flew to Doha for talks.",
    "Talks about the cease-fire failed.",
    "!!!",
    "",
    "Two thousand soldiers left; 2,000 remained.",
]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Biden's envoy", "the envoy of Biden"),
        ("Biden\u2019s envoy", "Biden's envoy"),
        ("negotiating", "negotiated"),
        ("café in Zürich", "CAFE IN ZURICH"),
        ("2,000 troops", "2000 troops"),
        ("U.S. forces", "US forces"),
        ("ﬁnance", "finance"),
        ("Straße", "STRASSE"),
    ],
)
def test_two_spellings_share_their_words(one: str, other: str) -> None:
    assert sorted(tokens(one)) == sorted(tokens(other)) != []


@pytest.mark.parametrize("query", ["cease-fire", "ceasefire", "cease fire"])
@pytest.mark.parametrize("text", ["a cease-fire", "a cease\u2010fire"])
def test_a_hyphened_word_is_found_joined_and_apart(query: str, text: str) -> None:
    assert BM25([text, "an unrelated dog"]).scores(query)[0] > 0


def test_other_scripts_keep_their_words() -> None:
    assert tokens("हिन्दी में") == ["हिन्दी", "में"]
    assert tokens("переговоры в Дохе") == ["переговоры", "в", "дохе"]
    assert tokens("日本の首都") == list("日本の首都")
    assert BM25(["日本の首都は東京です", "犬"]).scores("首都はどこ")[0] > 0


def test_numbers_keep_their_decimals() -> None:
    assert tokens("3.5 of 1,234,567.89 and 12,34") == ["3.5", "1234567.89", "12", "34"]


def test_the_text_that_shares_rare_words_scores_best() -> None:
    scores = BM25(TEXTS).scores("Where did the envoy fly?")
    assert scores.dtype == np.float32
    assert scores.shape == (len(TEXTS),)
    assert scores.argmax() == 0
    assert scores[2] == scores[3] == 0


@pytest.mark.parametrize("query", ["", "   ", "!!!", "who is it?", "zyzzyva"])
def test_a_query_without_a_known_word_scores_nothing(query: str) -> None:
    assert BM25(TEXTS).scores(query).tolist() == [0] * len(TEXTS)


@pytest.mark.parametrize("texts", [[], [""], ["!!!", "..."], ["the of and"]])
def test_texts_without_words_score_nothing(texts: list[str]) -> None:
    assert BM25(texts).scores("dog").tolist() == [0] * len(texts)


def test_scores_follow_the_formula() -> None:
    texts = ["apple banana apple", "banana cherry", "cherry date elder fig grape"]
    documents = [tokens(text) for text in texts]
    mean = sum(map(len, documents)) / len(documents)

    def score(query: str, document: list[str]) -> float:
        total = 0.0
        for word in tokens(query):
            holding = sum(word in other for other in documents)
            idf = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
            frequency = Counter(document)[word]
            total += idf * frequency / (frequency + 1.2 * (0.25 + 0.75 * len(document) / mean))
        return total

    for query in ("apple", "banana cherry", "fig apple zebra"):
        expected = [score(query, document) for document in documents]
        assert BM25(texts).scores(query) == pytest.approx(expected, rel=1e-5)


@given(st.lists(st.text(), max_size=5), st.text())
def test_any_text_gives_finite_scores(texts: list[str], query: str) -> None:
    scores = BM25(texts).scores(query)
    assert scores.shape == (len(texts),)
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()
