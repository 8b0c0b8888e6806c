"""Words of a question that an article lacks, and numbers that its sentences contradict.

A word that stands nowhere in the article nor in general English is a name that the article does not
have, in any case: 'what did <a politician> say about ...'. General English is the list that the
lemmatizer ships, WordNet's 83,000 words; where it holds names ('rotterdam' is a noun), the tagger
says which nouns are names. Word frequencies (wordfreq's 50,000 commonest) were tried: they hold 25
of the set's 34 absent names, as ordinary as any word.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from article_qa.language.facts import MONTHS, SCALES, number_of, stem_of
from article_qa.language.parse import Parsed, parse, parse_question, pipeline
from article_qa.retrieval.lexical import _fold as fold
from article_qa.retrieval.lexical import tokens as stems_of
from article_qa.types import Article, Span

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

_CONTENT = frozenset({"NOUN", "PROPN", "ADJ", "VERB", "ADV", "X", "INTJ"})
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class AbsentWord:
    """A content word of a question that its article lacks.

    Args:
        word: as it was typed.
        span: where it stands in the question.
        like: a word of the article or of general English that it may be a slip of; None for none.
        capital: it was typed as a name is.
    """

    word: str
    span: Span
    like: str | None
    capital: bool


def absent_words(question: str, article: Article) -> tuple[AbsentWord, ...]:
    """List the names of a question that its article lacks, whatever their case.

    Words are folded and stemmed. A capital tells a name though English knows the word. With
    ``like`` set, a word is rather mistyped than a name: 'goverment' for 'government'.
    """
    doc = parse_question(question)
    there = _words_of(article, parse(article))
    found = []
    for token in doc:
        word = fold(token.text).removesuffix("'s")
        capital = _is_capital(doc, token)
        if _within(token, there) or not (capital or _may_name(word, token)):
            continue
        like = None if capital else _like(word, there)
        found.append(AbsentWord(token.text, Span(token.idx, token.idx + len(token)), like, capital))
    return tuple(found)


def _may_name(word: str, token: Token) -> bool:
    """Say whether a word in lower case may be a name: no English word, or a noun used as one."""
    if len(word) < 4 or not word.isalpha() or token.is_stop or token.pos_ not in _CONTENT:
        return False
    if not set(word) & set("aeiouy"):  # 'tldr'
        return False
    if word in _vocabulary("noun") and token.pos_ == "PROPN":
        return not any(word in _vocabulary(kind) for kind in ("verb", "adj", "adv"))
    return not _is_english(word) and not _is_compound(word)


def _words_of(article: Article, parsed: Parsed) -> frozenset[str]:
    """The article's words, folded and stemmed, with their parts where a hyphen joins them."""
    if "words" not in parsed.derived:
        folded = re.findall(r"\w+", fold(article.text))
        parsed.derived["words"] = parsed.words.union(folded, stems_of(article.text))
    words: frozenset[str] = parsed.derived["words"]
    return words


def _within(token: Token, there: frozenset[str]) -> bool:
    forms = {fold(token.text), fold(token.lemma_), *stems_of(token.text)}
    return not forms.isdisjoint(there)


def _is_capital(doc: Doc, token: Token) -> bool:
    """Say whether a capital tells a name: none of the first word, nor where all are capitals."""
    others = [t.text for t in doc if t.is_alpha]
    return token.i > 0 and token.text[0].isupper() and not all(w.isupper() for w in others)


@functools.cache
def _vocabulary(kind: str) -> frozenset[str]:
    """WordNet's words of a kind, with irregular forms, folded and cut at hyphens."""
    lookups = pipeline().get_pipe("lemmatizer").lookups  # type: ignore[attr-defined]
    words = {*lookups.get_table("lemma_index")[kind], *lookups.get_table("lemma_exc")[kind]}
    return frozenset(part for word in words for part in re.findall(r"[^\W\d_]+", fold(word)))


@functools.cache
def _stems() -> frozenset[str]:
    words = frozenset().union(*(_vocabulary(kind) for kind in ("noun", "verb", "adj", "adv")))
    return words | frozenset(stem_of(word) for word in words)


@functools.cache
def _common() -> frozenset[str]:
    """English words that the pipeline met where it was trained: what a slip may stand for."""
    folder = files("article_qa") / "models" / "english" / "vocab"
    met = json.loads((folder / "strings.json").read_text("utf-8"))
    return frozenset(word for word in met if word.isalpha() and stem_of(word) in _stems())


def _is_english(word: str) -> bool:
    """Say whether general English has a word, in this form or another."""
    stem = stem_of(word)  # a longer ending than '-ing' is no inflection: 'goverment', 'gover'
    inflected = stem in _stems() and len(word) - len(stem) <= len("ing")
    return word in _stems() or inflected or bool(pipeline().vocab[word].is_stop)


def _is_compound(word: str) -> bool:
    """Say whether two English words make it up: 'smart' and 'phone'."""
    return any(_is_english(word[:i]) and _is_english(word[i:]) for i in range(4, len(word) - 3))


def _like(word: str, there: frozenset[str]) -> str | None:
    """Return a word that this may be a slip of: of the article, or else of general English.

    One letter may be wrong, missing, added or swapped for a word of the article; for any other word
    of English only missing, doubled or swapped, since names are often a letter away from a word.
    """
    near = sorted({w for w in _slips(word) if len(w) > 3 and w[0] == word[0]})
    common = [w for w in near if not _is_wrong_letter(word, w) and w in _common()]
    own = next((w for w in near if w in there), None)
    return own or (None if _is_english(word) else next(iter(common), None))


def _is_wrong_letter(word: str, other: str) -> bool:
    if len(word) == len(other):
        return sorted(word) != sorted(other)
    return len(word) > len(other) and not any(
        a == b and word[:i] + word[i + 1 :] == other
        for i, (a, b) in enumerate(itertools.pairwise(word))
    )


def _slips(word: str) -> Iterator[str]:
    """Yield what is one missing, swapped, wrong or added letter away (Norvig, 2007)."""
    for i in range(len(word) + 1):
        head, tail = word[:i], word[i:]
        if tail:
            yield head + tail[1:]
            yield from (head + letter + tail[1:] for letter in _LETTERS)
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        yield from (head + letter + tail for letter in _LETTERS)


# ---------------------------------------------------------------------------------------------
# Numbers
# ---------------------------------------------------------------------------------------------
_UNITS: dict[str, tuple[str, float]] = {
    unit: (dimension, factor)
    for dimension, units in {
        "length": "mm millimetre 0.001 cm centimetre 0.01 metre meter 1 km kilometre kilometer "
        "1000 mile 1609.34 yard 0.9144 foot feet ft 0.3048 inch 0.0254",
        "mass": "gram 0.001 kg kilo kilogram 1 tonne ton 1000 pound lb 0.4536 ounce 0.02835",
        "area": "hectare 10000 acre 4046.86",
        "volume": "ml millilitre 0.001 litre liter 1 gallon 4.546",
        "share": "% percent 1",
        "money $": "$ dollar 1",
        "money €": "€ euro 1",
        "money £": "£ 1",
        "money ¥": "¥ yen 1",
    }.items()
    for names, factor in (
        (group[0].split(), float(group[1])) for group in re.findall(r"([^\d]+?) (\d[\d.]*)", units)
    )
    for unit in names
}
"""Units of measure, singular: what they measure, and how many of its base unit one is."""

_YEAR = re.compile(r"(?<![\d.,$£€¥])(1[5-9]\d\d|20\d\d)(?![\d%]|[.,]\d|\s?(?:km|kg|m|mm|cm)\b)")
_RANGE = re.compile(
    r"(?<!\d)(1[5-9]\d\d|20\d\d)\s*(?:[-–—/]|to|and|until|through)\s*(1[5-9]\d\d|20\d\d|\d\d)(?!\d)"
)
_SINCE = re.compile(
    r"\b(?:since|from|after)\s+(1[5-9]\d\d|20\d\d)\b(?!\s*(?:[-–—]|to|until))", re.I
)
_QUANTITY = re.compile(
    r"(?<![\w.,$£€¥])(?=(?P<all>(?P<sign>[$£€¥])?(?P<value>\d+(?:,\d{3})*(?:\.\d+)?|[a-z]+)"
    r"(?:[ -]?(?P<scale>hundred|thousand|million|billion|trillion|bn|m|k)(?![a-z]))?"
    r"(?:[ -]?(?P<square>square |sq\.? )?(?P<unit>%|per cent|[a-z]+))?))",
    re.I,
)
_DAY = re.compile(
    rf"\b(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<m1>{'|'.join(MONTHS)})|"
    rf"(?P<m2>{'|'.join(MONTHS)}) (?P<d2>\d{{1,2}})(?!\d))",
    re.I,
)
_SAME = 0.02
"""Two measures are the same within this share: '5 miles' and '8 km'."""


@dataclass(frozen=True, slots=True)
class AskedNumber:
    """A year, a day or a measure in a text.

    ``kind`` is "year", "day" (``value`` is 100 times the month and the day), or what is measured
    ("length", "money $"); the value is in the kind's base unit.
    """

    kind: str
    value: float
    span: Span


def asked_numbers(text: str) -> tuple[AskedNumber, ...]:
    """List the years, days and numbers with a unit in a question or a sentence."""
    found = list(_measures(text))
    years = [AskedNumber("year", float(m[1]), Span(*m.span(1))) for m in _YEAR.finditer(text)]
    found += [y for y in years if not any(n.span.overlaps(y.span) for n in found)]
    for m in _DAY.finditer(text):
        month = MONTHS.index((m["m1"] or m["m2"]).lower()) + 1
        found.append(AskedNumber("day", 100.0 * month + int(m["d1"] or m["d2"]), Span(*m.span())))
    return tuple(sorted(found, key=lambda n: n.span))


def contradicts(question: str, sentence: str) -> bool:
    """Say whether a sentence has only other numbers of a kind that the question gives.

    'in 2012' is contradicted by a sentence whose years are 2011 alone, not by one without a year,
    nor by 'from 2010 to 2014' or 'since 2010'; '5 km' by '5 miles', not by '5,000 metres';
    '$84m' by '£84m'.
    """
    there = asked_numbers(sentence)
    return any(_is_contradicted(asked, there, sentence) for asked in asked_numbers(question))


def _is_contradicted(asked: AskedNumber, there: Iterable[AskedNumber], sentence: str) -> bool:
    family = [n for n in there if n.kind.split()[0] == asked.kind.split()[0]]
    values = [n.value for n in family if n.kind == asked.kind]
    if not family:
        return False
    if asked.kind == "year":
        spans = [(float(a), float(b if len(b) == 4 else a[:2] + b))
                 for a, b in _RANGE.findall(sentence)]  # fmt: skip
        spans += [(float(year), float("inf")) for year in _SINCE.findall(sentence)]
        return asked.value not in values and not any(a <= asked.value <= b for a, b in spans)
    if asked.kind == "day":
        return asked.value not in values
    return not any(abs(v - asked.value) <= _SAME * max(abs(v), abs(asked.value)) for v in values)


def _measures(text: str) -> Iterator[AskedNumber]:
    for m in _QUANTITY.finditer(text):
        digits = m["value"].replace(",", "")
        value = float(digits) if digits[0].isdigit() else number_of(digits.lower())
        unit = _unit(m["sign"] or m["unit"] or "")
        if value is None or unit is None:
            continue
        value *= SCALES.get((m["scale"] or "").lower(), 1.0)
        dimension, factor = unit
        square = bool(m["square"]) and dimension == "length"
        amount = value * factor ** (2 if square else 1)
        yield AskedNumber("area" if square else dimension, amount, Span(*m.span("all")))


def _unit(word: str) -> tuple[str, float] | None:
    low = word.lower().replace("per cent", "percent")
    return _UNITS.get(low) or _UNITS.get(low.removesuffix("s"))
