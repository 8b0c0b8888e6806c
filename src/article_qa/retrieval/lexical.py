"""BM25 over short texts: the half of retrieval that knows names, numbers and rare words.

The scores are the library ``bm25s``'s; what is ours is which words two spellings share: case and
accents are folded, possessives and the dots of initials dropped, ``2,000`` is ``2000``, a hyphened
word is its parts and their sum, English endings are stemmed. Words of other scripts pass through
unstemmed; Chinese and Japanese, written without spaces, are cut into characters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

import bm25s
import numpy as np
import numpy.typing as npt
import regex as re  # type: ignore[import-untyped]
import Stemmer
from bm25s.stopwords import STOPWORDS_EN_PLUS

_STOP_WORDS = frozenset(STOPWORDS_EN_PLUS)
"""The long list: it holds the question words, which say nothing about where an answer stands."""

# The patterns are regex's, which knows \p{M}: in Hindi or Thai a mark is part of the word.
_APOSTROPHES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u00ad": None})
_POSSESSIVE = re.compile(r"(?<=\w)'s\b")
_INITIALS = re.compile(r"\b(?:\p{L}\.){2,}")  # U.S. -> us
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_HYPHENED = re.compile(r"\p{L}+(?:[-\u2010\u2011]\p{L}+)+")
_LATIN_MARKS = re.compile(r"[\u0300-\u036f]")
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}"
_WORD = re.compile(rf"\d+(?:\.\d+)+|[{_UNSPACED}]|[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]+", re.V1)


def tokens(text: str) -> list[str]:
    """Cut a text into the words BM25 compares, in reading order, stop words left out."""
    text = _fold(text)
    text = _POSSESSIVE.sub("", text)
    text = _INITIALS.sub(lambda match: match[0].replace(".", ""), text)
    text = _THOUSANDS.sub("", text)
    joined = [re.sub(r"\P{L}", "", match) for match in _HYPHENED.findall(text)]
    words = [word for word in _WORD.findall(text) if word not in _STOP_WORDS]
    # A stemmer keeps a cache and is not safe to share between threads; a new one costs 1 us.
    stemmed: list[str] = Stemmer.Stemmer("english").stemWords(words + joined)
    return stemmed


def _fold(text: str) -> str:
    """Fold case, accents and compatibility forms (full-width letters, ligatures)."""
    text = text.translate(_APOSTROPHES)
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        # Only the marks of Latin, Greek and Cyrillic: elsewhere a mark is a letter of the word.
        text = unicodedata.normalize("NFC", _LATIN_MARKS.sub("", decomposed))
    return text.casefold()


class BM25:
    """Okapi BM25 scores of a fixed list of texts (Robertson and Zaragoza, 2009; the variant of
    Lucene, k1 = 1.2 and b = 0.75).

    Args:
        texts: what is searched; may be empty, and may hold texts without any word.
        cut: what cuts them, and queries, into words.
    """

    def __init__(self, texts: Sequence[str], cut: Callable[[str], list[str]] = tokens) -> None:
        self._size = len(texts)
        self._cut = cut
        vocabulary: dict[str, int] = {}
        ids = [[vocabulary.setdefault(w, len(vocabulary)) for w in cut(t)] for t in texts]
        self._model: bm25s.BM25 | None = None
        if vocabulary:  # bm25s divides by the mean length, which is nought without a word
            self._model = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
            self._model.index((ids, vocabulary), create_empty_token=False, show_progress=False)

    def scores(self, query: str) -> npt.NDArray[np.float32]:
        """Score every text against a query.

        Returns:
            One float32 score for each text, in their order; 0 where no word is shared.
        """
        words = [] if self._model is None else self._model.get_tokens_ids(self._cut(query))
        if not words:
            return np.zeros(self._size, dtype=np.float32)
        scores = self._model.get_scores_from_ids(words)  # type: ignore[union-attr]
        return np.asarray(scores, dtype=np.float32)
