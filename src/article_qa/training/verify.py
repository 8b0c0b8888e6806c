"""Train the verifier: ``python -m article_qa.training.verify --data FOLDER --work FOLDER``.

It starts from the reader's encoder, whose word embeddings it shares, and learns from groups of
candidates of one question (``model.sentence_loss``).
"""

from __future__ import annotations

import argparse
import itertools
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from article_qa.answering.reader import BUNDLED_READER
from article_qa.answering.verifier import Candidate, mark
from article_qa.retrieval.encoder import load_tokenizer
from article_qa.training.candidates import Group, candidate_of, make_groups, read_selqa
from article_qa.training.data import draw_examples, split_examples
from article_qa.training.fit import Recipe, batched, fit
from article_qa.training.graph import write_verifier
from article_qa.training.model import SpanReader, sentence_loss
from article_qa.training.pairs import sentences
from article_qa.training.typed import type_question
from article_qa.training.written import mixed, written_groups

log = logging.getLogger(__name__)

RECIPE = Recipe(steps=2800, decay=900, batch=8, learning_rate=1e-4, warmup=100, seed=1)

FROZEN_LAYERS = 2
"""Layers that stay the reader's: a fifth faster, and they know words, not answers."""

PARTS = 3
"""A batch's candidates are computed in so many parts, by length: less is padded."""

DEVELOPMENT = ("squadshifts_new_wiki", "squad2_six_articles", "tydiqa_en", "qadiscourse",
               "qed_nq_dev", "onestopqa")  # fmt: skip
SELQA = Path("sentence_selection") / "selqa.jsonl"

Marked = tuple[list[int], list[int]]


class SentenceVerifier(torch.nn.Module):
    """The encoder with one score, from [CLS] and the mean of the marked tokens.

    Args:
        folder: the reader to start from.
        dropout: of the hidden states while training.
    """

    def __init__(self, folder: Path, dropout: float = 0.0) -> None:
        super().__init__()
        reader = SpanReader(folder, dropout)
        self.bert = reader.bert
        self.answers = torch.nn.Linear(2 * reader.config.hidden_size, 1)
        torch.nn.init.normal_(self.answers.weight, std=reader.config.initializer_range)
        torch.nn.init.zeros_(self.answers.bias)

    def forward(self, ids: Any, types: Any, mask: Any = None) -> Any:
        """Return log-odds: (batch,); without a mask, of texts of one length."""
        hidden = self.bert(
            input_ids=ids, token_type_ids=types, attention_mask=mask
        ).last_hidden_state
        marked = types.unsqueeze(-1).float()
        mean = (hidden * marked).sum(1) / marked.sum(1).clamp(min=1)
        return self.answers(torch.cat([hidden[:, 0], mean], dim=-1)).squeeze(-1)


def pad(items: Sequence[Marked]) -> tuple[Any, Any, Any]:
    """Return token ids, types and attention mask: (batch, longest)."""
    shape = (len(items), max(len(ids) for ids, _ in items))
    ids, types, mask = (torch.zeros(shape, dtype=torch.long) for _ in range(3))
    for row, (own, kinds) in enumerate(items):
        ids[row, : len(own)] = torch.tensor(own)
        types[row, : len(own)] = torch.tensor(kinds)
        mask[row, : len(own)] = 1
    return ids, types, mask


def score(model: Any, tokenizer: Tokenizer, asked: Sequence[tuple[str, Candidate]]) -> Any:
    """Return the log-odds of each question with its candidate, in their order."""
    items = [mark(tokenizer, question, candidate) for question, candidate in asked]
    order = sorted(range(len(items)), key=lambda i: len(items[i][0]))
    size = -(-len(items) // PARTS)
    scores: list[Any] = [None] * len(items)
    for begin in range(0, len(order), size):
        part = order[begin : begin + size]
        for i, value in zip(part, model(*pad([items[i] for i in part])), strict=True):
            scores[i] = value
    return torch.stack(scores)


def loss_of(model: Any, tokenizer: Tokenizer, groups: Sequence[Group]) -> Any:
    """Return the mean cross-entropy of the candidates plus the weighted one of the groups."""
    scores = score(model, tokenizer, [(g.question, c) for g in groups for c in g.candidates])
    return sentence_loss(scores, [g.right for g in groups])


def batches(data: Path, written: Sequence[Group], recipe: Recipe) -> Iterator[list[Group]]:
    """Yield batches for ever, in an order that the seed fixes: draw after draw of the data, and
    while the learning rate falls two thirds of it what was written as people type.
    """
    general = _groups(data, recipe.seed)
    yield from itertools.islice(batched(general, _length, recipe), recipe.steps - recipe.decay)
    rest = mixed(written, general, recipe.seed) if written else general
    yield from batched(rest, _length, recipe)


def _groups(data: Path, seed: int) -> Iterator[Group]:
    training, _ = split_examples(data)
    selected, _ = read_selqa(data / SELQA)
    for draw in itertools.count(seed):
        rng = random.Random(draw)
        groups = make_groups(draw_examples(training, rng), draw) + selected
        rng.shuffle(groups)
        log.info("draw %d: %d groups", draw, len(groups))
        yield from groups


def _length(group: Group) -> int:
    return max(sum(map(len, candidate)) for candidate in group.candidates)


def train(
    data: Path,
    work: Path,
    written: Sequence[Group] = (),
    recipe: Recipe = RECIPE,
    init: Path = BUNDLED_READER,
) -> Any:
    """Train, going on from the checkpoint in ``work`` if there is one.

    Args:
        data: folder of question-answering files.
        work: folder for checkpoints; not inside the repository.
        written: questions as people type them, for the end.
        recipe: the hyper-parameters.
        init: the folder of the reader to start from.

    Returns:
        The model.
    """
    torch.manual_seed(recipe.seed)
    model = SentenceVerifier(init, recipe.dropout)
    model.bert.embeddings.requires_grad_(False)
    for layer in model.bert.encoder.layer[:FROZEN_LAYERS]:
        layer.requires_grad_(False)
    tokenizer = load_tokenizer(init)
    fit(model, batches(data, written, recipe), lambda m, b: loss_of(m, tokenizer, b), work, recipe)
    return model


def development_groups(data: Path, most: int, seed: int = 3) -> Iterator[tuple[str, list[Group]]]:
    """Yield held-out questions with all sentences of their context, by file."""
    _, development = split_examples(data)
    _, selected = read_selqa(data / SELQA)
    yield "selqa", random.Random(seed).sample(selected, min(most, len(selected)))
    for name in DEVELOPMENT:
        rng = random.Random(seed)
        rows = [e for e in development[name] if e.verdict in ("span", "none")]
        groups = []
        for e in rng.sample(rows, min(most, len(rows))):
            parts = sentences(e.context)
            right = tuple(any(s < end and a < t for a, end in e.answers) for s, t in parts)
            if len(parts) > 1 and (any(right) or not e.answers):
                found = tuple(candidate_of(e.context, parts, i) for i in range(len(parts)))
                groups.append(Group(type_question(e.question, rng), found, right))
        yield name, groups


@torch.inference_mode()
def measure(model: Any, tokenizer: Tokenizer, groups: Sequence[Group]) -> str:
    """Return how often the best candidate is right, and how well the best score tells questions
    with a right one from those without.
    """
    from sklearn.metrics import roc_auc_score

    model.eval()
    first, best, answerable = [], [], []
    for group in groups:
        scores = score(model, tokenizer, [(group.question, c) for c in group.candidates])
        answerable.append(any(group.right))
        best.append(float(scores.max()))
        if any(group.right):
            first.append(group.right[int(scores.argmax())])
    line = f"n {len(groups):4}  P@1 {100 * sum(first) / len(first):.1f}"
    if len(set(answerable)) == 2:
        line += f"  AUROC {roc_auc_score(answerable, best):.3f}"
    return line


def main() -> None:
    """Parse the command line, train, measure and ship; run again to resume."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of QA files")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--written", type=Path, help="folder of articles and typed questions")
    parser.add_argument("--init", type=Path, default=BUNDLED_READER, help="reader to start from")
    parser.add_argument("--steps", type=int, default=RECIPE.steps)
    parser.add_argument("--decay", type=int, default=RECIPE.decay)
    parser.add_argument("--most", type=int, default=300, help="measured questions of a file")
    parser.add_argument("--ship", type=Path, help="write it into this file, in 8 bits")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    recipe = replace(RECIPE, steps=options.steps, decay=options.decay)
    written = written_groups(options.written) if options.written else []
    model = train(options.data, options.work, written, recipe, options.init)
    if options.ship:
        write_verifier(model, options.ship)
    for name, groups in development_groups(options.data, options.most):
        print(f"{name:22} {measure(model, load_tokenizer(options.init), groups)}", flush=True)


if __name__ == "__main__":
    main()
