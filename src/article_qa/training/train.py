"""Fit the reader: all-MiniLM-L6-v2's encoder with a span head, [CLS] meaning 'no answer here'.

Cross-entropy over start and end positions (Devlin et al. 2019, section 4.3), the target's mass
shared by the annotators' spans. AdamW, warm-up and linear decay, word embeddings frozen. Batches
hold pairs of like length. A question that comes again comes with other windows. The order of pairs
depends on the seed alone, so a resumed run sees what an unbroken one would.
"""

from __future__ import annotations

import itertools
import json
import logging
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from article_qa.training.data import Pair, load_examples, make_pairs

log = logging.getLogger(__name__)

MAX_TOKENS = 320


@dataclass(frozen=True)
class Encoded:
    """A pair as token ids; ``starts``/``ends`` are token positions, [0] for no answer."""

    ids: list[int]
    types: list[int]
    starts: list[int]
    ends: list[int]
    far: bool


@dataclass(frozen=True)
class Recipe:
    """What decides the result, besides the data."""

    pairs: int = 62_000
    batch: int = 16
    learning_rate: float = 2e-4
    warmup: float = 0.06
    weight_decay: float = 0.01
    dropout: float = 0.0
    bfloat16: bool = False
    """Multiply matrices in half precision: twice as fast on processors that have it."""
    seed: int = 0
    checkpoint_every: int = 250


def encode(pairs: Sequence[Pair], tokenizer: Any) -> list[Encoded]:
    """Tokenise pairs and map their character spans to token positions."""
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
            if found or not pair.spans:
                starts, ends = zip(*(found or [(0, 0)]), strict=True)
                ids, types = batch["input_ids"][row], batch["token_type_ids"][row]
                result.append(Encoded(ids, types, list(starts), list(ends), pair.far))
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


def draw(data: Path, recipe: Recipe) -> list[Pair]:
    """Return the recipe's pairs: the data drawn as often as it takes, each time anew."""
    pairs: list[Pair] = []
    for seed in itertools.count(recipe.seed):
        if len(pairs) >= recipe.pairs:
            break
        pairs += make_pairs(load_examples(data, seed), seed)
    return pairs[: recipe.pairs]


def batches(encoded: Sequence[Encoded], recipe: Recipe) -> list[list[Encoded]]:
    """Group pairs of like length, in an order that the seed fixes."""
    rng = random.Random(recipe.seed)
    keys = [rng.random() - (0.35 if e.far else 0.0) for e in encoded]
    order = sorted(range(len(encoded)), key=keys.__getitem__)
    result = []
    span = recipe.batch * 40
    for begin in range(0, len(order), span):
        part = sorted(order[begin : begin + span], key=lambda i: (len(encoded[i].ids), i))
        groups = [part[i : i + recipe.batch] for i in range(0, len(part), recipe.batch)]
        rng.shuffle(groups)
        result += [[encoded[i] for i in group] for group in groups]
    return result


def collate(batch: Sequence[Encoded]) -> tuple[dict[str, Any], Any, Any]:
    """Pad a batch; return model inputs and the start and end target distributions."""
    import torch

    width = max(len(e.ids) for e in batch)
    shape = (len(batch), width)
    inputs = {
        name: torch.zeros(shape, dtype=torch.long)
        for name in ("input_ids", "token_type_ids", "attention_mask")
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
    """Return the mean cross-entropy of start and end positions."""
    import torch

    inputs, starts, ends = collate(batch)
    output = model(**inputs)
    padding = inputs["attention_mask"] == 0
    total = 0.0
    for logits, target in ((output.start_logits, starts), (output.end_logits, ends)):
        log_p = torch.log_softmax(logits.float().masked_fill(padding, -1e4), dim=-1)
        total = total - (target * log_p).sum(-1).mean() / 2
    return total


def train(data: Path, work: Path, recipe: Recipe, init: str | None = None) -> Path:
    """Train, resuming from the checkpoint in ``work`` if there is one.

    Args:
        data: folder of question-answering files.
        work: folder for checkpoints and the log; not inside the repository.
        recipe: the hyper-parameters.
        init: start from this model's weights; None for the bundled embedding model's encoder.

    Returns:
        The folder of the finished model, in Hugging Face format.
    """
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    from article_qa.embeddings import bundled_folder

    torch.manual_seed(recipe.seed)
    work.mkdir(parents=True, exist_ok=True)
    source = init or str(bundled_folder())
    tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True)
    model = AutoModelForQuestionAnswering.from_pretrained(
        source,
        local_files_only=True,
        dtype=torch.float32,
        hidden_dropout_prob=recipe.dropout,
        attention_probs_dropout_prob=0.0,
    )
    model.bert.embeddings.requires_grad_(False)
    plan = batches(encode(draw(data, recipe), tokenizer), recipe)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    warm = max(1, int(len(plan) * recipe.warmup))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda s: min((s + 1) / warm, max(0.0, (len(plan) - s) / (len(plan) - warm)))
    )
    checkpoint = work / "checkpoint.pt"
    step = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        step = state["step"]
        torch.set_rng_state(state["rng"])
    model.train()
    began, mean, first = time.perf_counter(), math.nan, step
    while step < len(plan):
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
            loss = loss_of(model, plan[step])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        step += 1
        value = loss.item()
        mean = value if math.isnan(mean) else 0.98 * mean + 0.02 * value
        if step % 25 == 0:
            rate = (step - first) * recipe.batch / (time.perf_counter() - began)
            log.info("step %d/%d loss %.3f, %.1f pairs/s", step, len(plan), mean, rate)
        if step % recipe.checkpoint_every == 0:
            state = {
                "model": model.state_dict(),
                "rng": torch.get_rng_state(),
                "optimizer": optimizer.state_dict(),
                "schedule": schedule.state_dict(),
                "step": step,
            }
            torch.save(state, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
    out = work / "model"
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    (out / "recipe.json").write_text(json.dumps(vars(recipe), indent=1) + "\n", "utf-8")
    return out


def ship(model: Path, out: Path) -> None:
    """Write a trained model in half precision, half the size; it is read in single precision.

    Args:
        model: what ``train`` returned.
        out: the folder to write, ``article_qa/models/reader`` for the bundled reader.
    """
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    AutoModelForQuestionAnswering.from_pretrained(model).half().save_pretrained(out)
    AutoTokenizer.from_pretrained(model).save_pretrained(out)
