"""The numbers that decide: each is checked by hand, so that a changed one is noticed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from article_qa.answering.judge import GIVES_WAY, MAX_LEAD, Judge, Tree, load_judge

STUMP = Tree(("margin", None, None), (1.0, -2.0, 3.0), (1, 0, 0), (2, 0, 0))
JUDGE = Judge(base=-0.5, trees=(STUMP, STUMP), bias=0.25, score_weight=0.5, lead_weight=1.5)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_a_tree_sends_what_is_at_most_its_threshold_left() -> None:
    assert [STUMP.score({"margin": m}) for m in (0.9, 1.0, 1.1)] == [-2.0, -2.0, 3.0]


def test_base_and_trees_add_up() -> None:
    assert JUDGE.score({"margin": 0.0}) == -4.5
    assert JUDGE.score({"margin": 2.0}) == 5.5


def test_the_best_wins_and_its_lead_is_on_what_says_something_else() -> None:
    same = [[True, True, False], [True, True, False], [False, False, True]]
    best, confidence = JUDGE.choose([2.0, 1.9, 0.5], same, [False] * 3)
    assert best == 0
    assert confidence == pytest.approx(sigmoid(0.25 + 0.5 * 2.0 + 1.5 * 1.5))
    assert (
        JUDGE.choose([1.0, 1.0], [[True, False], [False, True]], [False] * 2).best == 0
    )  # the first of equals


def test_a_sentence_gives_way_to_a_span_in_it_that_scores_nearly_as_much() -> None:
    same = [[True, True, False], [True, True, False], [False, False, True]]
    span = [False, True, True]
    assert JUDGE.choose([1.0, 1.0 - GIVES_WAY, 0.9], same, span).best == 1
    assert JUDGE.choose([1.0, 0.9 - GIVES_WAY, 0.9], same, span).best == 0  # too far behind
    assert JUDGE.choose([1.0, 0.9, 0.9], same, [False] * 3).best == 0  # none is asked for
    assert JUDGE.choose([1.0, 0.9, 1.1], same, span).best == 2  # elsewhere, and best anyway


def test_a_proposal_without_rival_leads_by_the_most() -> None:
    (_, alone), (_, far) = (
        JUDGE.choose([0.0], [[True]], [False]),
        JUDGE.choose([0.0, -20.0], [[True, False], [False, True]], [False] * 2),
    )
    assert alone == far == pytest.approx(sigmoid(0.25 + 1.5 * MAX_LEAD))


def test_the_shipped_judge_believes_reader_and_verifier_and_doubts_what_lies_behind() -> None:
    judge = load_judge()
    assert 50 <= len(judge.trees) <= 400
    names = {name for tree in judge.trees for name in tree.feature if name}
    plain = dict.fromkeys(names, 0.0) | {"source_reader": 1.0, "retrieved": 1.0, "fits": 1.0}
    good = plain | {"margin": 6.0, "cited_margin": 6.0, "best_margin": 6.0, "cover": 0.8,
                    "in_cited": 0.8, "in_context": 1.0, "in_article": 1.0,
                    "read": 4.0, "read_best": 4.0,
                    "answers": 4.0, "answers_best": 4.0, "answers_least": 4.0}  # fmt: skip
    unread = good | {"margin": -6.0, "cited_margin": -6.0, "behind": -12.0}
    denied = good | {"answers": -4.0, "answers_behind": -8.0, "answers_least": -4.0}
    passed_over = good | {"read": -4.0, "read_behind": -8.0}
    assert judge.score(good) > judge.score(unread) + 0.5
    assert judge.score(good) > judge.score(passed_over) + 0.2
    assert judge.score(good) > judge.score(denied) + 1
    assert judge.score_weight > 0 and judge.lead_weight >= 0


def test_confidence_rises_with_score_and_lead() -> None:
    judge = load_judge()
    grid = np.array([[judge.confidence(s, d) for d in (0.0, 2.0, 6.0)] for s in (-4, -1, 0, 1, 3)])
    assert (np.diff(grid, axis=0) > 0).all() and (np.diff(grid, axis=1) >= 0).all()
    assert grid[0, 0] < 0.2 and grid[-1, -1] > 0.7
