"""Who somebody is: from 'Who is X?' to what the article calls X.

News says who people are beside their names, and a small reader, which has seen few such questions,
takes the name's neighbour for the answer ('Mawlawi', 'President Biden'). So the places beside the
name are looked at first, as in the patterns of Fleischman, Hovy and Echihabi, 'Offline Strategies
for Online Question Answering: Answering Questions Before They Are Asked' (ACL 2003):

- behind it: 'X, the department's spokesman,', 'X is a lawyer'
- before it: 'the envoy for Norvik, X,', 'a tailor named X', 'President X', 'his mother X'

Where a phrase has no article or possessor, and before a name, its head must be a word for a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from article_qa.answering.speech import NAME
from article_qa.language.mentions import (
    AUXILIARIES,
    CLAUSE_WORDS,
    DETERMINERS,
    PERSON_NOUNS,
    PREPOSITIONS,
    PRONOUNS,
    TIME_WORDS,
    TITLES,
    is_plural,
    is_verb,
)
from article_qa.types import Article, BlockKind, Evidence, Span

_ASKS = re.compile(
    r"^\W*(?:(?:and|but|so) )?who(?:['’]s| is| was| are| were) (?P<name>[^?]+?)\s*\?*\s*$", re.I
)
_RUN = re.compile(rf"\b{NAME}")
_WORD = re.compile(r"[\w’'-]+")
_DETERMINER = (
    r"(?:(?:then|now|once) )?(?:(?i:an?|the|one of|another|his|her|their|its|our|my)"
    r"|(?:[A-ZÀ-Þ][\w-]* ){0,2}[A-ZÀ-Þ][\w-]*(?:['’]s|s['’]))"
)
_DETERMINED = re.compile(rf"{_DETERMINER} ")
_PHRASE = r"[^,.;:—–“”\"()\n]{2,160}?"
_END = r",|;|:|\.?[”\"]|\.?\s*$| [—–-]{1,2} | (?:who|which)\b| and (?:has|had|is|was|were)\b"
_BEHIND = re.compile(rf", (?:and |as )?(?P<what>{_PHRASE})(?={_END})")
_COPULA = re.compile(
    rf"(?:,? who)? (?P<verb>is|was|became|has been|had been) (?P<what>{_DETERMINER} {_PHRASE})"
    rf"(?={_END}| (?:and|that|when)\b)"
)
_NAMED = re.compile(r" (?:named|called|known as)$")
_LAST_PART = re.compile(r"(?:^|[,;:—–“”\"()]\s?)(?P<what>[^,;:—–“”\"()]+)$")
_PREPOSITION = re.compile(r" (?:of|for|at|in|on|to|from|with|since|under|who|and|known) ")
_HONORIFICS = frozenset("mr mrs ms miss dr prof sir".split())
_ROLES = (PERSON_NOUNS | (TITLES.keys() - _HONORIFICS)) | set(
    "volunteer worker resident member".split()
)
_ROLE_ENDINGS = ("ist", "ician", "man", "woman", "person", "keeper", "maker", "holder")
_LINKS = frozenset("of for at in on".split())
_NO_END = _LINKS | frozenset("a an the and".split())
_SPEAKS = frozenset("said says told added wrote".split())
_INCLUDES = frozenset("include includes included including".split())
_OBJECT_STARTS = DETERMINERS | PRONOUNS | {"up", "out", "off"}
_NEVER_WITHIN = AUXILIARIES | CLAUSE_WORDS | _SPEAKS | _INCLUDES | (PREPOSITIONS - _LINKS)


@dataclass(frozen=True, slots=True)
class Description:
    """What an article calls somebody.

    ``rank`` is 0 beside the name ('X, the mayor'), 1 for a title, 2 for what X once was, 3 for a
    byline.
    """

    what: Span
    evidence: Evidence
    rank: int


def asked_about(question: str) -> tuple[str, ...]:
    """Return the words of the name in 'Who is NAME?', folded; empty for another question."""
    asks = _ASKS.match(question)
    return () if asks is None else tuple(w.casefold() for w in _WORD.findall(asks["name"]))


def describe(article: Article, asked: Sequence[str]) -> Description | None:
    """Find what an article calls somebody.

    Args:
        article: what is searched, boilerplate left out.
        asked: the words of the name, as ``asked_about`` returns them.

    Returns:
        The first description of the lowest rank that says more than the question does; None where
        there is none.
    """
    name = bare_name(asked)
    if not name:
        return None
    said = {*asked, "the"}
    found = [
        d
        for d in _found(article, name)
        if d.rank == 3
        or not said.issuperset(_WORD.findall(article.text[d.what.start : d.what.end].casefold()))
    ]
    return min(found, key=lambda d: d.rank, default=None)  # the first of equals


def bare_name(asked: Sequence[str]) -> list[str]:
    """Return a name's words without titles; none for 'the mayor of Norvik', which is no name."""
    name = list(asked)
    while name and (name[0] == "the" or name[0] in TITLES.keys() | _ROLES):
        del name[0]
    return [] if name and name[0] in _LINKS else name


def naming(article: Article, name: Sequence[str]) -> Iterator[tuple[BlockKind, Span, Span]]:
    """Find the sentences that name somebody, boilerplate and headings left out.

    Args:
        article: what is searched.
        name: the words of the name, folded; the last one is the surname.

    Yields:
        The kind of block, the sentence, and the name in it, as offsets into the sentence.
    """
    for kind, sentence in _sentences(article):
        text = article.text[sentence.start : sentence.end]
        if name[-1] in text.casefold():  # a look before the search: articles may be long
            for run in _RUN.finditer(text):
                if (person := _person(run, name)) is not None:
                    yield kind, sentence, person


def _found(article: Article, name: Sequence[str]) -> Iterator[Description]:
    for kind, sentence, person in naming(article, name):
        if kind == "byline":
            yield Description(sentence, Evidence(article.id, sentence), 3)
        elif (found := _beside(article.text[sentence.start : sentence.end], person)) is not None:
            what, rank = found
            place = Span(sentence.start + what.start, sentence.start + what.end)
            yield Description(place, Evidence(article.id, sentence, (place,)), rank)


def _sentences(article: Article) -> Iterator[tuple[BlockKind, Span]]:
    for block in article.blocks:
        if block.kind not in ("boilerplate", "headline", "heading"):
            yield from ((block.kind, sentence) for sentence in block.sentences)


def _person(run: re.Match[str], name: Sequence[str]) -> Span | None:
    """Return the person's name, titles left out, in a run of capitalised words; or None.

    The run must hold the words asked for in their order. 'Mr. Khalilzad' may be anybody whose name
    ends so.
    """
    words = list(_WORD.finditer(run.group()))
    folded = [re.sub(r"['’]s$", "", word.group().casefold()) for word in words]
    wanted = name[-1:] if folded[0] in _HONORIFICS and len(folded) == 2 else name
    rest = iter(folded)
    if not all(word in rest for word in wanted):
        return None
    first, at = 0, folded.index(wanted[0])
    for i, word in enumerate(folded[:at]):
        if word in TITLES or _is_role(words[i].group()):
            first = i + 3 if folded[i + 1] == "of" else i + 1  # 'Secretary of State'
    if first > at:  # the words asked for are part of a title
        return None
    return Span(run.start() + words[first].start(), run.end())


def _beside(text: str, person: Span) -> tuple[Span, int] | None:
    """Return the description beside a name in a sentence, and its rank."""
    lead = text[: person.start].rstrip()
    subject = (
        lead.split(" ")[-1].casefold() not in PREPOSITIONS
    )  # of 'The wife of X is a judge' not
    if subject and (copula := _COPULA.match(text, person.end)) is not None:
        return Span(*copula.span("what")), 0 if copula["verb"] in ("is", "has been") else 2
    if (behind := _BEHIND.match(text, person.end)) is not None:
        what, head = behind["what"], _head(behind["what"])
        other = head.casefold() in TIME_WORDS or is_plural(head)  # what one person is not
        determined = _DETERMINED.match(what) and not other
        begins = what.split()[0] not in PREPOSITIONS
        if begins and (determined or _is_role(head)) and not _is_clause(what):
            return Span(*behind.span("what")), 0
    rank = 0
    if lead.endswith(",") and re.match(r"\s*(?:[,.;]|$| [—–-])", text[person.end :]):
        found = _phrase(lead[:-1])
    elif (named := _NAMED.search(lead)) is not None:
        found = _phrase(lead[: named.start()], named=True)
    else:
        found, rank = _phrase(lead, title=True), 1
    return None if found is None else (found, rank)


def _phrase(lead: str, *, named: bool = False, title: bool = False) -> Span | None:
    """Return the noun phrase at the end of ``lead``, if its head is a word for a person.

    Of 'the death of her father' it is 'her father': the longest that has such a head. Where
    ``named`` ('a surveyor named ...'), any noun behind a determiner will do; a ``title`` has no
    preposition but that of 'Secretary of State'.
    """
    part = _LAST_PART.search(lead)
    if part is None:
        return None
    words = list(re.finditer(r"\S+", part["what"]))
    if words and words[-1].group().casefold() in _NO_END:
        return None
    starts = []
    first = len(words)
    while first > 0 and _within(words, first - 1, title):
        first -= 1
        if _begins(words, first):
            starts.append(first)
            if words[first - 1].group() not in _LINKS:
                break
    while first < len(words) and _is_no_start(words[first].group()):
        first += 1
    for start in dict.fromkeys([first, *reversed(starts)]):
        phrase = part["what"][words[start].start() :] if start < len(words) else ""
        if _is_role(_head(phrase)) or (named and _DETERMINED.match(phrase)):
            return Span(part.start("what") + words[start].start(), len(lead))
    return None


def _within(words: Sequence[re.Match[str]], i: int, title: bool) -> bool:
    """Say whether a noun phrase that goes on behind word ``i`` may hold that word."""
    word, before = words[i].group(), words[i - 1].group() if i else ""
    if word == "and":
        return _is_role(before)
    if title and word in _LINKS:
        return _is_role(before) and i == len(words) - 2 and words[-1].group()[0].isupper()
    if word.casefold() in _NEVER_WITHIN:
        return False
    verb = word.islower() and is_verb(word) and not (word.endswith("ing") or _is_role(word))
    return not verb or _DETERMINED.fullmatch(f"{before} ") is not None


def _begins(words: Sequence[re.Match[str]], i: int) -> bool:
    """Say whether a noun phrase may begin with word ``i``: with a determiner."""
    word, before = words[i].group(), words[i - 1].group() if i else ""
    possessor = word[0].isupper() and before[:1].isupper()  # 'President' of 'President Lee's'
    return not possessor and _DETERMINED.fullmatch(f"{word} ") is not None


def _is_no_start(word: str) -> bool:
    low = word.casefold()
    return low in TIME_WORDS or low in _LINKS or low.endswith("ing")


def _is_clause(phrase: str) -> bool:
    """Say whether what follows a name goes on about another: it has a verb, or a name of its own.

    'In Norvik, a man picks up the paper'; 'Ada Lund, her brother and driver Per Lund'.
    """
    for word, behind in pairwise(phrase.split()):
        if word in AUXILIARIES | _SPEAKS or (is_verb(word) and behind in _OBJECT_STARTS):
            return True
    named = re.search(r"([\w-]+)(?: [A-ZÀ-Þ][\w.’'-]*)+$", phrase)
    return named is not None and (named[1] in ("named", "called") or _is_role(named[1]))


def _head(phrase: str) -> str:
    """Return the noun that a phrase is about: 'envoy' in 'the envoy for Norvik'."""
    words = _PREPOSITION.split(f"{phrase} ", maxsplit=1)[0].split()
    return words[-1].split("-")[-1] if words else ""


def _is_role(word: str) -> bool:
    """Say whether a word is one for a person: by a list, or, in lower case, by its ending."""
    known = word.casefold() in _ROLES
    return known or (word.islower() and len(word) > 5 and word.endswith(_ROLE_ENDINGS))
