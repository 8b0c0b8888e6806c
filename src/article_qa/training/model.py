"""The reader as it is trained: one encoder; heads for spans, for the window and for its sentences.

The span head scores each token as the first and the last of the answer, position 0 as 'no answer
here' (Devlin et al. 2019, section 4.3); the verdict head tells from position 0 whether the window
holds no answer, an answer in its words, a yes or a no (the answer types of Alberti et al. 2019,
'A BERT baseline for the Natural Questions'). The sentence head tells from position 0 and the mean
of a sentence's tokens whether that sentence answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import torch
from transformers import AutoConfig, AutoModel

from article_qa.training.data import Verdict

CHOICE_WEIGHT = 0.5
"""Weight of choosing among a question's sentences beside the cross-entropy of each."""

HEADS = ("qa_outputs", "verdict_outputs", "sentence_outputs")
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class SpanReader(torch.nn.Module):
    """A BERT encoder with its heads.

    Args:
        folder: a model in Hugging Face format; heads that it has not are drawn anew.
        dropout: of the hidden states while training.
    """

    def __init__(self, folder: Path, dropout: float = 0.0) -> None:
        super().__init__()
        from safetensors.torch import load_file

        self.config = AutoConfig.from_pretrained(folder, local_files_only=True)
        self.config.hidden_dropout_prob = dropout
        self.config.attention_probs_dropout_prob = 0.0
        self.bert = AutoModel.from_config(self.config, add_pooling_layer=False).float()
        self.qa_outputs = torch.nn.Linear(self.config.hidden_size, 2)
        self.verdict_outputs = torch.nn.Linear(self.config.hidden_size, len(VERDICTS))
        self.sentence_outputs = torch.nn.Linear(2 * self.config.hidden_size, 1)
        for head in (self.qa_outputs, self.verdict_outputs, self.sentence_outputs):
            torch.nn.init.normal_(head.weight, std=self.config.initializer_range)
            torch.nn.init.zeros_(head.bias)
        weights = {
            name if name.split(".")[0] in ("bert", *HEADS) else f"bert.{name}": value.float()
            for name, value in load_file(folder / "model.safetensors").items()
        }  # fmt: skip
        wanted = self.state_dict()
        self.load_state_dict({n: weights.get(n, value) for n, value in wanted.items()})

    def forward(
        self, input_ids: Any, token_type_ids: Any, attention_mask: Any, sentences: Any
    ) -> Any:
        """Return start and end logits (batch, tokens), verdict logits (batch, verdicts) and the
        log-odds of the sentences (sentences,), given as (row, first token, end) each.
        """
        hidden = self.bert(
            input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=attention_mask
        ).last_hidden_state
        starts, ends = self.qa_outputs(hidden).unbind(-1)
        verdicts = self.verdict_outputs(hidden[:, 0])
        if not sentences:
            return starts, ends, verdicts, hidden.new_zeros(0)
        pooled = torch.stack(
            [torch.cat([hidden[row, 0], hidden[row, a:b].mean(0)]) for row, a, b in sentences]
        )
        return starts, ends, verdicts, self.sentence_outputs(pooled).squeeze(-1)

    def save(self, folder: Path, *, half: bool = False) -> None:
        """Write configuration and weights; in half precision if asked."""
        from safetensors.torch import save_file

        folder.mkdir(parents=True, exist_ok=True)
        state = {n: (v.half() if half else v).contiguous() for n, v in self.state_dict().items()}
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
        self.config.save_pretrained(folder)


def average(folders: Sequence[Path]) -> SpanReader:
    """Return the mean of readers that were trained from one another; a head that only some have
    is the mean of theirs.

    Weights of one ancestor lie in one basin, and their mean reads better than each (Wortsman et
    al. 2022, 'Model soups').
    """
    from safetensors.torch import load_file

    mean = SpanReader(folders[0])
    parts = [(SpanReader(f).state_dict(), set(load_file(f / "model.safetensors"))) for f in folders]
    mean.load_state_dict({
        name: torch.stack([state[name] for state, own in parts if name in own]).mean(0)
        if any(name in own for _, own in parts)
        else value
        for name, value in mean.state_dict().items()
    })  # fmt: skip
    return mean


def sentence_loss(scores: Any, right: Sequence[Sequence[bool]]) -> Any:
    """Return the mean cross-entropy of sentences, each right or wrong by itself, plus the weighted
    one of choosing the right among its question's (ListNet's top one: Cao et al. 2007, 'Learning to
    rank: from pairwise to listwise approach').

    Args:
        scores: log-odds of all questions' sentences, one after the other: (sentences,).
        right: for each question which of its sentences answer; not all empty.
    """
    truth = torch.tensor([float(own) for group in right for own in group])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, truth)
    sizes = [len(group) for group in right]
    chosen = [
        torch.logsumexp(own, 0) - torch.logsumexp(own[gold > 0], 0)
        for own, gold in zip(torch.split(scores, sizes), torch.split(truth, sizes), strict=True)
        if 0 < gold.sum() < len(gold)
    ]
    return loss + CHOICE_WEIGHT * torch.stack(chosen).mean() if chosen else loss
