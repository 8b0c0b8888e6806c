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
from functools import cache
from pathlib import Path
from typing import Any

from article_qa.reading.article import read_article

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ARTICLE_FOLDERS = (ROOT / "seeds", HERE / "articles")
DEV_SHARE = 0.4
"""Share of each kind that is for choosing thresholds; the rest is for reporting."""

KINDS = (
    "who", "when", "where", "howmany", "why", "how", "what", "said", "list", "paraphrase",
    "metadata", "caption", "followup", "overview", "yesno",
    "offtopic", "ontopic", "presupposition", "nearmiss", "hostile", "feedback",
)  # fmt: skip
KEYS = ("id", "article", "kind", "split", "question", "turns", "answers", "quotes", "answerable")
FEEDBACK_KEYS = ("verdict", "time")
"""Further keys that a question made from a reader's feedback has."""

Row = dict[str, Any]


@cache
def article_text(article_id: str) -> str:
    """Return the text that offsets point into, ``Article.text``.

    Raises:
        ValueError: no file, or more than one, has this name without its suffix.
    """
    found = [path for folder in ARTICLE_FOLDERS for path in sorted(folder.glob(f"{article_id}.*"))]
    if len(found) != 1:
        raise ValueError(f"expected one article file named {article_id}.*, found {len(found)}")
    return read_article(found[0]).text


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
    number = quote.get("occurrence", 1)
    if not 1 <= number <= len(found):
        raise ValueError(f"{words!r} stands {len(found)} times: there is no occurrence {number}")
    chosen = found[number - 1]
    return {"text": chosen[0], "start": chosen.start(), "end": chosen.end()}


def fill_row(row: Row, text: str) -> Row:
    """Return a question with its defaults and offsets; ``split`` is left as it is.

    Raises:
        ValueError: a key is missing or unknown, the kind is unknown, or quotes are missing or too
            many; or as ``fill_quote``.
    """
    if missing := {"id", "article", "kind"} - set(row):
        raise ValueError(f"{sorted(missing)} missing")
    if ("question" in row) == ("turns" in row):
        raise ValueError("expected either 'question' or 'turns'")
    groups = row.get("quotes", [])
    if groups and not isinstance(groups[0], list):
        groups = [groups]
    filled = {
        **row,
        "answers": row.get("answers", []),
        "quotes": [[fill_quote(quote, text) for quote in group] for group in groups],
        "answerable": row.get("answerable", bool(groups)),
    }
    known = (*KEYS, *FEEDBACK_KEYS)
    if unknown := set(filled) - set(known):
        raise ValueError(f"unknown keys {sorted(unknown)}; known are {', '.join(known)}")
    if filled["kind"] not in KINDS:
        raise ValueError(f"unknown kind {filled['kind']!r}; known are {', '.join(KINDS)}")
    if filled["answerable"] != bool(groups) or (filled["answers"] and not groups):
        raise ValueError("an answerable question needs quotes, an unanswerable one has none")
    return filled


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
    """Complete one file of questions; empty lines and ``//`` comments stay where they are.

    Raises:
        ValueError: a line cannot be completed; the message names file and line.
    """
    lines: list[Row | str] = []
    text = path.read_text(encoding="utf-8").removesuffix("\n")
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.startswith("//"):
            lines.append(line)
            continue
        try:
            row = json.loads(line)
            lines.append(fill_row(row, article_text(row.get("article", ""))))
        except ValueError as error:
            raise ValueError(f"{path.name}:{number}: {error}") from error
    draw_splits([line for line in lines if isinstance(line, dict)])
    written = (line if isinstance(line, str) else in_order(line) for line in lines)
    path.write_text("".join(f"{line}\n" for line in written), encoding="utf-8", newline="\n")


def in_order(row: Row) -> str:
    """Return a question as its line: keys in the order of ``KEYS``."""
    order = (*KEYS, *FEEDBACK_KEYS)
    return json.dumps({key: row[key] for key in order if key in row}, ensure_ascii=False)


def main(names: list[str]) -> int:
    """Complete the named files, or all; return the exit status."""
    try:
        for path in [Path(name) for name in names] or sorted(HERE.glob("*.jsonl")):
            fill_file(path)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
