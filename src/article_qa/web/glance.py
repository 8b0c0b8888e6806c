"""What an article holds, at a glance: sentences, names, dates and numbers, each with its place.

Nothing is recognised here: the sentences are those of an overview, the people those of
``language.people``, and the rest what the kept analysis of the article marks. Everything is the
article's own words.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from article_qa.answering.overview import central_sentences
from article_qa.language.facts import CALENDAR, MONTHS
from article_qa.language.parse import Parsed, parse
from article_qa.language.people import People
from article_qa.types import Article, Span

SENTENCES, NAMES, DATES, NUMBERS = 3, 8, 6, 6
"""Shown of each kind at most."""
MAX_CHARS = 60_000
"""Of a longer article only the sentences are shown: to analyse it takes many seconds."""

_RUNNING = frozenset({"standfirst", "paragraph", "list", "quote", "caption"})
_LABELS = {"ORG": "organisations", "GPE": "places", "LOC": "places", "FAC": "places"}
_AMOUNTS = frozenset({"MONEY", "PERCENT", "QUANTITY"})
_YEAR = re.compile(r"(?<![\d,.])(?:1\d|20)\d\d(?![\d,])")
_DAY = re.compile(r"\b([12]?\d|3[01])(?:st|nd|rd|th)?\b(?![\d,])")

Place = dict[str, Any]


def glance(article: Article) -> dict[str, list[Place]]:
    """Return an article's central sentences, its people, organisations, places, dates and numbers.

    What an article has none of is left out. Each is ``{"start", "end", "text"}``, a slice of
    ``article.text``; dates and numbers also have the ``"sentence"`` that they stand in. Names come
    by how often they are named, dates by time, the rest as they stand in the text.
    """
    found = {"sentences": [_place(article, s) for s in central_sentences(article, SENTENCES)]}
    if len(article.text) <= MAX_CHARS:
        parsed = parse(article)
        told = {s for b in article.blocks if b.kind in _RUNNING for s in b.sentences}
        people = People(article, parsed)
        persons = {word for person in people.people for word in person.words}
        found["people"] = _people(people, told)
        found |= _names(article, parsed, told, persons)
        found["dates"] = _dates(article, parsed)
        found["numbers"] = _numbers(article, parsed, told)
    return {kind: places for kind, places in found.items() if places}


def _place(article: Article, span: Span, sentence: Span | None = None) -> Place:
    place = {"start": span.start, "end": span.end, "text": article.text[span.start : span.end]}
    if sentence is not None:
        place["sentence"] = article.text[sentence.start : sentence.end]
    return place


def _people(found: People, told: Collection[Span]) -> list[Place]:
    """Return the people that running text names, each where the name is fullest.

    What the recogniser takes for something else in most places is left out.
    """
    text, parsed = found.article.text, found.parsed
    named = []
    for person in found.people:
        spans = [m.span for m in person.mentions if parsed.sentences[m.sentence] in told]
        marked = [tokens.root.ent_type_ for s in spans if (tokens := parsed.tokens_in(s))]
        likely = 2 * marked.count("PERSON") >= len(marked) > 0
        if likely and (len(person.words) > 1 or len(spans) > 1):
            full = (s for s in spans if text[s.start : s.end] == person.name)
            named.append((len(person.mentions), next(full, spans[0])))
    named.sort(key=lambda pair: -pair[0])
    return [_place(found.article, span) for _, span in named[:NAMES]]


def _entities(
    parsed: Parsed, labels: Collection[str], told: Collection[Span]
) -> Iterator[tuple[Any, Span, Span]]:
    """Yield what the analysis marks as one of some kinds: it, its place, its sentence."""
    for i, (doc, sentence) in enumerate(zip(parsed.docs, parsed.sentences, strict=True)):
        for entity in doc.ents if sentence in told else ():
            if entity.label_ not in labels:
                continue
            start, end = entity.start, entity.end
            while end - start > 1 and (doc[end - 1].is_punct or doc[end - 1].pos_ == "CCONJ"):
                end -= 1
            start -= start > 0 and doc[start - 1].tag_ == "$"
            words = doc[start:end]
            yield words, parsed.span_of(words, i), sentence


def _names(
    article: Article, parsed: Parsed, told: Collection[Span], persons: set[str]
) -> dict[str, list[Place]]:
    """Return organisations and places; a name marked now so, now so is what it is most often.

    One word that is named once may be anything: it is left out, unless it is a place.
    """
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    first: dict[str, Span] = {}
    for entity, span, _ in _entities(parsed, _LABELS, told):
        words = [t for t in entity if t.lower_ != "the" and t.tag_ != "POS"]
        name = " ".join(t.lower_ for t in words)
        if any(t.pos_ == "PROPN" for t in words) and not persons.issuperset(name.split()):
            labels[name][_LABELS[entity[-1].ent_type_]] += 1
            offset = span.start - entity.start_char
            last = words[-1].idx + len(words[-1])
            first.setdefault(name, Span(offset + words[0].idx, offset + last))
    groups: dict[str, list[Place]] = {"organisations": [], "places": []}
    for name in sorted(labels, key=lambda n: -labels[n].total()):
        kind = labels[name].most_common(1)[0][0]
        known = kind == "places" or " " in name or labels[name].total() > 1
        if known and len(groups[kind]) < NAMES:
            groups[kind].append(_place(article, first[name]))
    return groups


def _dates(article: Article, parsed: Parsed) -> list[Place]:
    """Return the dates that have a year, the earliest first; of many, some evenly spread."""
    dated: dict[tuple[int, int, int], tuple[Span, Span]] = {}
    for entity, span, sentence in _entities(parsed, {"DATE"}, parsed.sentences):
        year = _YEAR.search(entity.text)
        counted = any(t.like_num and t.head.pos_ == "NOUN" and t.dep_ == "nummod" for t in entity)
        if year and not counted:
            figures = max(i for i, c in enumerate(entity.text) if c.isdigit()) + 1
            figures += entity.text[figures : figures + 1] == "s"  # the 1990s
            date = Span(span.start, span.start + figures)
            dated.setdefault(_when(entity.text, year), (date, sentence))
    times = sorted(dated)
    return [_place(article, *dated[time]) for time in _evenly(times, DATES)]


def _when(date: str, year: re.Match[str]) -> tuple[int, int, int]:
    """Return year, month and day; 0 for what is not said."""
    rest = f"{date[: year.start()]} {date[year.end() :]}"
    names = (CALENDAR.get(word) for word in re.findall(r"[a-z]+", rest.lower()))
    month = next((MONTHS.index(name) + 1 for name in names if name in MONTHS), 0)
    day = _DAY.search(rest) if month else None
    return int(year.group()), month, int(day[1]) if day else 0


def _evenly(items: list[tuple[int, int, int]], count: int) -> Iterable[tuple[int, int, int]]:
    if len(items) <= count:
        return items
    return (items[round(n * (len(items) - 1) / (count - 1))] for n in range(count))


def _numbers(article: Article, parsed: Parsed, told: Collection[Span]) -> list[Place]:
    """Return sums, shares and measures, then what is counted in figures, in reading order."""
    amounts: dict[str, tuple[Span, Span]] = {}
    for entity, span, sentence in _entities(parsed, _AMOUNTS, told):
        amounts.setdefault(entity.text.lower(), (span, sentence))
    for entity, span, sentence in _entities(parsed, {"CARDINAL"}, told):
        counted = entity.root.head
        near = entity.end <= counted.i < entity.end + 3 and counted.pos_ == "NOUN"
        if near and any(c.isdigit() for c in entity.text):
            end = span.start - entity.start_char + counted.idx + len(counted)
            whole = Span(span.start, end)
            words = article.text[whole.start : whole.end]
            amounts.setdefault(words.lower(), (whole, sentence))
    chosen = sorted(list(amounts.values())[:NUMBERS])
    return [_place(article, *places) for places in chosen]
