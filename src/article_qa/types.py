"""The values that move through the pipeline: frozen, made of the standard library alone.

Offsets are Python string indices into ``Article.text``, ``end`` exclusive. An offset is computed
once and carried; nothing is ever found again by searching for its text.

Trust runs one way: an engine returns a ``Draft`` (untrusted: it may point anywhere), and
``citations.verify`` alone turns it into an ``Answer`` (trusted: every citation is a slice of the
article).
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from article_qa.config import Settings
    from article_qa.retrieval.candidates import Candidates
    from article_qa.retrieval.embeddings import Embedder

BlockKind = Literal[
    "headline",
    "standfirst",
    "byline",
    "date",
    "heading",
    "paragraph",
    "list",
    "table",
    "quote",
    "code",
    "caption",
    "footnote",
    "reference",
    "boilerplate",
]
"""What a block of an article is.

A ``list`` block is one item, a ``table`` block one row (cells apart by a tab), a ``code`` block one
whole listing. A ``reference`` is an entry of a list of works cited. ``boilerplate`` (promos, link
stubs, notices) stays in the text but is never an answer.
"""

PROSE: frozenset[BlockKind] = frozenset({"paragraph", "list", "table", "quote", "code"})
"""Kinds that make up the running text; neighbours among them belong together."""

APART: frozenset[BlockKind] = frozenset({"boilerplate", "footnote", "reference"})
"""Kinds that are not part of what the article tells: cited only where a question asks for them,
and ``boilerplate`` never."""

Status = Literal["answered", "unsure", "refused", "invalid"]
"""What became of a question: answered surely, answered with the closest passage and said to be
unsure, not answered because the article does not say, or no question that can be asked (empty, too
long)."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of characters, ``text[start:end]``."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start

    def overlaps(self, other: Span) -> bool:
        """Say whether the two ranges share at least one character."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: Span) -> bool:
        """Say whether ``other`` lies wholly inside this range."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of an article that stands on its own: a headline, a paragraph, a caption.

    ``sentences`` cover the block's words in reading order without overlapping; a block that is not
    prose (a byline, a date, a table's row) is one sentence, and so is each line of code. ``level``
    is a heading's rank or an item's depth, from 1; 0 where there is none.
    """

    kind: BlockKind
    span: Span
    sentences: tuple[Span, ...]
    level: int = 0


@dataclass(frozen=True, slots=True)
class Metadatum:
    """What a file says about itself outside its text, and where in the file it says so.

    ``origin`` is ``"meta"`` or ``"json-ld"`` (a page's head), ``"docx core properties"``,
    ``"odt meta"``, ``"rtf info"``, ``"epub package"``, ``"pdf info"``, ``"mail headers"`` or
    ``"front matter"`` (the fields at the head of a Markdown file).
    """

    value: str
    origin: str


@dataclass(frozen=True)
class Article:
    """One article: its text, newlines normalised to line feeds, and what each part of it is.

    Args:
        id: short name that citations carry; the file's name without suffix for a file.
        title: the headline, or the first words where there is none.
        text: the whole text; every offset in this package points into it.
        blocks: the parts in reading order, not overlapping; white space lies between them.
        source: the path it was read from, or None for a string.
        notes: what had to be assumed while reading, for people ("decoded as cp1252").
        metadata: what the file says about itself outside its text, by name ("title", "author",
            "published", "modified", "site", ...); none of it stands in ``text``.
        pages: for a paged file, pairs (offset, page): from this offset on the text stands on this
            page, counted from 1. Sorted by offset; a page may come twice, since a footnote comes
            after the paragraph that runs over to the next page.
    """

    id: str
    title: str
    text: str
    blocks: tuple[Block, ...]
    source: str | None = None
    notes: tuple[str, ...] = ()
    metadata: Mapping[str, Metadatum] = field(default_factory=dict, hash=False)
    pages: tuple[tuple[int, int], ...] = ()

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the text in UTF-8; tells a changed article from an unchanged one."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()

    @cached_property
    def sentences(self) -> tuple[Span, ...]:
        """All sentences in reading order, boilerplate's included."""
        return tuple(s for block in self.blocks for s in block.sentences)

    @cached_property
    def quotable(self) -> tuple[Span, ...]:
        """The sentences of what the article tells, in reading order: without ``APART``."""
        return tuple(s for b in self.blocks if b.kind not in APART for s in b.sentences)

    @cached_property
    def headings(self) -> tuple[Span, ...]:
        """The headings inside the text, in reading order."""
        return tuple(block.span for block in self.blocks if block.kind == "heading")

    def block_at(self, offset: int) -> Block | None:
        """Return the block that holds the character at ``offset``, or None between blocks."""
        i = bisect_right(self.blocks, offset, key=lambda block: block.span.start) - 1
        return self.blocks[i] if i >= 0 and offset < self.blocks[i].span.end else None

    def page_at(self, offset: int) -> int | None:
        """Return the page that the character at ``offset`` stands on; None in an unpaged file."""
        i = bisect_right(self.pages, offset, key=lambda page: page[0]) - 1
        return self.pages[i][1] if i >= 0 else None


@dataclass(frozen=True, slots=True)
class Passage:
    """What retrieval ranks: a run of whole sentences, a slice of its article.

    ``context`` is the wider slice a reader should see (neighbouring sentences and blocks), and
    always contains ``span``. ``text == article.text[span.start:span.end]``.
    """

    article_id: str
    span: Span
    text: str
    sentences: tuple[Span, ...]
    context: Span
    kind: BlockKind = "paragraph"


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence of a passage, its fused score among all sentences, and its cosine similarity."""

    span: Span
    score: float
    dense: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage and how well it fits a question.

    ``score`` is the fused score that ranks it (higher is better; comparable only within one
    question); ``dense`` is the cosine similarity of the passage, ``lexical`` its BM25 score, and
    ``sentence`` the best-scoring sentence in it with ``sentence_score`` its own fused score and
    ``sentence_dense`` its cosine similarity. ``sentences`` are all in it, best first.
    """

    passage: Passage
    score: float
    dense: float
    lexical: float
    sentence: Span
    sentence_score: float
    sentence_dense: float = 0.0
    sentences: tuple[ScoredSentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a statement is said to stand: an untrusted pointer from an engine.

    ``span`` is what to quote (whole sentences); ``focus`` are the answer's own words inside it.
    """

    article_id: str
    span: Span
    focus: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing an engine says, and its evidence. Without evidence it will not be shown.

    ``text`` None means: say the focus (or, without one, the quote) of the evidence, cut from the
    article.
    """

    evidence: tuple[Evidence, ...]
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a chat model consumed, in tokens as it reported them."""

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """What an engine proposes. No statements means that the article does not say.

    Args:
        statements: in the order to be shown.
        confidence: calibrated probability that the answer is right, 0..1.
        status: how the statements are to be shown: ``"answered"`` or ``"unsure"``; without a
            statement that holds, the answer is a refusal, or ``"invalid"`` where this says so.
        reason: why there is no answer, in words for the reader; None where there is one.
        separator: what stands between statements: " " for sentences, ", " for a list.
        nearest: what came closest, shown with a refusal and never as a citation.
        notice: something the reader should know ("the chat model did not answer ...").
        usage: token use, or None where no chat model was asked.
        engine: name of the engine that wrote it.
        stages: seconds the engine spent, by stage ("read", "judge", ...); not part of equality.
    """

    statements: tuple[Statement, ...] = ()
    confidence: float = 0.0
    status: Status = "answered"
    reason: str | None = None
    separator: str = " "
    nearest: tuple[Evidence, ...] = ()
    notice: str | None = None
    usage: Usage | None = None
    engine: str = "extractive"
    stages: Mapping[str, float] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Citation:
    """An exact passage: ``article.text[start:end] == quote``.

    ``focus`` are the answer's own words as ranges of the article (each inside start..end), for
    marking them stronger. ``number`` is the marker in ``Answer.text``. ``page`` is the page the
    passage begins on, from 1; None in an unpaged file. A citation of ``kind`` ``"metadata"`` quotes
    a value of ``Article.metadata``, which stands at no place of the text.
    """

    number: int
    article_id: str
    start: int
    end: int
    quote: str
    focus: tuple[Span, ...] = ()
    page: int | None = None
    kind: Literal["passage", "metadata"] = "passage"

    def to_dict(self) -> dict[str, Any]:
        """Return the citation as plain JSON types."""
        return {
            "number": self.number,
            "article_id": self.article_id,
            "start": self.start,
            "end": self.end,
            "quote": self.quote,
            "focus": [[span.start, span.end] for span in self.focus],
            "page": self.page,
            "kind": self.kind,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Citation:
        """Make a citation again from what ``to_dict`` returned."""
        focus = tuple(Span(start, end) for start, end in data.get("focus", ()))
        return cls(
            data["number"], data["article_id"], data["start"], data["end"], data["quote"], focus,
            data.get("page"), data.get("kind", "passage"),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person gets. Made by ``citations.verify`` only.

    Args:
        question: as it was asked.
        text: the answer with markers: ``Zalmay Khalilzad [1]``; one that is not sure begins with
            ``Perhaps: ``.
        plain: the same without markers and without ``Perhaps: ``.
        status: see ``Status``; without citations where it is refused or invalid.
        reason: why it was refused, in words; None for an answer.
        confidence: calibrated probability that the answer is right, 0..1.
        citations: the exact passages, numbered from 1 in order of first use.
        hits: the passages that were considered, best first.
        nearest: with a refusal, the quotes that came closest (numbered from 1, not in ``text``).
        understood_as: the standalone question that was answered, where it differs from the one
            asked; else None.
        notice: something the reader should know; None as a rule.
        usage: token use of a chat model, or None.
        engine: name of the engine that answered.
        seconds: wall-clock time of the whole call; not part of equality.
        stages: seconds by stage of it; not part of equality.
    """

    question: str
    text: str
    plain: str
    status: Status
    reason: str | None
    confidence: float
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    nearest: tuple[Citation, ...] = ()
    understood_as: str | None = None
    notice: str | None = None
    usage: Usage | None = None
    engine: str = "extractive"
    seconds: float = field(default=0.0, compare=False)
    stages: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def refused(self) -> bool:
        """Whether there is no answer: the article does not say, or the question cannot be asked."""
        return self.status in ("refused", "invalid")

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain JSON types; ``seconds`` and ``stages`` are left out, so equal
        answers give equal bytes.
        """
        return {
            "question": self.question,
            "text": self.text,
            "plain": self.plain,
            "status": self.status,
            "refused": self.refused,
            "reason": self.reason,
            "confidence": round(self.confidence, 6),
            "citations": [citation.to_dict() for citation in self.citations],
            "nearest": [citation.to_dict() for citation in self.nearest],
            "hits": [
                {
                    "article_id": hit.passage.article_id,
                    "start": hit.passage.span.start,
                    "end": hit.passage.span.end,
                    "text": hit.passage.text,
                    "score": round(hit.score, 6),
                }
                for hit in self.hits
            ],
            "understood_as": self.understood_as,
            "notice": self.notice,
            "usage": (
                None
                if self.usage is None
                else {
                    "input_tokens": self.usage.input_tokens,
                    "output_tokens": self.usage.output_tokens,
                }
            ),
            "engine": self.engine,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Answer:
        """Make an answer again from what ``to_dict`` returned; its hits and time are dropped.

        Raises:
            KeyError, TypeError, ValueError: the data is not what ``to_dict`` returns.
        """
        usage = data.get("usage")
        return cls(
            question=data["question"],
            text=data["text"],
            plain=data["plain"],
            status=data.get("status") or ("refused" if data["refused"] else "answered"),
            reason=data["reason"],
            confidence=data["confidence"],
            citations=tuple(Citation.from_dict(row) for row in data["citations"]),
            hits=(),
            nearest=tuple(Citation.from_dict(row) for row in data.get("nearest", ())),
            understood_as=data.get("understood_as"),
            notice=data.get("notice"),
            usage=Usage(**usage) if usage else None,
            engine=data.get("engine", "extractive"),
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange of a conversation."""

    question: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a streamed answer.

    ``kind`` is ``"text"`` (``text`` is newly arrived, still unverified words), or ``"answer"``
    (``answer`` is final; always the last event, and equal to what ``ask`` returns).
    """

    kind: Literal["text", "answer"]
    text: str = ""
    answer: Answer | None = None


@runtime_checkable
class Engine(Protocol):
    """What turns a question and its hits into a draft.

    The default is ``extractive.ExtractiveEngine``; ``chat.ChatEngine`` wraps a chat model.
    """

    name: str

    def draft(self, question: str, hits: Sequence[Hit], articles: Mapping[str, Article]) -> Draft:
        """Answer ``question`` from ``hits`` (best first) of ``articles`` (by id)."""
        ...

    def stream(
        self, question: str, hits: Sequence[Hit], articles: Mapping[str, Article]
    ) -> Iterator[str | Draft]:
        """Yield text as it comes, then the draft, last. May yield the draft alone."""
        ...


class Counts(NamedTuple):
    """How much a store holds."""

    articles: int
    passages: int


@runtime_checkable
class Store(Protocol):
    """What keeps articles and finds their passages; safe to share between threads.

    The default, ``store_local.LocalStore``, has all in memory; ``store_milvus.MilvusStore`` asks a
    Milvus server.
    """

    @property
    def settings(self) -> Settings:
        """How articles are cut and their passages ranked."""
        ...

    @property
    def embeddings(self) -> Embedder:
        """What embeds passages and questions."""
        ...

    @property
    def articles_by_id(self) -> Mapping[str, Article]:
        """The articles in the order they were added; one may be fetched when it is asked for."""
        ...

    def add(
        self, articles: Iterable[Article], progress: Callable[[int, int], None] | None = None
    ) -> tuple[str, ...]:
        """Add articles, replacing those of the same id; return the ids of the new and changed.

        ``progress`` is called with (texts embedded, texts in all).
        """
        ...

    def remove(self, article_ids: Iterable[str]) -> tuple[str, ...]:
        """Remove articles; return the ids of those that were there."""
        ...

    def search(self, question: str, article_ids: Iterable[str] | None = None) -> Candidates:
        """Find the passages that may answer a question, in these articles or in all."""
        ...

    def counts(self) -> Counts:
        """Count the articles and their passages."""
        ...

    def close(self) -> None:
        """Let go of connections; the store is not used after it."""
        ...
