"""How sure an answer is: evidence about it, weighed by logistic regression.

A span's own score does not refuse well: about a person who occurs nowhere in the article it can be
high. So other evidence is weighed with it (Kamath, Jia and Liang, 'Selective Question Answering
under Domain Shift', 2020): how similar question and sentence are, whether the question's names,
numbers and words stand near the answer or anywhere in the article, whether the answer is of the
kind that was asked for, how far the second-best answer is. The weights are fitted on development
articles by ``article_qa.training.calibrate`` and stored beside the reader.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from article_qa.answering.question import Question, fits
from article_qa.retrieval.lexical import tokens
from article_qa.types import Hit

CALIBRATION = Path(__file__).parents[1] / "models" / "calibration.json"


@dataclass(frozen=True, slots=True)
class Calibrator:
    """A logistic regression over standardised features.

    Args:
        weights: for each feature its mean, its scale and its weight.
        bias: the constant term.
    """

    weights: Mapping[str, tuple[float, float, float]]
    bias: float

    def probability(self, features: Mapping[str, float]) -> float:
        """Return the probability, 0..1, that an answer with these features is right."""
        logit = self.bias + sum(
            weight * (features[name] - mean) / scale
            for name, (mean, scale, weight) in self.weights.items()
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


@lru_cache(maxsize=4)
def load_calibrators(path: Path = CALIBRATION) -> Mapping[str, Calibrator]:
    """Return the fitted calibrators: ``"span"`` for the reader's answers, ``"sentence"`` for
    whole sentences.
    """
    data = json.loads(path.read_text("utf-8"))
    return {
        name: Calibrator(
            {feature: (w[0], w[1], w[2]) for feature, w in model["weights"].items()},
            model["bias"],
        )
        for name, model in data.items()
    }


@lru_cache(maxsize=256)
def stems_of(text: str) -> frozenset[str]:
    """Return the folded, stemmed content words of a text."""
    return frozenset(tokens(text))


def match_features(
    question: Question, hit: Hit, sentence: str, context: str, article: str
) -> dict[str, float]:
    """Return the evidence that does not need a reader.

    Args:
        question: what is asked.
        hit: the passage the answer comes from.
        sentence: the sentence(s) that would be cited.
        context: the passage with its neighbours.
        article: the whole article's text.
    """
    near, here, anywhere = stems_of(context), stems_of(sentence), stems_of(article)
    key = question.names + question.numbers
    again, key_again = map(question.without_first_names, (question.stems, key))
    return {
        "dense": hit.dense,
        "sentence_dense": hit.sentence_dense,
        "best_dense": max(hit.dense, hit.sentence_dense),
        "score": hit.score,
        "in_sentence": _share(again, here),
        "in_context": _share(again, near),
        "in_article": _share(question.stems, anywhere),
        "names_in_sentence": _share(key_again, here),
        "names_in_context": _share(key_again, near),
        "names_missing": float(sum(stem not in anywhere for stem in key)),
        "words_missing": float(sum(stem not in anywhere for stem in question.stems)),
        "stems": math.log1p(len(question.stems)),
    }


def span_features(
    question: Question,
    answer: str,
    margin: float,
    log_p: float,
    gap: float,
    agreement: float,
    rank: int,
    cover: float,
) -> dict[str, float]:
    """Return the evidence of reading.

    Args:
        question: what is asked.
        answer: the span's text.
        margin: its score less that of 'no answer'.
        log_p: the log of its share of its window's probability.
        gap: its margin less that of the best other answer.
        agreement: share of the windows showing this place that chose it.
        rank: of its window among the hits, from 0.
        cover: how much of the question stands beside it.
    """
    words = len(answer.split())
    return {
        "margin": max(-12.0, min(12.0, margin)),
        "log_p": max(-12.0, log_p),
        "gap": max(0.0, min(8.0, gap)),
        "agreement": agreement,
        "rank": float(min(rank, 8)),
        "cover": cover,
        "fits": fits(question.type, answer),
        "misfit": float(fits(question.type, answer) == 0.0),
        "words": math.log1p(words),
        "reason": float(question.type in ("reason", "manner")),
        "speech": float(question.type == "speech"),
        "echo": _share(tuple(tokens(answer)), frozenset(question.stems)),
    }


def _share(wanted: Sequence[str], there: frozenset[str]) -> float:
    return sum(stem in there for stem in wanted) / len(wanted) if wanted else 1.0
