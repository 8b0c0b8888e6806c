from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from article_qa.answering.reader import Reader, load_reader
from article_qa.config import Settings
from article_qa.errors import ModelError


@pytest.fixture(scope="module")
def reader() -> Reader:
    loaded = load_reader(Settings())
    assert loaded is not None
    return loaded


WINDOW = "The Heron ferry has crossed the strait since 1987. Captain Lena Marsh steers it."


def test_it_points_at_the_answer(reader: Reader) -> None:
    ((best, *_),) = reader.read("Since when has the ferry crossed the strait?", [WINDOW])
    assert WINDOW[best.span.start : best.span.end] in ("1987", "since 1987")


def test_a_window_that_does_not_answer_scores_below_one_that_does(reader: Reader) -> None:
    right, wrong = reader.read("Who steers the ferry?", [WINDOW, "Bread is baked in the morning."])
    assert right[0].margin > wrong[0].margin


def test_what_stands_beside_a_window_does_not_change_it(reader: Reader) -> None:
    (alone,) = reader.read("Who steers the ferry?", [WINDOW])
    beside = reader.read("Who steers the ferry?", ["A longer text. " * 20, WINDOW])[1]
    assert [s.span for s in alone] == [s.span for s in beside]
    assert alone[0].margin == pytest.approx(beside[0].margin, abs=1e-3)


def test_nothing_to_read(reader: Reader) -> None:
    assert reader.read("Who?", []) == ()
    assert reader.read("Who?", [""]) == ((),)
    assert len(reader.read("who " * 400, [WINDOW])) == 1


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=80), st.text(max_size=120))
def test_spans_are_whole_and_inside(reader: Reader, question: str, window: str) -> None:
    (spans,) = reader.read(question, [window])
    for found in spans:
        assert 0 <= found.span.start < found.span.end <= len(window)
        assert found.log_p <= 1e-4
    assert sorted(spans, key=lambda s: -s.margin) == list(spans)


def test_no_reader_and_a_missing_one() -> None:
    assert load_reader(Settings(reader_model=None)) is None
    with pytest.raises(ModelError, match="no/such/model"):
        Reader("no/such/model").load()
