"""The reader: points at the words of a window that answer a question, or at none.

An extractive question-answering model scores every token as the start and as the end of the
answer; position 0, [CLS], stands for 'no answer here' (Devlin et al. 2019, section 4.3). A span's
``margin`` is its start and end score less those of [CLS]: it compares across windows, since each
window carries its own 'no answer'. A model with a verdict head says from [CLS], too, whether the
window holds no answer, one in its words, a yes or a no (Alberti et al. 2019, 'A BERT baseline for
the Natural Questions'); one with a sentence head says of each sentence whether it answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from article_qa.config import BUNDLED, Settings
from article_qa.errors import ModelError
from article_qa.retrieval.encoder import Encoder, Floats, encodable
from article_qa.types import Span

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

BUNDLED_READER = Path(__file__).parents[1] / "models" / "reader"
MAX_TOKENS = 320
"""Question and window together. Windows have about 110 words, 150 tokens."""

MAX_QUESTION_TOKENS = 96

MAX_ANSWER_TOKENS = 48
"""Longest answer: a clause. Whole sentences are what the citation is for."""


class _Scores(NamedTuple):
    """What a model's heads say to a window."""

    starts: Floats  # each token's, as the answer's first
    ends: Floats
    verdicts: Floats | None
    sentence: Callable[[int, int], float] | None  # log-odds of a range of tokens


class _Model(NamedTuple):
    """What is loaded; nothing of it changes afterwards, so that threads share it without a lock."""

    tokenizer: Tokenizer  # cuts a window off where ``MAX_TOKENS`` are full
    plain: Tokenizer  # cuts nothing off
    scores: Callable[[Sequence[int], Sequence[int]], _Scores]  # of token ids and types


@dataclass(frozen=True, slots=True)
class ReadSpan:
    """A candidate answer: a range of the window's text.

    ``margin`` is its score less that of 'no answer' (log-odds, uncalibrated); ``log_p`` the log of
    its share of this window's probability, 'no answer' included.
    """

    span: Span
    margin: float
    log_p: float


class Verdict(NamedTuple):
    """What a window says to the question: probabilities that sum to 1."""

    none: float
    span: float
    yes: float
    no: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in a window: candidate spans, best first; of a model that has the heads, the
    verdict, and the log-odds that each sentence asked for answers (None for one cut off).
    """

    spans: tuple[ReadSpan, ...]
    verdict: Verdict | None = None
    sentences: tuple[float | None, ...] = ()


class Reader:
    """Reads windows with one model; loads it with the first question. Safe between threads.

    Args:
        model: ``"bundled"``, or the name or path of a Hugging Face extractive-QA model.

    Raises:
        ModelError: no model is there.
    """

    def __init__(self, model: str = BUNDLED) -> None:
        self.path = str(BUNDLED_READER) if model == BUNDLED else model
        if model == BUNDLED and not (BUNDLED_READER / "config.json").exists():
            raise ModelError(
                f"The bundled reader is missing: expected a model in {BUNDLED_READER}. "
                "Reinstall article-qa, or use Settings(reader_model=None) to answer with sentences."
            )
        self._lock = threading.Lock()
        self._loaded: _Model | None = None

    def load(self) -> None:
        """Load the model now.

        Raises:
            ModelError: it cannot be loaded.
        """
        self._load()

    def read(
        self,
        question: str,
        windows: Sequence[str],
        top: int = 5,
        sentences: Sequence[Sequence[Span]] = (),
    ) -> tuple[Reading, ...]:
        """Find the likeliest answers in each window.

        Args:
            question: what is asked; one that leaves no room for a window is cut.
            windows: texts of about 110 words; the tokens past ``MAX_TOKENS`` are not read.
            top: most spans returned for a window, best first.
            sentences: for each window, as offsets into it, the sentences to be scored; or none.

        Returns:
            For each window its candidate spans, as offsets into its text (none for one without
            words), its verdict, and the scores of its sentences.

        Raises:
            ModelError: the model cannot be loaded.
        """
        if not windows:
            return ()
        model = self._load()
        cut = _cut(encodable(question), model.plain)
        # One at a time: nothing is padded, and no window's score depends on its company.
        asked = sentences or [()] * len(windows)
        return tuple(
            self._read(model, cut, window, top, own)
            for window, own in zip(windows, asked, strict=True)
        )

    def _read(
        self, model: _Model, question: str, window: str, top: int, sentences: Sequence[Span]
    ) -> Reading:
        tokens = model.tokenizer.encode(question, encodable(window))
        scores = model.scores(tokens.ids, tokens.type_ids)
        verdict = None
        if scores.verdicts is not None:
            odds = np.exp(scores.verdicts - scores.verdicts.max())
            verdict = Verdict(*(odds / odds.sum()).tolist())
        spans = _decode(scores.starts, scores.ends, tokens, top)
        if scores.sentence is None:
            return Reading(spans, verdict)
        ranges = [_tokens_of(tokens, sentence) for sentence in sentences]
        return Reading(spans, verdict, tuple(scores.sentence(*r) if r else None for r in ranges))

    def _load(self) -> _Model:
        with self._lock:
            if self._loaded is None:
                bundled = self.path == str(BUNDLED_READER)
                self._loaded = _bundled() if bundled else _from_hugging_face(self.path)
            return self._loaded


def load_reader(settings: Settings) -> Reader | None:
    """Return the reader that ``settings`` name, or None for none.

    Raises:
        ModelError: the bundled reader is missing.
    """
    return None if settings.reader_model is None else Reader(settings.reader_model)


def _bundled() -> _Model:
    """Load the bundled reader into ONNX Runtime."""
    encoder = Encoder(BUNDLED_READER)
    span, verdict, sentence = (
        (encoder.head[f"{name}.weight"], encoder.head[f"{name}.bias"])
        for name in ("qa_outputs", "verdict_outputs", "sentence_outputs")
    )

    def scores(ids: Sequence[int], types: Sequence[int]) -> _Scores:
        hidden = encoder.hidden(ids, types)
        starts, ends = (hidden @ span[0].T + span[1]).T

        def answers(first: int, end: int) -> float:
            pooled = np.concatenate([hidden[0], hidden[first:end].mean(0)])
            return float(pooled @ sentence[0][0] + sentence[1][0])

        return _Scores(starts, ends, hidden[0] @ verdict[0].T + verdict[1], answers)

    return _model(encoder.tokenizer, scores)


def _from_hugging_face(path: str) -> _Model:
    """Load any extractive-QA model with transformers."""
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    local = Path(path).is_dir()
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=local)
        model = AutoModelForQuestionAnswering.from_pretrained(path, local_files_only=local)
    except Exception as error:  # transformers raises anything from OSError to KeyError
        raise ModelError(
            f"The reader {path!r} cannot be loaded ({type(error).__name__}: {error}). "
            "Expected a Hugging Face extractive-QA model; Settings(reader_model="
            f"{BUNDLED!r}) uses the one that comes with article-qa."
        ) from error
    model = model.float().eval()
    typed = "token_type_ids" in tokenizer.model_input_names

    def scores(ids: Sequence[int], types: Sequence[int]) -> _Scores:
        inputs = {"input_ids": torch.tensor([ids])}
        if typed:
            inputs["token_type_ids"] = torch.tensor([types])
        with torch.inference_mode():
            output = model(**inputs)
        return _Scores(output.start_logits[0].numpy(), output.end_logits[0].numpy(), None, None)

    return _model(tokenizer.backend_tokenizer, scores)


def _model(plain: Tokenizer, scores: Callable[[Sequence[int], Sequence[int]], _Scores]) -> _Model:
    """Put a model together; a tokenizer whose truncation changes cannot be shared by threads."""
    tokenizer = type(plain).from_str(plain.to_str())
    tokenizer.enable_truncation(MAX_TOKENS, strategy="only_second")
    plain.no_truncation()
    return _Model(tokenizer, plain, scores)


def _cut(question: str, tokenizer: Tokenizer) -> str:
    """Leave room for a window."""
    if len(question) <= MAX_QUESTION_TOKENS:  # a token has a character at least
        return question
    offsets = tokenizer.encode(question, add_special_tokens=False).offsets
    if len(offsets) <= MAX_QUESTION_TOKENS:
        return question
    return question[: offsets[MAX_QUESTION_TOKENS - 1][1]]


def _tokens_of(tokens: Encoding, span: Span) -> tuple[int, int] | None:
    """Return the range of the window's tokens that a span of its text covers; None for none."""
    inside = [
        i
        for i, ((start, end), part) in enumerate(
            zip(tokens.offsets, tokens.sequence_ids, strict=True)
        )
        if part == 1 and start < span.end and span.start < end
    ]
    return (inside[0], inside[-1] + 1) if inside else None


def _decode(starts: Floats, ends: Floats, tokens: Encoding, top: int) -> tuple[ReadSpan, ...]:
    """Return the best spans of one window: whole words, at most ``MAX_ANSWER_TOKENS`` long."""
    offsets = tokens.offsets
    inside = np.array([i for i, s in enumerate(tokens.sequence_ids) if s == 1], dtype=np.intp)
    if not len(inside):
        return ()
    words = [tokens.word_ids[i] for i in inside]
    n = len(inside)
    first = np.array([i == 0 or words[i] != words[i - 1] for i in range(n)])
    last = np.array([i == n - 1 or words[i] != words[i + 1] for i in range(n)])
    start = np.where(first, starts[inside], -np.inf)
    end = np.where(last, ends[inside], -np.inf)
    length = np.arange(n)[None, :] - np.arange(n)[:, None]
    allowed = (length >= 0) & (length < MAX_ANSWER_TOKENS)
    scores = np.where(allowed, start[:, None] + end[None, :], -np.inf)
    null = float(starts[0] + ends[0])
    norm = _log_sum_exp(np.append(starts[inside], starts[0])) + _log_sum_exp(
        np.append(ends[inside], ends[0])
    )
    flat = scores.ravel()
    best = np.argsort(-flat, kind="stable")[:top]
    return tuple(
        ReadSpan(
            Span(offsets[inside[i // n]][0], offsets[inside[i % n]][1]),
            margin=float(flat[i]) - null,
            log_p=float(flat[i] - norm),
        )
        for i in best
        if np.isfinite(flat[i])
    )


def _log_sum_exp(values: Floats) -> float:
    peak = float(values.max())
    return peak + float(np.log(np.exp(values - peak).sum()))
