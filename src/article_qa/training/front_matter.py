"""Windows of front matter (headline, byline, dates, photo credit) and questions on them.

No question-answering file asks who wrote the article itself, or tells that from who wrote the book
it is about. The names and headlines are those of the files' own contexts, put together at random.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_PERSON = re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][a-z]{2,} (?:[A-Z]\. )?[A-Z][a-z]{2,}\b")
_MONTHS = ("January February March April May June July August September October November "
           "December").split()  # fmt: skip
_AGENCIES = ("Reuters", "Getty Images", "AP", "the Herald", "AFP", "staff")

_ASKED = {
    "author": ("Who wrote this?", "Who wrote this article?", "who is the author", "author",
               "Who is the author of this article?", "who wrote it", "who reported this story",
               "by whom was this written", "whose article is this", "Who is the reporter?",
               "journalists name", "who's the writer of this piece"),
    "date": ("When was this published?", "when was this written", "date of this article",
             "When was this article published?", "when did this come out", "publication date",
             "how old is this article", "what date is this from", "When did this story appear?"),
    "updated": ("When was it last updated?", "last updated when", "when was this updated",
                "When was the article last changed?"),
    "headline": ("What is the headline?", "whats the title", "title of the article",
                 "What is this article called?", "headline"),
    "photo": ("Who took the photo?", "photo credit", "Who took the photograph?",
              "who is the photographer", "whose picture is that", "who shot the photo"),
}  # fmt: skip
_OTHERS = ("who wrote the {thing}", "Who is the author of the {thing}?", "when was the {thing} "
           "published", "Who wrote the {thing}?", "When was the {thing} written?",
           "when did the {thing} come out", "who edited the {thing}", "who filmed the {thing}",
           "who painted the {thing}", "What is the title of the {thing}?")  # fmt: skip
_THINGS = "book essay report letter song interview study review novel poem law memoir film".split()


@dataclass
class _Page:
    """A window being written; ``spans`` are where each part stands."""

    text: str = ""
    spans: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, before: str, part: str, value: str, after: str = "\n") -> None:
        start = len(self.text) + len(before)
        self.spans[part] = (start, start + len(value))
        self.text += before + value + after


def front_matter(
    contexts: Sequence[str], count: int, rng: random.Random
) -> Iterator[tuple[str, str, tuple[tuple[int, int], ...]]]:
    """Yield (question, window, spans): ``spans`` is empty where the window does not say.

    Args:
        contexts: texts whose names and sentences are used.
        count: how many to yield.
        rng: decides everything.
    """
    people = sorted({m.group() for text in contexts for m in _PERSON.finditer(text)})
    for _ in range(count):
        page = _write_page(rng.choice(contexts), people, rng)
        if rng.random() < 0.25:
            question = rng.choice(_OTHERS).format(thing=rng.choice(_THINGS))
            yield question, page.text, ()
            continue
        part = rng.choice(("author", "author", "date", "date", "updated", "headline", "photo"))
        spans = (page.spans[part],) if part in page.spans else ()
        yield rng.choice(_ASKED[part]), page.text, spans


def _write_page(context: str, people: Sequence[str], rng: random.Random) -> _Page:
    page = _Page()
    sentences = re.split(r"(?<=[.!?]) ", context)
    short = [s.rstrip(".") for s in sentences if 4 <= len(s.split()) <= 14]
    headline = rng.choice(short) if short else " ".join(context.split()[:8])
    labelled = rng.random() < 0.4
    if rng.random() < 0.85:
        page.add("Headline: " if labelled else "", "headline", headline)
    rest = ["author", "date", "updated", "photo"]
    rng.shuffle(rest)
    for part in rest:
        if rng.random() < (0.75 if part in ("author", "date") else 0.35):
            _add_part(page, part, people, labelled, rng)
    body = " ".join(s for s in sentences[: rng.randint(0, 3)])
    page.text += body[:500]
    return page


def _add_part(
    page: _Page, part: str, people: Sequence[str], labelled: bool, rng: random.Random
) -> None:
    if part == "author":
        name = rng.choice(people)
        if rng.random() < 0.2:
            name += " and " + rng.choice(people)
        before = ("By ", "By ", "Words by ", "Author: ", "Written by ", "by ", "", "Posted by ")
        page.add("By " if labelled else rng.choice(before), part, name)
    elif part == "photo":
        credit = rng.choice(("Photograph: ", "Photo by ", "Credit: ", "Picture: ", "Photo: "))
        page.add(credit, part, rng.choice(people), f"/{rng.choice(_AGENCIES)}\n")
    else:
        published = ("", "Published ", "Published on ", "Posted ", "First published ", "Date: ")
        changed = ("Updated ", "Last updated: ", "Last modified on ", "This version: ")
        page.add(rng.choice(published if part == "date" else changed), part, _date(rng))


def _date(rng: random.Random) -> str:
    year, month, day = rng.randint(1995, 2026), rng.randint(1, 12), rng.randint(1, 28)
    name = _MONTHS[month - 1]
    return rng.choice((
        f"{name} {day}, {year}", f"{day} {name} {year}", f"{year}-{month:02}-{day:02}",
        f"{name[:3]}. {day}, {year}", f"{day:02}/{month:02}/{year}", f"{name} {year}",
    ))  # fmt: skip
