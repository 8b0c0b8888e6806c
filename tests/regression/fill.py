"""Complete questions that were written by hand: ``python tests/regression/fill.py``.

Reads every ``*.jsonl`` beside this file (or the files named on the command line), fills in what a
person need not write (see README.md), and writes the file back, one question a line, keys in a
fixed order. Running it twice changes nothing. A quote that does not stand in its article, or stands
there more than once, is an error that names the line.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ARTICLE_FOLDERS = (ROOT / "seeds", HERE / "articles")
DEV_SHARE = 0.4
"""Share of each kind that is for choosing thresholds; the rest is for reporting."""

KINDS = (
    "who", "when", "where", "howmany", "why", "how", "what", "said", "list", "paraphrase",
    "metadata", "caption", "followup", "overview", "yesno",
    "offtopic", "ontopic", "presupposition", "nearmiss", "hostile",
)  # fmt: skip
KEYS = ("id", "article", "kind", "split", "question", "turns", "answers", "quotes", "answerable")

Row = dict[str, Any]


def article_text(article_id: str) -> str:
    """Return an article's text as quotes count in it: UTF-8, newlines normalised to ``\\n``.

    Raises:
        ValueError: no file, or more than one, has this name without its suffix.
    """
    found = [path for folder in ARTICLE_FOLDERS for path in sorted(folder.glob(f"{article_id}.*"))]
    if len(found) != 1:
        raise ValueError(f"expected one article file named {article_id}.*, found {len(found)}")
    text = found[0].read_bytes().decode("utf-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def fill_quote(quote: str | Row, text: str) -> Row:
    """Return a quote as ``{"text", "start", "end"}``; ``occurrence`` (from 1) chooses a repeat.

    White space matches white space, so a line break may be written as a blank; ``text`` becomes
    what the article has.

    Raises:
        ValueError: the words do not stand in the article, or stand there more often than once and
            no occurrence was given, or the offsets given belong to other words.
    """
    if isinstance(quote, str):
        quote = {"text": quote}
    words = quote["text"]
    if "start" in quote:
        if text[quote["start"] : quote["end"]] != words:
            raise ValueError(f"offsets do not belong to {words!r}: remove them and run this again")
        return {"text": words, "start": quote["start"], "end": quote["end"]}
    pattern = r"\s+".join(re.escape(word) for word in words.split())
    found = list(re.finditer(pattern, text)) if pattern else []
    if not found:
        raise ValueError(f"the article does not say {words!r}, letter for letter")
    if len(found) > 1 and "occurrence" not in quote:
        raise ValueError(f"{words!r} stands {len(found)} times: quote more, or add 'occurrence'")
    chosen = found[quote.get("occurrence", 1) - 1]
    return {"text": chosen[0], "start": chosen.start(), "end": chosen.end()}


def fill_row(row: Row, text: str) -> Row:
    """Return a question with its defaults, offsets and key order; ``split`` is left as it is."""
    groups = row.get("quotes", [])
    if groups and not isinstance(groups[0], list):
        groups = [groups]
    filled = {
        **row,
        "answers": row.get("answers", []),
        "quotes": [[fill_quote(quote, text) for quote in group] for group in groups],
        "answerable": row.get("answerable", bool(groups)),
    }
    if unknown := set(filled) - set(KEYS):
        raise ValueError(f"unknown keys {sorted(unknown)}; known are {', '.join(KEYS)}")
    return {key: filled[key] for key in KEYS if key in filled}


def draw_splits(rows: list[Row]) -> None:
    """Give each question without a split one, in place: blind, repeatable, even within a kind.

    The order is that of the SHA-256 of the ids, so nobody chooses; a question that has a split
    keeps it for good.
    """
    seen = Counter((row["kind"], row["split"]) for row in rows if "split" in row)
    open_rows = [row for row in rows if "split" not in row]
    for row in sorted(open_rows, key=lambda row: hashlib.sha256(row["id"].encode()).hexdigest()):
        kind = row["kind"]
        dev, test = seen[kind, "dev"], seen[kind, "test"]
        row["split"] = "dev" if dev + 1 <= DEV_SHARE * (dev + test + 1) + 0.5 else "test"
        seen[kind, row["split"]] += 1


def fill_file(path: Path) -> None:
    """Complete one file of questions.

    Raises:
        ValueError: a line cannot be completed; the message names file and line.
    """
    rows: list[Row] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            rows.append(fill_row(row, article_text(row["article"])))
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f"{path.name}:{number}: {error}") from error
    draw_splits(rows)
    lines = (json.dumps({k: row[k] for k in KEYS if k in row}, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def main(names: list[str]) -> int:
    """Complete the named files, or all; return the exit status."""
    try:
        for path in [Path(name) for name in names] or sorted(HERE.glob("*.jsonl")):
            fill_file(path)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
