"""The repository's root and a short article that many tests ask."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent
SEED = ROOT / "seeds" / "000_85ebba8beb37503f.txt"

FERRY = """The Heron Ferry

By Ada Okafor

Published March 3, 2020

The Heron ferry has crossed the Tamsin strait since 1987. It carries 240 passengers.

Captain Lena Marsh took command in 2015, after the death of her father, Otto Marsh. "The sea is \
patient," she said.

Critics say that the old boat is too slow. The council in Port Elby wants to replace it with an \
electric ship because diesel has become too dear.
"""
