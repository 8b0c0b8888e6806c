"""Fit the reader.

Cross-entropy over start and end positions, the target's mass shared by the annotators' spans, and
over verdicts. AdamW, word embeddings frozen; the learning rate warms up, stays, and falls at the
end (warm-up, stable, decay: Haegele et al. 2024, 'Scaling laws and compute-optimal training beyond
fixed training durations'), so that a run can be prolonged from its stable part. Batches hold pairs
of like length. A question that comes again comes with other windows. The order of pairs depends on
the seed alone, so a resumed run sees what an unbroken one would.
"""

from __future__ import annotations

import itertools
import json
import logging
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from article_qa.training.data import draw_examples, split_examples
from article_qa.training.pairs import Pair, make_pairs

log = logging.getLogger(__name__)

MAX_TOKENS = 320

VERDICT_WEIGHT = 0.5
"""Weight of the verdicts' loss beside the spans'."""


@dataclass(frozen=True)
class Encoded:
    """A pair as token ids; ``starts``/``ends`` are token positions, [0] for no answer, empty for
    a yes or a no.
    """

    ids: list[int]
    types: list[int]
    starts: list[int]
    ends: list[int]
    verdict: int


@dataclass(frozen=True)
class Recipe:
    """What decides the result, besides the data."""

    steps: int = 2500
    decay: int = 600
    """The last so many steps, over which the learning rate falls to 0."""
    batch: int = 16
    learning_rate: float = 1.5e-4
    warmup: int = 150
    weight_decay: float = 0.01
    dropout: float = 0.05
    seed: int = 0
    checkpoint_every: int = 100

    def rate(self, step: int) -> float:
        """Return the learning rate's share of its peak at a step."""
        return min((step + 1) / self.warmup, 1.0, max(0.0, (self.steps - step) / self.decay))


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
            found = _locate(pair.spans, batch["offset_mapping"][row], batch.sequence_ids(row))
            if pair.verdict == "span" and not found:
                continue
            if pair.verdict == "none":
                found = [(0, 0)]
            ids = batch["input_ids"][row]
            types = batch["token_type_ids"][row] if "token_type_ids" in batch else [0] * len(ids)
            result.append(
                Encoded(ids, types, [s for s, _ in found], [e for _, e in found],
                        VERDICTS.index(pair.verdict))
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


def batches(data: Path, tokenizer: Any, recipe: Recipe) -> Iterator[list[Encoded]]:
    """Yield batches for ever: draw after draw of the data, in an order that the seed fixes."""
    training, _ = split_examples(data)
    for seed in itertools.count(recipe.seed):
        rng = random.Random(seed)
        encoded = encode(make_pairs(draw_examples(training, rng), seed), tokenizer)
        log.info("draw %d: %d pairs", seed, len(encoded))
        span = recipe.batch * 40
        for begin in range(0, len(encoded), span):
            part = sorted(encoded[begin : begin + span], key=lambda e: len(e.ids))
            groups = [part[i : i + recipe.batch] for i in range(0, len(part), recipe.batch)]
            rng.shuffle(groups)
            yield from groups


def collate(batch: Sequence[Encoded], padding: int) -> tuple[dict[str, Any], Any, Any, Any]:
    """Pad a batch; return model inputs and the start, end and verdict targets."""
    import torch

    width = max(len(e.ids) for e in batch)
    shape = (len(batch), width)
    inputs = {
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
    return inputs, starts, ends, torch.tensor([e.verdict for e in batch])


def loss_of(model: Any, batch: Sequence[Encoded]) -> Any:
    """Return the mean cross-entropy of start and end positions plus the weighted verdicts'."""
    import torch

    inputs, starts, ends, verdicts = collate(batch, model.config.pad_token_id)
    start_logits, end_logits, verdict_logits = model(**inputs)
    padding = inputs["attention_mask"] == 0
    total = VERDICT_WEIGHT * torch.nn.functional.cross_entropy(verdict_logits, verdicts)
    for logits, target in ((start_logits, starts), (end_logits, ends)):
        log_p = torch.log_softmax(logits.masked_fill(padding, -1e4), dim=-1)
        total = total - (target * log_p).sum(-1).mean() / 2
    return total


def train(data: Path, work: Path, recipe: Recipe, init: Path) -> Path:
    """Train, resuming from the checkpoint in ``work`` if there is one.

    A checkpoint of the stable part serves a longer recipe too; one of the decay serves only its
    own, and is kept under another name.

    Args:
        data: folder of question-answering files.
        work: folder for checkpoints and the log; not inside the repository.
        recipe: the hyper-parameters.
        init: the folder of the model whose weights to start from.

    Returns:
        The folder of the finished model, in Hugging Face format.
    """
    import torch
    from transformers import AutoTokenizer

    from article_qa.training.model import SpanReader

    torch.manual_seed(recipe.seed)
    work.mkdir(parents=True, exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(init, local_files_only=True)
    model = SpanReader(init, recipe.dropout)
    model.bert.embeddings.requires_grad_(False)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    step = _resume(work, recipe, model, optimizer)
    model.train()
    began, mean, first = time.perf_counter(), math.nan, step
    for batch in itertools.islice(batches(data, tokenizer, recipe), step, recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * recipe.rate(step)
        loss = loss_of(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        mean = loss.item() if math.isnan(mean) else 0.98 * mean + 0.02 * loss.item()
        if step % 25 == 0:
            rate = (step - first) * recipe.batch / (time.perf_counter() - began)
            log.info("step %d/%d loss %.3f, %.1f pairs/s", step, recipe.steps, mean, rate)
        if step % recipe.checkpoint_every == 0:
            _keep(work, recipe, model, optimizer, step)
    out = work / "model"
    model.save(out)
    tokenizer.save_pretrained(out)
    (out / "recipe.json").write_text(json.dumps(vars(recipe), indent=1) + "\n", "utf-8")
    return out


def _checkpoints(work: Path, recipe: Recipe) -> tuple[Path, Path]:
    """Return where the decay's checkpoint and the stable part's are."""
    return work / f"decay-{recipe.steps}.pt", work / "stable.pt"


def _resume(work: Path, recipe: Recipe, model: Any, optimizer: Any) -> int:
    """Load the newest checkpoint that fits, and return its step; 0 where there is none."""
    import torch

    for path in _checkpoints(work, recipe):
        if path.exists():
            state = torch.load(path, weights_only=True)
            model.load_state_dict(state["model"])
            optimizer.load_state_dict(state["optimizer"])
            torch.set_rng_state(state["rng"])
            return int(state["step"])
    return 0


def _keep(work: Path, recipe: Recipe, model: Any, optimizer: Any, step: int) -> None:
    import torch

    falling, stable = _checkpoints(work, recipe)
    path = falling if step > recipe.steps - recipe.decay else stable
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "rng": torch.get_rng_state(),
        "step": step,
    }
    torch.save(state, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


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
