from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from article_qa.answering.reader import (
    MAX_ANSWER_TOKENS,
    Reader,
    ReadSpan,
    _decode,
    load_reader,
)
from article_qa.config import Settings
from article_qa.errors import ModelError
from article_qa.types import Span


@pytest.fixture(scope="module")
def reader() -> Reader:
    loaded = load_reader(Settings())
    assert loaded is not None
    return loaded


WINDOW = "The Heron ferry has crossed the strait since 1987. Captain Lena Marsh steers it."


def test_it_points_at_the_answer(reader: Reader) -> None:
    best = reader.read("Since when has the ferry crossed the strait?", [WINDOW])[0].spans[0]
    assert WINDOW[best.span.start : best.span.end] in ("1987", "since 1987")


def test_a_window_that_does_not_answer_scores_below_one_that_does(reader: Reader) -> None:
    right, wrong = reader.read("Who steers the ferry?", [WINDOW, "Bread is baked in the morning."])
    assert right.spans[0].margin > wrong.spans[0].margin
    assert right.verdict and wrong.verdict and right.verdict.none < wrong.verdict.none
    assert sum(right.verdict) == pytest.approx(1)


def test_it_scores_the_sentences_it_is_given(reader: Reader) -> None:
    first, second = Span(0, 50), Span(51, len(WINDOW))
    beyond = Span(len(WINDOW), len(WINDOW) + 9)
    (reading,) = reader.read("Who steers the ferry?", [WINDOW], 1, [[first, second, beyond]])
    since, steers, nowhere = reading.sentences
    assert since is not None and steers is not None and steers > since
    assert nowhere is None
    assert reader.read("Who steers the ferry?", [WINDOW])[0].sentences == ()


def test_what_stands_beside_a_window_does_not_change_it(reader: Reader) -> None:
    (alone,) = reader.read("Who steers the ferry?", [WINDOW])
    beside = reader.read("Who steers the ferry?", ["A longer text. " * 20, WINDOW])[1]
    assert [s.span for s in alone.spans] == [s.span for s in beside.spans]
    assert alone.spans[0].margin == pytest.approx(beside.spans[0].margin, abs=1e-3)


def test_nothing_to_read(reader: Reader) -> None:
    assert reader.read("Who?", []) == ()
    assert reader.read("Who?", [""])[0].spans == ()
    assert len(reader.read("who " * 400, [WINDOW])) == 1


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=80), st.text(max_size=120))
def test_spans_are_whole_and_inside(reader: Reader, question: str, window: str) -> None:
    spans = reader.read(question, [window])[0].spans
    for found in spans:
        assert 0 <= found.span.start < found.span.end <= len(window)
        assert found.log_p <= 1e-4
    assert sorted(spans, key=lambda s: -s.margin) == list(spans)


QUESTION, TEXT = "q", "a b c d"
"""Read as [CLS] q [SEP] a b c d [SEP]: the window's words are tokens 3 to 6."""


def decode(starts: Sequence[float], ends: Sequence[float], top: int = 5) -> list[ReadSpan]:
    tokenizer = Tokenizer(WordLevel({w: i for i, w in enumerate("[U] [C] [S] q a b c d".split())},
                                    unk_token="[U]"))  # fmt: skip
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[C] $A [S]", pair="[C] $A [S] $B:1 [S]:1", special_tokens=[("[C]", 1), ("[S]", 2)]
    )
    tokens = tokenizer.encode(QUESTION, TEXT)
    return list(_decode(np.float32(starts), np.float32(ends), tokens, top))


def test_a_margin_is_start_and_end_less_those_of_no_answer() -> None:
    best, second = decode([1, 0, 0, 5, 0, 0, 0, 0], [2, 0, 0, 0, 4, 0, 0, 0])[:2]
    assert TEXT[best.span.start : best.span.end] == "a b" and best.margin == pytest.approx(6)
    assert second.margin == pytest.approx(2)
    assert decode([4, 0, 0, 5, 0, 0, 0, 0], [5, 0, 0, 0, 4, 0, 0, 0])[0].margin == pytest.approx(0)


def test_log_p_shares_the_window_with_no_answer() -> None:
    (best,) = decode([0, 9, 9, 0, 0, 0, 0, 9], [0, 9, 9, 0, 0, 0, 0, 9], top=1)
    assert best.log_p == pytest.approx(2 * math.log(1 / 5))  # four words and [CLS], all alike


def test_an_end_before_its_start_is_no_span() -> None:
    best = decode([0, 0, 0, 0, 0, 9, 0, 0], [0, 0, 0, 9, 0, 0, 1, 0])[0]
    assert TEXT[best.span.start : best.span.end] == "c d"


def test_an_answer_has_a_longest_length(monkeypatch: pytest.MonkeyPatch) -> None:
    starts, ends = [0, 0, 0, 9, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 9, 0]
    assert decode(starts, ends)[0].span == Span(0, 7)
    monkeypatch.setattr("article_qa.answering.reader.MAX_ANSWER_TOKENS", 3)
    assert decode(starts, ends)[0].span == Span(0, 5)


def test_the_longest_answer_is_a_clause() -> None:
    assert 30 <= MAX_ANSWER_TOKENS <= 60


def test_no_reader_and_a_missing_one() -> None:
    assert load_reader(Settings(reader_model=None)) is None
    with pytest.raises(ModelError, match="no/such/model"):
        Reader("no/such/model").load()
