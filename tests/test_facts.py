from __future__ import annotations

import pytest

from article_qa.language.facts import facts_of, number_of, stem_of


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("12,000", 12_000),
        ("£3m", 3_000_000),
        ("2.5", 2.5),
        ("twelve", 12),
        ("harbour", None),
        ("1.2.3", None),
    ],
)
def test_numbers_have_values(word: str, value: float | None) -> None:
    assert number_of(word) == value


def test_numbers_of_several_words_are_one() -> None:
    facts = facts_of("The town spent two hundred thousand pounds on the third bridge in 2019.")
    assert set(facts.numbers.values()) == {200_000, 2019} and facts.ordinals == {3}


def test_what_a_negation_denies() -> None:
    facts = facts_of("The mayor did not sign the paper.")
    assert stem_of("sign") in facts.denied and stem_of("mayor") not in facts.denied


def test_names_are_runs_of_capitals() -> None:
    names = facts_of("On Monday Ada Lund met the Bridge Trust in Oslo.").names
    assert ("ada", "lund") in {tuple(run) for run in names}
    assert any("oslo" in run for run in names)
