"""What spaCy says of an article's sentences, computed once and kept.

One pipeline serves the process, loaded at the first use from ``models/english``. An article is
analysed in batches, 0.28 CPU-seconds for 1,000 words, a question in 6 ms. ``Parsed.to_bytes`` gives
what an index keeps, 14 kB for 1,000 words, read again in 4 ms, so that a loaded index analyses
questions only.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import threading
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from article_qa.errors import IndexCorruptError, ModelError
from article_qa.types import Article, Span

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Token
    from spacy.tokens import Span as DocSpan

MODEL = "en_core_web_sm 3.8.0"
"""What the analyses are made by; kept ones of another model are refused."""

_Key = tuple[str, tuple[Span, ...]]
_KEPT = ("ORTH", "SPACY", "TAG", "POS", "LEMMA", "DEP", "HEAD", "ENT_IOB", "ENT_TYPE")
_BATCH = 64
"""Sentences analysed without a question coming between: a fifth of a second."""
_MAX_READ = 100_000
"""Words of the articles whose analysis is at hand as spaCy's objects; of the others the bytes are
kept, a fraction of it, and read again when they are asked for."""
_MAX_STORED = 200_000_000
"""Those bytes at most, of all articles together: 14 million words."""
_MAX_STRINGS = 500_000
"""Words that the pipeline may learn, of all articles ever analysed, before it is loaded anew."""

_lock = threading.RLock()
_analysing = threading.Lock()
_stored: OrderedDict[_Key, bytes] = OrderedDict()
_read: OrderedDict[_Key, Parsed] = OrderedDict()


@dataclass(frozen=True)
class Parsed:
    """The kept analysis of one article: a spaCy ``Doc`` for each quotable sentence.

    Args:
        sha256: digest of the article's text.
        sentences: the article's quotable sentences, in reading order.
        docs: what they consist of, one for each.
    """

    sha256: str
    sentences: tuple[Span, ...]
    docs: tuple[Doc, ...]

    def index_at(self, offset: int) -> int | None:
        """Return the number of the sentence that holds the character at ``offset``, or None."""
        i = bisect_right(self.sentences, offset, key=lambda s: s.start) - 1
        return i if i >= 0 and offset < self.sentences[i].end else None

    def tokens_in(self, span: Span) -> DocSpan | None:
        """Return the tokens that a span of one sentence touches, or None where it has none."""
        i = self.index_at(span.start)
        if i is None:
            return None
        start = self.sentences[i].start
        return self.docs[i].char_span(
            max(0, span.start - start),
            min(span.end, self.sentences[i].end) - start,
            alignment_mode="expand",
        )

    def span_of(self, tokens: DocSpan | Token, sentence: int) -> Span:
        """Return where tokens of a sentence stand in the article."""
        offset = self.sentences[sentence].start
        start = int(getattr(tokens, "idx", 0) or getattr(tokens, "start_char", 0))
        return Span(offset + start, offset + start + len(tokens.text))

    @cached_property
    def words(self) -> frozenset[str]:
        """The article's words and their lemmas in lower case."""
        return frozenset(
            form for doc in self.docs for t in doc for form in (t.lower_, t.lemma_.lower())
        )

    @cached_property
    def size(self) -> int:
        """How many words and marks it has."""
        return sum(map(len, self.docs))

    @cached_property
    def derived(self) -> dict[str, Any]:
        """What others in this room have made of it, by name; forgotten together with it."""
        return {}

    def to_bytes(self) -> bytes:
        """Return the analysis as bytes, not pickled; what was read from bytes returns those."""
        return self._kept

    @classmethod
    def from_bytes(cls, data: bytes, article: Article) -> Parsed:
        """Read a kept analysis of ``article``.

        Raises:
            IndexCorruptError: the bytes are none, or of another article, cut or model.
        """
        from spacy.tokens import DocBin

        model, _, rest = data.partition(b"\n")
        digest, _, kept = rest.partition(b"\n")
        empty = cls(article.sha256, article.quotable, ())
        if model != MODEL.encode() or digest != empty._digest.encode():
            raise IndexCorruptError(
                f"The kept analysis of {article.id!r} was made of another text or by another "
                f"model ({model[:40]!r}, expected {MODEL!r}): build the index again."
            )
        try:
            docs = tuple(DocBin().from_bytes(kept).get_docs(pipeline().vocab))
        except Exception as error:  # zlib, msgpack and numpy each have their own
            raise IndexCorruptError(f"The kept analysis of {article.id!r} is truncated.") from error
        parsed = cls(article.sha256, article.quotable, docs)
        parsed.__dict__["_kept"] = data  # fills the cached property below
        return parsed

    @cached_property
    def _kept(self) -> bytes:
        from spacy.tokens import DocBin

        kept = DocBin(attrs=list(_KEPT), docs=self.docs).to_bytes()
        return b"\n".join((MODEL.encode(), self._digest.encode(), kept))

    @cached_property
    def _digest(self) -> str:
        cut = ",".join(f"{s.start}-{s.end}" for s in self.sentences)
        return hashlib.sha256(f"{self.sha256} {cut}".encode()).hexdigest()


def parse(article: Article) -> Parsed:
    """Analyse an article, or return what is kept of it.

    A long article takes seconds; questions are analysed in between.
    """
    key = (article.sha256, article.quotable)
    if found := _remembered(key, article):
        return found
    with _analysing:
        if found := _remembered(key, article):  # another thread has been here
            return found
        _renew()
        texts = [_encodable(article.text[s.start : s.end]) for s in article.quotable]
        docs: list[Doc] = []
        for at in range(0, len(texts), _BATCH):
            time.sleep(0.001)  # or this thread takes the lock again before a waiting one wakes
            with _lock:
                docs += pipeline().pipe(texts[at : at + _BATCH])
        data = Parsed(article.sha256, article.quotable, tuple(docs)).to_bytes()
        with _lock:
            keep(article, data)
            while len(_stored) > 1 and sum(map(len, _stored.values())) > _MAX_STORED:
                _stored.popitem(last=False)
            # Read from the bytes it is what a loaded index has, without what is not needed.
            return _remember(key, Parsed.from_bytes(data, article))


def keep(article: Article, data: bytes) -> None:
    """Let ``parse`` read an analysis of an index in place of making one, when it is asked for."""
    with _lock:
        _stored[article.sha256, article.quotable] = data


def _remembered(key: _Key, article: Article) -> Parsed | None:
    """Return an analysis that is at hand, or make one of the bytes that are."""
    with _lock:
        if key in _read:
            _read.move_to_end(key)
            return _read[key]
        if key not in _stored:
            return None
        _stored.move_to_end(key)
        try:
            return _remember(key, Parsed.from_bytes(_stored[key], article))
        except IndexCorruptError:  # then it is made anew
            del _stored[key]
            return None


def _remember(key: _Key, parsed: Parsed) -> Parsed:
    """Have an analysis at hand, in place of the longest unused beyond ``_MAX_READ``."""
    _read[key] = parsed
    while len(_read) > 1 and sum(other.size for other in _read.values()) > _MAX_READ:
        _read.popitem(last=False)
    return parsed


def _renew() -> None:
    """Load the pipeline anew when it has learned too many words, for it forgets none."""
    with _lock:
        if len(pipeline().vocab.strings) > _MAX_STRINGS:
            pipeline.cache_clear()


@functools.lru_cache(maxsize=256)
def parse_question(text: str) -> Doc:
    """Analyse a question or another short text."""
    with _lock:
        return pipeline()(_encodable(text))


def _encodable(text: str) -> str:
    """Replace lone surrogates, which spaCy does not accept: one character for one."""
    return text.encode("utf-8", "replace").decode("utf-8")


@functools.cache
def pipeline() -> Language:
    """Load the bundled pipeline; once for the process.

    Raises:
        ModelError: its files are missing or damaged.
    """
    with _lock, _torch_hidden():
        import spacy

    folder = files("article_qa") / "models" / "english"
    try:
        return spacy.load(str(folder), exclude=["senter"])
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The bundled English pipeline in {folder} cannot be loaded ({error}): "
            "install article-qa again."
        ) from error


class _Hide:
    """An import hook that says, to one thread, that torch is not installed."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: Any = None) -> None:
        if name == "torch" and threading.get_ident() == self.thread:
            raise ModuleNotFoundError("torch is not needed here", name=name)


@contextmanager
def _torch_hidden() -> Iterator[None]:
    """Keep thinc from importing torch, which the bundled pipeline does not use.

    thinc imports torch wherever it is installed: 1.5 s and 180 MB. It takes an ``ImportError`` for
    "not installed". Torch that is loaded already, or later, is not touched.
    """
    hook = _Hide()
    sys.meta_path.insert(0, hook)
    try:
        yield
    finally:
        sys.meta_path.remove(hook)
