"""Train the reader: ``python -m article_qa.training --data FOLDER --work FOLDER``."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from article_qa.training.train import Recipe, ship, train


def main() -> None:
    """Parse the command line and train; run again with the same folders to resume."""
    parser = argparse.ArgumentParser(prog="python -m article_qa.training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of QA files")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--init", help="start from this model (default: the bundled encoder)")
    parser.add_argument("--pairs", type=int, default=Recipe.pairs)
    parser.add_argument("--batch", type=int, default=Recipe.batch)
    parser.add_argument("--learning-rate", type=float, default=Recipe.learning_rate)
    parser.add_argument("--dropout", type=float, default=Recipe.dropout)
    parser.add_argument("--bfloat16", action="store_true", help="on processors that have it")
    parser.add_argument("--ship", type=Path, help="also write it here, in half precision")
    parser.add_argument("--seed", type=int, default=Recipe.seed)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    recipe = Recipe(
        pairs=options.pairs,
        batch=options.batch,
        learning_rate=options.learning_rate,
        dropout=options.dropout,
        bfloat16=options.bfloat16,
        seed=options.seed,
    )
    model = train(options.data, options.work, recipe, options.init)
    print(model)
    if options.ship:
        ship(model, options.ship)


if __name__ == "__main__":
    main()
