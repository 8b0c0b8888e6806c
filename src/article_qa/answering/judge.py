"""The judge: how likely each proposal is right, and how sure the best of them is.

Two steps. Gradient-boosted trees over ``features`` score every proposal (Friedman 2001, 'Greedy
function approximation'); the best one wins. Its confidence is a logistic regression over its score
and its lead on the best proposal that says something else (Platt 1999; selective question answering
as in Kamath, Jia and Liang 2020). Both are fitted on articles that the reader never saw, by
``article_qa.training.calibrate``, and stored beside the reader.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

JUDGE = Path(__file__).parents[1] / "models" / "judge.json"

MAX_LEAD = 6.0
"""A lead of more log-odds says no more."""

GIVES_WAY = 1.0
"""The winner gives way to the span there that the reader likes best, if it scores at most so much
less: a longer one is right more surely, and says less plainly what was asked. Of typed questions to
articles left out 60.7% in place of 61.9% were right, with answers of 10 words in place of 14."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A regression tree; node 0 is its root.

    ``feature`` is None at a leaf, whose score is ``value``; elsewhere a proposal whose feature is
    at most ``value`` goes to the node ``left``, else to ``right``.
    """

    feature: tuple[str | None, ...]
    value: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]

    def score(self, features: Mapping[str, float]) -> float:
        """Return the value of the leaf that a proposal falls into."""
        node = 0
        while (name := self.feature[node]) is not None:
            node = (self.left if features[name] <= self.value[node] else self.right)[node]
        return self.value[node]


class Choice(NamedTuple):
    """The proposal that wins, by its place among all, and how sure that is, 0..1."""

    best: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Judge:
    """Boosted trees, and what makes their scores a confidence.

    Args:
        base: the score of a proposal before any tree, in log-odds.
        trees: their scores add up.
        bias: of the confidence.
        score_weight: what the winner's score counts.
        lead_weight: what its lead counts.
    """

    base: float
    trees: tuple[Tree, ...]
    bias: float
    score_weight: float
    lead_weight: float

    def score(self, features: Mapping[str, float]) -> float:
        """Return how likely a proposal is right, in log-odds."""
        return self.base + sum(tree.score(features) for tree in self.trees)

    def choose(
        self, scores: Sequence[float], same: Sequence[Sequence[bool]], short: Sequence[bool]
    ) -> Choice:
        """Choose the best proposal.

        A short answer is wanted: of those that say the same and score nearly as much, the first
        one wins, since the reader's spans come in its own order.

        Args:
            scores: of the proposals, at least one.
            same: whether proposal i says what proposal j says.
            short: whether a proposal is a short answer to a question that asks for one.
        """
        best = max(range(len(scores)), key=lambda i: (scores[i], -i))
        near = [i for i, score in enumerate(scores)
                if short[i] and same[best][i] and score >= scores[best] - GIVES_WAY]  # fmt: skip
        if near:
            best = near[0]
        rivals = [score for i, score in enumerate(scores) if not same[best][i]]
        lead = min(MAX_LEAD, scores[best] - max(rivals, default=scores[best] - MAX_LEAD))
        return Choice(best, self.confidence(scores[best], lead))

    def confidence(self, score: float, lead: float) -> float:
        """Return the probability, 0..1, that the best proposal is right."""
        logit = self.bias + self.score_weight * score + self.lead_weight * lead
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


@lru_cache(maxsize=4)
def load_judge(path: Path = JUDGE) -> Judge:
    """Return the fitted judge."""
    data = json.loads(path.read_text("utf-8"))
    trees = tuple(Tree(*(tuple(column) for column in tree)) for tree in data["trees"])
    return Judge(data["base"], trees, data["bias"], data["score_weight"], data["lead_weight"])
