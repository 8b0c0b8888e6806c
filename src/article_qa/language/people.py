"""The people of an article: their names, joined, and what the article says they are.

Names are spaCy's PERSON entities. 'Priya Venn', 'Ms. Venn' and 'Venn' are one person; a name that
the recogniser takes for something else in one place is what most of its places, or the full name
that holds it, say. Of 69 people in six unseen texts the entities alone gave 83% (precision 83%);
with the grammar around names (``_is_somebody``, ``_is_place``) 86% and 89%:
``python -m tests.benchmarks.language``.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from article_qa.language.parse import Parsed, parse
from article_qa.language.quotes import quotes_of
from article_qa.retrieval.lexical import _fold as fold
from article_qa.types import Article, Span

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token
    from spacy.tokens import Span as DocSpan

Gender = Literal["m", "f", ""]
Form = Literal["apposition", "role", "relative", "predicate"]

HONORIFICS: dict[str, Gender] = {
    "mr": "m", "sir": "m", "lord": "m", "mrs": "f", "ms": "f", "miss": "f", "madam": "f",
    "lady": "f", "dame": "f", "baroness": "f", "dr": "", "prof": "", "professor": "",
}  # fmt: skip
"""What may stand before a surname, folded, and the gender it tells, if any."""

_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv"})
_PARTICLES = frozenset("de del della di da dos du la le van von der den bin al el".split())
_KIN = frozenset("mother father son daughter wife husband brother sister widow aunt uncle".split())
_AGENT = ("man", "woman", "person", "er", "or", "ist", "ian", "ant", "ress")
_NOT_NAMED = frozenset({"DATE", "TIME", "CARDINAL", "ORDINAL", "MONEY", "PERCENT", "QUANTITY"})


@dataclass(frozen=True, slots=True)
class Mention:
    """One place where an article names a person; ``sentence`` numbers ``Parsed.sentences``."""

    span: Span
    sentence: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Description:
    """Words that say who somebody is: ``span`` in the article, and the name they stand beside."""

    span: Span
    name: Span
    sentence: int
    form: Form


@dataclass
class Person:
    """A person and the places that name them; ``name`` is the fullest form, without honorific."""

    name: str
    words: tuple[str, ...]
    mentions: list[Mention] = field(default_factory=list)
    gender: Gender = ""


@dataclass(frozen=True, slots=True)
class _Name:
    """A name as it stands: tokens without honorific, folded words, the honorific's gender.

    ``certain`` says that an honorific or the grammar tells a person; ``label`` is the recogniser's,
    empty for a proper noun that it passes over.
    """

    tokens: DocSpan
    words: tuple[str, ...]
    gender: Gender
    certain: bool
    label: str


class People:
    """Who an article names.

    Args:
        article: the article.
        parsed: its analysis; made where none is given.
    """

    def __init__(self, article: Article, parsed: Parsed | None = None) -> None:
        self.article = article
        self.parsed = parsed or parse(article)
        self.quotes = quotes_of(article)
        self._by_token: dict[tuple[int, int], Person] = {}
        self.people = tuple(self._join())

    def find(self, name: str) -> Person | None:
        """Return who a name means, in any case, with or without honorific; None if nobody.

        A surname that several share means the one who is named most often.
        """
        words = _name_words(name.split())
        fitting = [p for p in self.people if words and _means(words, p.words)]
        return max(fitting, key=lambda p: (p.words == words, len(p.mentions)), default=None)

    def at(self, token: Token, sentence: int) -> Person | None:
        """Return the person whose name holds a token of a sentence, or None."""
        return self._by_token.get((sentence, token.i))

    def quoted(self, span: Span) -> bool:
        """Say whether a span stands between quotation marks."""
        i = bisect_right(self.quotes, span.start, key=lambda q: q.start) - 1
        return i >= 0 and self.quotes[i].contains(span)

    def quotes_in(self, span: Span) -> tuple[Span, ...]:
        """List the quotations that begin in a span."""
        first, stop = (bisect_left(self.quotes, at, key=lambda q: q.start)
                       for at in (span.start, span.end))  # fmt: skip
        return self.quotes[first:stop]

    def describe(self, name: str | Person) -> tuple[Description, ...]:
        """List the words that say who somebody is, as appositions, roles before the name,
        'X, who ...' and 'X is a ...', in reading order.

        Words between quotation marks, and marks or exclamations within, are left out.
        """
        person = self.find(name) if isinstance(name, str) else name
        found: dict[Span, Description] = {}
        for mention in person.mentions if person else ():
            tokens = self.parsed.tokens_in(mention.span)
            if tokens is None or mention.quoted:
                continue
            for piece, form in _descriptions(tokens):
                span = self.parsed.span_of(piece, mention.sentence)
                text = self.article.text[span.start : span.end]
                if _is_plain(text):
                    found.setdefault(span, Description(span, mention.span, mention.sentence, form))
        return tuple(found[span] for span in sorted(found))

    def _join(self) -> list[Person]:
        """Give every name to a person: full names first, then what is left of them."""
        places = [(i, name) for i, doc in enumerate(self.parsed.docs) for name in _names_of(doc)]
        labels: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for _, name in places:
            labels[name.words][name.label] += 1
        certain = {name.words for _, name in places if name.certain}
        elsewhere = {name.words for _, name in places if not _is_place(name.tokens)}

        def is_person(words: tuple[str, ...]) -> bool:
            named = labels[words]["PERSON"]
            likely = named and 2 * named >= labels[words].total() and words in elsewhere
            return words in certain or bool(likely)

        people: list[Person] = []
        holding: dict[str, list[Person]] = defaultdict(list)  # by each word of their full name

        def add(words: tuple[str, ...]) -> Person:
            person = Person("", words)
            people.append(person)
            for word in words:
                holding[word].append(person)
            return person

        for words in sorted((w for w in labels if len(w) > 1 and is_person(w)), key=len)[::-1]:
            if not any(set(words) < set(p.words) for p in holding[words[-1]]):
                add(words)
        last: dict[str, Person] = {}
        for i, name in places:
            words = name.words
            fitting = [p for p in holding[words[-1]] if _means(words, p.words)]
            recent = last.get(words[-1])
            if len(words) == 1 and recent in fitting and recent is not None:
                person = recent
            elif fitting:
                person = min(fitting, key=lambda p: (p.words != words, p.words[-1] != words[-1]))
            elif is_person(words) and len(words) == 1:
                person = add(words)
            else:
                continue
            self._give(person, i, name)
            last[person.words[-1]] = last[person.words[0]] = person
        return sorted((p for p in people if p.mentions), key=lambda p: p.mentions[0].span)

    def _give(self, person: Person, sentence: int, name: _Name) -> None:
        span = self.parsed.span_of(name.tokens, sentence)
        person.mentions.append(Mention(span, sentence, self.quoted(span)))
        person.gender = person.gender or name.gender
        if len(name.words) > len(_name_words(person.name.split())):
            person.name = name.tokens.text
        for token in name.tokens:
            self._by_token[sentence, token.i] = person


def _names_of(doc: Doc) -> Iterator[_Name]:
    """Yield what may name a person in a sentence: entities, and proper nouns outside them."""
    for start, end, label in _candidates(doc):
        before = doc[start - 1].lower_.rstrip(".") if start else ""
        honorific = before if before in HONORIFICS else ""
        while start < end - 1 and doc[start].lower_.rstrip(".") in HONORIFICS:
            honorific = doc[start].lower_.rstrip(".")
            start += 1
        words = _name_words([t.text for t in doc[start:end]])
        if words and doc[start].text[0].isalpha() and not words[-1].isdigit():
            certain = bool(honorific) or (len(words) > 1 and _is_somebody(doc[start:end]))
            yield _Name(doc[start:end], words, HONORIFICS.get(honorific, ""), certain, label)


def _candidates(doc: Doc) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and label of what may be a name; parts of one name are put together."""
    found: list[tuple[int, int, str]] = []
    i = 0
    while i < len(doc):
        label, start = doc[i].ent_type_, i
        if label:
            i += 1
            while i < len(doc) and doc[i].ent_iob_ == "I":
                i += 1
        elif doc[i].pos_ == "PROPN":
            while i < len(doc) and doc[i].pos_ == "PROPN" and not doc[i].ent_type_:
                i += 1
        else:
            i += 1
            continue
        end = i
        while end > start and (doc[end - 1].tag_ == "POS" or not doc[end - 1].text[0].isalnum()):
            end -= 1
        gap = doc[found[-1][1] : start] if found else doc[0:0]
        joined = found and (len(gap) or doc[found[-1][1] - 1].lower_ in _PARTICLES)
        if joined and found[-1][2] == "PERSON" and all(t.lower_ in _PARTICLES for t in gap):
            found[-1] = (found[-1][0], end, "PERSON")
        elif end > start and label not in _NOT_NAMED:
            found.append((start, end, label))
    yield from found


def _is_somebody(name: DocSpan) -> bool:
    """Say whether the grammar around a name tells a person: 'X, who ...', 'its chairman, X'."""
    root = name.root
    if root.dep_ in ("conj", "pobj", "dobj") and not list(root.children):
        return False
    beside = [c for c in root.children if c.dep_ in ("appos", "compound") and c not in name]
    beside += [root.head] if root.dep_ == "appos" else []
    who = (t for noun in (root, *beside) for t in noun.children if t.dep_ == "relcl")
    return any(noun.pos_ == "NOUN" and names_a_role(noun.lower_) for noun in beside) or any(
        verb.doc[verb.left_edge.i].lower_ == "who" for verb in who
    )


def _is_place(name: DocSpan) -> bool:
    """Say whether a name stands as a place does: 'in X', 'near X'."""
    return name.root.dep_ == "pobj" and name.root.head.lower_ in ("in", "at", "near", "on")


def names_a_role(noun: str) -> bool:
    """Say whether a noun is what a person may be, by the endings of English agent nouns."""
    return noun in _KIN or noun.endswith(_AGENT)


def _name_words(words: Sequence[str]) -> tuple[str, ...]:
    """Fold a name's words; honorifics, particles and 'Jr.' say nothing about whose name it is."""
    folded = [fold(word).strip(".,") for word in words]
    kept = [w for w in folded if w[:1].isalnum() and w not in HONORIFICS and w not in _SUFFIXES]
    return tuple([w for w in kept if w not in _PARTICLES] or kept)


def _means(words: tuple[str, ...], full: tuple[str, ...]) -> bool:
    """Say whether a name may be a shorter form of a full one."""
    return words == full or (set(words) <= set(full) and words[-1] in (full[0], full[-1]))


def _descriptions(name: DocSpan) -> Iterator[tuple[DocSpan, Form]]:
    """Yield what a sentence says somebody is, by the parse around their name."""
    doc, root = name.doc, name.root
    first = root.left_edge.i
    if first < name.start and any(t.pos_ == "NOUN" for t in doc[first : name.start]):
        yield _trim(doc[first : name.start]), "role"
    for child in root.children:
        if child.dep_ == "appos" and child.pos_ in ("NOUN", "PROPN") and child.i >= name.end:
            yield _trim(doc[child.left_edge.i : child.right_edge.i + 1]), "apposition"
        if child.dep_ == "relcl" and doc[child.left_edge.i].lower_ in ("who", "whose"):
            yield _trim(doc[child.left_edge.i : child.right_edge.i + 1]), "relative"
    head = root.head
    if root.dep_ == "appos" and head.pos_ in ("NOUN", "PROPN") and head.i < name.start:
        yield _trim(doc[head.left_edge.i : min(name.start, root.left_edge.i)]), "apposition"
    if root.dep_ == "nsubj" and head.lemma_ in ("be", "become"):
        for child in head.children:
            if child.dep_ == "attr" and child.pos_ in ("NOUN", "PROPN"):
                yield _trim(doc[child.left_edge.i : child.right_edge.i + 1]), "predicate"


def _is_plain(text: str) -> bool:
    """Say whether a description is words alone: no quotation, exclamation, half bracket, figure."""
    return (
        not set(text) & set('!?"“”')
        and text.count("(") == text.count(")")
        and any(c.isalpha() for c in text)
        and not text[0].isdigit()
        and not re.fullmatch(r"\w+ \d+(?:\W\d+)?", text)
        and not text.startswith("whose")
    )


def _trim(tokens: DocSpan) -> DocSpan:
    """Cut the punctuation at both ends."""
    start, end = tokens.start, tokens.end
    while start < end and _is_edge(tokens.doc[start]):
        start += 1
    while end > start and _is_edge(tokens.doc[end - 1]):
        end -= 1
    return tokens.doc[start : max(end, start + 1)]


def _is_edge(token: Token) -> bool:
    return token.is_punct or token.is_space
