"""Train the reader: ``python -m article_qa.training --data FOLDER --work FOLDER --init MODEL``."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from article_qa.training.fit import Recipe
from article_qa.training.train import ship, train
from article_qa.training.written import written_pairs


def main() -> None:
    """Parse the command line and train; run again with the same folders to resume."""
    parser = argparse.ArgumentParser(prog="python -m article_qa.training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of QA files")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--init", type=Path, required=True, help="start from this model")
    parser.add_argument("--written", type=Path, help="folder of articles and typed questions")
    parser.add_argument("--steps", type=int, default=Recipe.steps)
    parser.add_argument("--decay", type=int, default=Recipe.decay)
    parser.add_argument("--batch", type=int, default=Recipe.batch)
    parser.add_argument("--learning-rate", type=float, default=Recipe.learning_rate)
    parser.add_argument("--dropout", type=float, default=Recipe.dropout)
    parser.add_argument("--ship", type=Path, help="also write it here, in half precision")
    parser.add_argument("--average", action="store_true", help="ship its mean with --init")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    options = vars(parser.parse_args())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    data, work, init, out = (options.pop(name) for name in ("data", "work", "init", "ship"))
    averaged, written = options.pop("average"), options.pop("written")
    pairs = written_pairs(written, options["seed"]) if written else []
    model = train(data, work, Recipe(**options), init, pairs)
    print(model)
    if out:
        ship([model, init] if averaged else [model], out)


if __name__ == "__main__":
    main()
