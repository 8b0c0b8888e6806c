"""Print what a reader does with the development data, given the right paragraph.

Run ``python -m article_qa.training.measure --data FOLDER [--reader MODEL]``.

For each file: exact match and F1 of the answerable questions with a span forced (Rajpurkar et al.
2016), as they are and as people type them; the area under the ROC curve of answerable against not,
by margin and by verdict; and the share of yes/no questions told right.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from article_qa.answering.reader import Reader
from article_qa.evaluation.metrics import exact_match, token_f1
from article_qa.training.data import Example, split_examples
from article_qa.training.typed import type_question

FILES = ("squadshifts_new_wiki", "squad2_six_articles", "tydiqa_en", "repliqa", "qed_nq_dev",
         "onestopqa", "boolq_dev_yesno", "boolq_elehman_yesno")  # fmt: skip


def measure(reader: Reader, examples: Sequence[Example], *, typed: bool, seed: int) -> str:
    """Return one file's figures as a line.

    Args:
        reader: what is measured.
        examples: questions with the paragraph they are asked of.
        typed: ask as people type.
        seed: of the typing.
    """
    from sklearn.metrics import roc_auc_score

    rng = random.Random(seed)
    exact, f1, answerable, margins, verdicts, polar = [], [], [], [], [], []
    for example in examples:
        question = type_question(example.question, rng) if typed else example.question
        (reading,) = reader.read(question, [example.context], 1)
        verdict = reading.verdict
        if example.verdict in ("yes", "no"):
            if verdict is not None:
                polar.append((verdict.yes > verdict.no) == (example.verdict == "yes"))
            continue
        if not reading.spans:
            continue
        best = reading.spans[0]
        answerable.append(example.verdict == "span")
        margins.append(best.margin)
        verdicts.append(0.0 if verdict is None else 1 - verdict.none)
        if example.verdict == "span":
            golds = [example.context[s:e] for s, e in example.answers]
            words = example.context[best.span.start : best.span.end]
            exact.append(exact_match(words, golds))
            f1.append(token_f1(words, golds))
    parts = [f"n {len(examples):4}"]
    if f1:
        parts.append(f"EM {100 * sum(exact) / len(exact):.1f} F1 {100 * sum(f1) / len(f1):.1f}")
    if len(set(answerable)) == 2:
        parts.append(
            f"AUROC by margin {roc_auc_score(answerable, margins):.3f}, "
            f"by verdict {roc_auc_score(answerable, verdicts):.3f}"
        )
    if polar:
        parts.append(f"yes/no {100 * sum(polar) / len(polar):.1f}")
    return "  ".join(parts)


def lines(folder: Path, reader: Reader, most: int, seed: int) -> Iterator[str]:
    """Yield a line for each file, as asked and as typed."""
    _, development = split_examples(folder)
    for name in FILES:
        rows = development.get(name, [])
        rows = random.Random(seed).sample(rows, min(len(rows), most))
        for typed in (False, True) if rows else ():
            figures = measure(reader, rows, typed=typed, seed=seed)
            yield f"{name:22} {'typed' if typed else 'clean'}  {figures}"


def main() -> None:
    """Parse the command line and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of QA files")
    parser.add_argument("--reader", default="bundled", help="reader model (default: bundled)")
    parser.add_argument("--most", type=int, default=200, help="questions of a file at most")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for line in lines(options.data, Reader(options.reader), options.most, options.seed):
        print(line, flush=True)


if __name__ == "__main__":
    main()
