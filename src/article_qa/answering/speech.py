"""Who said it: from words quoted in a question to the speaker the article names.

Attribution by the form of the sentence, as in the rule-based first stage of O'Keefe et al., 'A
Sequence Labelling Approach to Quote Attribution' (2012): a verb of speech beside a name, outside
the quotation marks, in the sentence of the words or the one next to it; a pronoun means the nearest
person named before.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from article_qa.language.mentions import TITLE
from article_qa.types import Article, Evidence, Span

MIN_WORDS = 2
"""Fewer quoted words than this stand in too many places."""

_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]{3,}?)[\"“”«»]|(?<!\w)['‘]([^'‘’]{8,}?)['’](?!\w)")
_ASKS_SPEAKER = re.compile(
    r"^\W*(?:who|whom|whose)\b|\bwho (?:said|says|wrote|told|is quoted)\b|\bwhich \w+ said\b", re.I
)
_VERB = (
    r"(?:said|says|say|told|tells|wrote|writes|added|adds|argued|argues|warned|warns|explained|"
    r"explains|insisted|insists|acknowledged|recounted|fumed|complained|noted|notes|stated|states|"
    r"declared|announced|replied|answered|asked|called|tweeted|posted|admitted|conceded|claimed|"
    r"claims|concluded|continued|recalled|remembered|joked|shouted|whispered|promised|suggested|"
    r"observed|remarked|testified|responded|predicted|cautioned|urged|demanded|agreed|found|put it)"
)
_CAPITAL = r"(?:[A-ZÀ-Þ][\w’'-]+|[A-Z]\b\.?)"
_LINK = r"(?:(?:de|del|der|di|la|van|von|bin|al|of|the) )"
NAME = rf"(?:{TITLE} )*{_CAPITAL}(?: {_LINK}{{0,2}}{_CAPITAL})*"
_PRONOUN = r"(?:he|she|they)"
_WHO = rf"(?P<who>(?:[Tt]he )?{NAME}|{_PRONOUN})"
_ASIDE = r"(?:, [^,“”\"]{3,120},| [—–-]{1,2} [^—–“”\"]{3,120} [—–-]{1,2})?"
_BEFORE = re.compile(rf"\b{_WHO}{_ASIDE} (?:(?:has|had|have|also|later|then|once) )?{_VERB}\b")
_AFTER = re.compile(rf"\b{_VERB} {_WHO}")
_PERSON = re.compile(
    rf"\b(?:{TITLE} {_CAPITAL}(?: {_CAPITAL})*|{_CAPITAL} (?:[A-Z]\. )?{_CAPITAL})"
)
_TITLED = re.compile(rf"{TITLE} ")
_NOT_A_NAME = frozenset(
    "the a an but and or if in on at for it this that these those there then when while he she "
    "they we you i".split()
)


@dataclass(frozen=True, slots=True)
class Attribution:
    """A speaker and where the article says so.

    ``direct`` is False where the sentence says only 'he' and the name stands before it.
    """

    speaker: Span
    evidence: tuple[Evidence, ...]
    direct: bool


def quoted_words(question: str) -> str | None:
    """Return the words quoted in a question about who said them, or None."""
    if not _ASKS_SPEAKER.search(question):
        return None
    found = [a or b for a, b in _QUOTED.findall(question)]
    words = max(found, key=len, default="")
    return words if len(_WORD.findall(words)) >= MIN_WORDS else None


def attribute(article: Article, words: str) -> Attribution | None:
    """Find who says ``words`` in an article.

    Args:
        article: what is searched, boilerplate left out.
        words: as quoted by someone; case and punctuation do not matter.

    Returns:
        The speaker; None where the words do not stand in the article, or nobody is named.
    """
    place = _find(article, words)
    return None if place is None else speaker_at(article, place)


def speaker_at(article: Article, place: Span) -> Attribution | None:
    """Find who says the words at a place of an article; None where nobody is named."""
    sentences = article.quotable
    here = bisect_right(sentences, place.start, key=lambda s: s.start) - 1
    if here < 0:
        return None
    begin = sentences[here].start
    shown = _outside_marks(article.text[begin : sentences[here].end])
    quoted = "_" in shown[place.start - begin : place.end - begin]
    beside = (here + 1, here - 1) if quoted else ()  # of the article's own words nobody else speaks
    for i in (here, *beside):
        if not 0 <= i < len(sentences) or not _same_block(article, sentences, here, i):
            continue
        who = _subject(article.text, sentences[i], place)
        if who is None:
            continue
        cited = dict.fromkeys((sentences[here], sentences[i]))
        if article.text[who.start : who.end].lower() not in ("he", "she", "they"):
            return Attribution(who, _evidence(article, cited, who), direct=True)
        if (named := _named_before(article.text, sentences, i, who.start)) is not None:
            sentence = next(s for s in sentences if s.contains(named))
            cited = dict.fromkeys((sentence, *cited))
            return Attribution(named, _evidence(article, cited, named), direct=False)
    return None


def _find(article: Article, words: str) -> Span | None:
    """Return where the first run of the same words stands."""
    wanted = [w.casefold() for w in _WORD.findall(words)]
    there = [(m.group().casefold(), m.start(), m.end()) for m in _WORD.finditer(article.text)]
    for i in range(len(there) - len(wanted) + 1):
        if there[i][0] == wanted[0] and all(
            there[i + k][0] == word for k, word in enumerate(wanted)
        ):
            span = Span(there[i][1], there[i + len(wanted) - 1][2])
            block = article.block_at(span.start)
            if block is not None and block.kind != "boilerplate":
                return span
    return None


def _subject(text: str, sentence: Span, place: Span) -> Span | None:
    """Return who a sentence says speaks: the nearest to the words, outside the marks."""
    shown = _outside_marks(text[sentence.start : sentence.end])
    found = [
        Span(sentence.start + m.start("who"), sentence.start + m.end("who"))
        for pattern in (_BEFORE, _AFTER)
        for m in pattern.finditer(shown)
        if m.group("who").lower() not in _NOT_A_NAME - {"he", "she", "they"}
    ]
    return min(
        found, key=lambda s: min(abs(s.start - place.end), abs(place.start - s.end)), default=None
    )


def _named_before(text: str, sentences: Sequence[Span], here: int, before: int) -> Span | None:
    """Return the nearest person named before an offset, up to six sentences back."""
    for i in range(here, max(-1, here - 7), -1):
        sentence = sentences[i]
        shown = _outside_marks(text[sentence.start : min(sentence.end, before)])
        spoke = [m.span("who") for m in _BEFORE.finditer(shown) if _PERSON.match(m.group("who"))]
        titled = [m.span() for m in _PERSON.finditer(shown) if _TITLED.match(m.group())]
        named = spoke or titled or [m.span() for m in _PERSON.finditer(shown)]
        if named:
            start, stop = named[-1]
            return Span(sentence.start + start, sentence.start + stop)
    return None


def _outside_marks(text: str) -> str:
    """Blank what stands between quotation marks, length for length."""
    return re.sub(r"[“\"][^“”\"]*(?:[”\"]|$)", lambda m: "_" * len(m.group()), text)


def _same_block(article: Article, sentences: Sequence[Span], a: int, b: int) -> bool:
    return article.block_at(sentences[a].start) == article.block_at(sentences[b].start)


def _evidence(article: Article, cited: dict[Span, None], who: Span) -> tuple[Evidence, ...]:
    return tuple(Evidence(article.id, s, (who,) if s.contains(who) else ()) for s in sorted(cited))
