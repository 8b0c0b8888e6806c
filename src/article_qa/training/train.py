"""Fit the reader.

Cross-entropy over start and end positions, the target's mass shared by the annotators' spans, over
verdicts, and over each sentence of a window; word embeddings stay as they are. Batches hold pairs
of like length. A question that comes again comes with other windows.
"""

from __future__ import annotations

import itertools
import json
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from article_qa.training.data import draw_examples, split_examples
from article_qa.training.fit import Recipe, batched, fit
from article_qa.training.pairs import Pair, make_pairs
from article_qa.training.written import mixed

log = logging.getLogger(__name__)

MAX_TOKENS = 320

VERDICT_WEIGHT = 0.5
"""Weight of the verdicts' loss beside the spans'."""

SENTENCE_WEIGHT = 0.7
"""Weight of the sentences' loss."""


@dataclass(frozen=True)
class Encoded:
    """A pair as token ids; ``starts``/``ends`` are token positions, [0] for no answer, empty for
    a yes or a no. ``sentences`` are (first token, end, whether it answers).
    """

    ids: list[int]
    types: list[int]
    starts: list[int]
    ends: list[int]
    verdict: int
    sentences: list[tuple[int, int, bool]]


def encode(pairs: Sequence[Pair], tokenizer: Any) -> list[Encoded]:
    """Tokenise pairs and map their character spans to token positions."""
    from article_qa.training.model import VERDICTS

    result = []
    for begin in range(0, len(pairs), 1000):
        chunk = pairs[begin : begin + 1000]
        batch = tokenizer(
            [p.question for p in chunk],
            [p.window for p in chunk],
            truncation="only_second",
            max_length=MAX_TOKENS,
            return_offsets_mapping=True,
        )
        for row, pair in enumerate(chunk):
            offsets, parts = batch["offset_mapping"][row], batch.sequence_ids(row)
            found = _locate(pair.spans, offsets, parts)
            if pair.verdict == "span" and not found:
                continue
            if pair.verdict == "none":
                found = [(0, 0)]
            ids = batch["input_ids"][row]
            types = batch["token_type_ids"][row] if "token_type_ids" in batch else [0] * len(ids)
            result.append(
                Encoded(ids, types, [s for s, _ in found], [e for _, e in found],
                        VERDICTS.index(pair.verdict), _marked(pair, offsets, parts))
            )  # fmt: skip
    return result


def _locate(
    spans: Sequence[tuple[int, int]], offsets: Sequence[tuple[int, int]], ids: Sequence[int | None]
) -> list[tuple[int, int]]:
    """Return the token positions that cover each character span and lie in the window."""
    found = []
    for start, end in spans:
        tokens = [i for i, (s, e) in enumerate(offsets) if ids[i] == 1 and s < end and start < e]
        if tokens and offsets[tokens[-1]][1] >= end:
            found.append((tokens[0], tokens[-1]))
    return found


def _marked(
    pair: Pair, offsets: Sequence[tuple[int, int]], ids: Sequence[int | None]
) -> list[tuple[int, int, bool]]:
    """Return the token ranges of the sentences that lie in the window, and which answer."""
    return [
        (first, last + 1, right)
        for start, end, right in pair.marked()
        for first, last in _locate([(start, len(pair.window[:end].rstrip()))], offsets, ids)
    ]


def batches(
    data: Path, written: Sequence[Pair], tokenizer: Any, recipe: Recipe
) -> Iterator[list[Encoded]]:
    """Yield batches for ever, in an order that the seed fixes: draw after draw of the data, and
    while the learning rate falls two thirds of it what was written as people type.
    """
    general = _encoded(data, tokenizer, recipe.seed)
    yield from itertools.islice(batched(general, _length, recipe), recipe.steps - recipe.decay)
    own = encode(written, tokenizer)
    rest = mixed(own, general, recipe.seed) if own else general
    yield from batched(rest, _length, recipe)


def _length(encoded: Encoded) -> int:
    return len(encoded.ids)


def _encoded(data: Path, tokenizer: Any, seed: int) -> Iterator[Encoded]:
    training, _ = split_examples(data)
    for draw in itertools.count(seed):
        rng = random.Random(draw)
        encoded = encode(make_pairs(draw_examples(training, rng), draw), tokenizer)
        log.info("draw %d: %d pairs", draw, len(encoded))
        yield from encoded


def collate(batch: Sequence[Encoded], padding: int) -> tuple[dict[str, Any], Any, Any]:
    """Pad a batch; return model inputs and the start and end targets."""
    import torch

    width = max(len(e.ids) for e in batch)
    shape = (len(batch), width)
    inputs: dict[str, Any] = {
        "sentences": [(row, a, b) for row, e in enumerate(batch) for a, b, _ in e.sentences],
        "input_ids": torch.full(shape, padding, dtype=torch.long),
        "token_type_ids": torch.zeros(shape, dtype=torch.long),
        "attention_mask": torch.zeros(shape, dtype=torch.long),
    }
    starts, ends = torch.zeros(shape), torch.zeros(shape)
    for row, e in enumerate(batch):
        n = len(e.ids)
        inputs["input_ids"][row, :n] = torch.tensor(e.ids)
        inputs["token_type_ids"][row, :n] = torch.tensor(e.types)
        inputs["attention_mask"][row, :n] = 1
        for start, end in zip(e.starts, e.ends, strict=True):
            starts[row, start] += 1 / len(e.starts)
            ends[row, end] += 1 / len(e.ends)
    return inputs, starts, ends


def loss_of(model: Any, batch: Sequence[Encoded]) -> Any:
    """Return the mean cross-entropy of start and end positions plus the weighted verdicts' and
    sentences'.
    """
    import torch

    from article_qa.training.model import sentence_loss

    inputs, starts, ends = collate(batch, model.config.pad_token_id)
    start_logits, end_logits, verdict_logits, scores = model(**inputs)
    padding = inputs["attention_mask"] == 0
    verdicts = torch.tensor([e.verdict for e in batch])
    total = VERDICT_WEIGHT * torch.nn.functional.cross_entropy(verdict_logits, verdicts)
    right = [[right for *_, right in e.sentences] for e in batch]
    if any(right):
        total = total + SENTENCE_WEIGHT * sentence_loss(scores, right)
    for logits, target in ((start_logits, starts), (end_logits, ends)):
        log_p = torch.log_softmax(logits.masked_fill(padding, -1e4), dim=-1)
        total = total - (target * log_p).sum(-1).mean() / 2
    return total


def train(data: Path, work: Path, recipe: Recipe, init: Path, written: Sequence[Pair] = ()) -> Path:
    """Train the reader, going on from the checkpoint in ``work`` if there is one.

    Args:
        data: folder of question-answering files.
        work: folder for checkpoints; not inside the repository.
        recipe: the hyper-parameters.
        init: the folder of the model whose weights to start from.
        written: questions as people type them, for the end.

    Returns:
        The folder of the finished model, in Hugging Face format.
    """
    import torch
    from transformers import AutoTokenizer

    from article_qa.training.model import SpanReader

    torch.manual_seed(recipe.seed)
    tokenizer = AutoTokenizer.from_pretrained(init, local_files_only=True)
    model = SpanReader(init, recipe.dropout)
    model.bert.embeddings.requires_grad_(False)
    fit(model, batches(data, written, tokenizer, recipe), loss_of, work, recipe)
    out = work / "model"
    model.save(out)
    tokenizer.save_pretrained(out)
    (out / "recipe.json").write_text(json.dumps(vars(recipe), indent=1) + "\n", "utf-8")
    return out


def ship(models: Sequence[Path], out: Path) -> None:
    """Write the mean of trained models in half precision, half the size; it is read in single.

    Args:
        models: what ``train`` returned, and what it started from; at least one.
        out: the folder to write, ``article_qa/models/reader`` for the bundled reader.
    """
    from transformers import AutoTokenizer

    from article_qa.training.model import average

    average(models).save(out, half=True)
    AutoTokenizer.from_pretrained(models[0]).save_pretrained(out)
