"""The verifier: how likely a sentence, where it stands, answers the question.

A cross-encoder: question and sentence are read together, as a reranker reads them (Nogueira & Cho
2019, 'Passage re-ranking with BERT'), with what stands before it, which its pronouns point to. The
sentence is marked by the token types: 1 for its tokens, 0 for all others.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from article_qa.answering.reader import BUNDLED_READER
from article_qa.errors import ModelError
from article_qa.retrieval.encoder import Graph, encodable, load_tokenizer
from article_qa.types import Article, Span

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VERIFIER = Path(__file__).parents[1] / "models" / "verifier" / "model.onnx"
WORDS = "bert.embeddings.word_embeddings.weight"
"""The weights that it shares with the reader."""

MAX_VERIFIED = 6
"""Sentences verified for a question at most: 10 ms each. The right one, where it was read, is among
the first 6 by the reader's own odds for 92% of typed questions."""

Place = tuple[str, Span]
"""An article's id and a range of its text."""

Verified = Mapping[Place, float]
"""The log-odds that the sentences at a place answer the question."""

MAX_QUESTION, MAX_BEFORE, MAX_SENTENCE = 48, 32, 80
"""Most tokens of each part: of what stands before, its last; of the others, their first."""


class Candidate(NamedTuple):
    """A sentence with what stands before it: a heading, the sentence before."""

    before: str
    sentence: str


def mark(tokenizer: Tokenizer, question: str, candidate: Candidate) -> tuple[list[int], list[int]]:
    """Return token ids and types of a question with a candidate.

    Args:
        tokenizer: the model's; neither cuts nor pads.
        question: what is asked.
        candidate: the sentence that may answer.
    """
    asked, before, sentence = (
        tokenizer.encode(text, add_special_tokens=False).ids if text else []
        for text in (question, *candidate)
    )
    first, last = tokenizer.encode("").ids  # [CLS] and [SEP]
    head = [first, *asked[:MAX_QUESTION], last, *before[-MAX_BEFORE:]]
    marked = sentence[:MAX_SENTENCE]
    return [*head, *marked, last], [0] * len(head) + [1] * len(marked) + [0]


class Verifier:
    """Says of sentences whether they answer a question. Safe between threads.

    Raises:
        ModelError: the model cannot be loaded.
    """

    def __init__(self) -> None:
        from safetensors import safe_open

        try:
            self._tokenizer = load_tokenizer(BUNDLED_READER)
            with safe_open(BUNDLED_READER / "model.safetensors", "np") as reader:
                words = reader.get_tensor(WORDS).astype(np.float32)
            self._graph = Graph(VERIFIER, {WORDS: words})
        except Exception as error:  # each library raises its own
            raise ModelError(
                f"The verifier {VERIFIER} cannot be loaded ({type(error).__name__}: {error}). "
                "Reinstall article-qa."
            ) from error

    def log_odds(self, question: str, candidate: Candidate) -> float:
        """Return the log-odds that a candidate answers a question."""
        clean = Candidate(*(encodable(text) for text in candidate))
        ids, types = mark(self._tokenizer, encodable(question), clean)
        return float(self._graph.run(ids, types))


@lru_cache(maxsize=1)
def load_verifier() -> Verifier:
    """Return the bundled verifier."""
    return Verifier()


def verify(
    verifier: Verifier, question: str, articles: Mapping[str, Article], places: Iterable[Place]
) -> dict[Place, float]:
    """Verify the sentences at distinct places, the first ``MAX_VERIFIED`` of them.

    Args:
        verifier: what reads them.
        question: what is asked.
        articles: by id.
        places: of whole sentences, the likeliest first.
    """
    return {
        (id, span): verifier.log_odds(question, candidate_at(articles[id], span))
        for id, span in list(dict.fromkeys(places))[:MAX_VERIFIED]
    }


def candidate_at(article: Article, span: Span) -> Candidate:
    """Return the sentences of a range, below their heading and behind the sentence before."""
    above = bisect_right(article.headings, span.start, key=lambda s: s.end) - 1
    before = bisect_right(article.sentences, span.start, key=lambda s: s.end) - 1
    places = [article.headings[above]] if above >= 0 else []
    places += [article.sentences[before]] if before >= 0 else []
    lines = dict.fromkeys(article.text[place.start : place.end] for place in places)
    return Candidate("\n".join(lines), article.text[span.start : span.end])
