"""Fit a model by gradient descent, in a way that can be broken off and prolonged.

AdamW; the learning rate warms up, stays, and falls at the end (warm-up, stable, decay: Haegele et
al. 2024, 'Scaling laws and compute-optimal training beyond fixed training durations'), so that a
run can be prolonged from its stable part. The order of batches depends on the seed alone, so a
resumed run sees what an unbroken one would.
"""

from __future__ import annotations

import itertools
import logging
import math
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

log = logging.getLogger(__name__)

Batch = TypeVar("Batch")
T = TypeVar("T")


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
    checkpoint_every: int = 50

    def rate(self, step: int) -> float:
        """Return the learning rate's share of its peak at a step."""
        return min((step + 1) / self.warmup, 1.0, max(0.0, (self.steps - step) / self.decay))


def batched(items: Iterator[T], length: Callable[[T], int], recipe: Recipe) -> Iterator[list[T]]:
    """Yield batches of items of like length, so that little is padded, in an order that the seed
    fixes.

    Args:
        items: may be endless.
        length: of an item.
        recipe: has the size of a batch, and the seed.
    """
    rng = random.Random(recipe.seed)
    while part := list(itertools.islice(items, recipe.batch * 40)):
        part.sort(key=length)
        groups = [part[i : i + recipe.batch] for i in range(0, len(part), recipe.batch)]
        rng.shuffle(groups)
        yield from groups


def fit(
    model: Any,
    batches: Iterable[Batch],
    loss_of: Callable[[Any, Batch], Any],
    work: Path,
    recipe: Recipe,
) -> None:
    """Fit the parameters of a model that require gradients, in place.

    Goes on from the checkpoint in ``work`` if there is one. A checkpoint of the stable part serves
    a longer recipe too; one of the decay serves only its own, and is kept under another name.

    Args:
        model: a torch module.
        batches: endless, in an order that the recipe's seed fixes.
        loss_of: gives the loss of a batch.
        work: folder for checkpoints; not inside the repository.
        recipe: the hyper-parameters.
    """
    import torch

    work.mkdir(parents=True, exist_ok=True)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    step = _resume(work, recipe, model, optimizer)
    model.train()
    began, mean, first = time.perf_counter(), math.nan, step
    for batch in itertools.islice(batches, step, recipe.steps):
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
            seconds = (time.perf_counter() - began) / (step - first)
            log.info("step %d/%d loss %.3f, %.2f s a step", step, recipe.steps, mean, seconds)
        if step % recipe.checkpoint_every == 0:
            _keep(work, recipe, model, optimizer, step)


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
