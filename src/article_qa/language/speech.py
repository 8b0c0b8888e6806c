"""Who says what: every statement that an article puts into somebody's mouth.

Speakers are read from the parse: the subject of a verb of saying (or the noun behind 'according
to'), what it governs, and the quotations of its sentence; then from the form of the page: turns of
a transcript ('VENN: ...', 'Q: ... A: ...'). 'He said' means who spoke or acted last. Quotations
that nobody is said to speak go to the speaker of their paragraph, as in the first stage of O'Keefe
et al., 'A Sequence Labelling Approach to Quote Attribution' (2012).
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from article_qa.language.parse import Parsed, parse, parse_question
from article_qa.language.people import HONORIFICS, People, Person, names_a_role
from article_qa.retrieval.lexical import tokens as stems_of
from article_qa.types import Article, Block, Span

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token
    from spacy.tokens import Span as DocSpan

Form = Literal["direct", "reported", "turn"]

SAYING = frozenset(
    "say tell write tweet post argue warn add explain insist claim note state declare announce "
    "reply answer ask call describe admit concede acknowledge conclude continue recall remember "
    "joke shout whisper promise suggest observe remark testify respond predict caution urge agree "
    "estimate report believe think deny reject confirm complain quip stress maintain assert "
    "contend allege comment recount vow pledge accuse reckon lament boast recommend propose "
    "speak".split()
)
"""Lemmas of the verbs whose subject says, or thinks, what they govern."""

_WITHHOLDS = frozenset("decline refuse fail forget want hesitate".split())
_RECENT = 20
"""A pronoun means one of the last so many who spoke or acted."""

_HE = frozenset({"he", "she", "they"})
_GENDER = {"he": "m", "she": "f"}
_SUBJECTS = ("nsubj", "csubj")
_GOVERNED = ("ccomp", "xcomp", "dobj", "oprd", "prep", "attr", "acomp", "parataxis", "advcl")
_TURN = re.compile(
    r"(?P<label>[^\W\d_a-z][\w.'’-]*(?: [^\W\d_a-z][\w.'’-]*){0,3})(?: \([^)]{1,60}\))?:\s+(?=\S)"
)


@dataclass(frozen=True, slots=True)
class Attribution:
    """Somebody says something.

    Args:
        speaker: who, as it stands beside the verb; a pronoun or a turn's label may stand there.
        named: where the person or group that ``speaker`` means is named; ``speaker`` itself where
            it names them.
        name: the full name where it is a person of the article, else the words of ``named``.
        content: what is said: clauses and quotations, in reading order.
        verb: lemma of the verb of saying; "" for a turn or a quotation without one.
        form: direct speech, reported, or a turn of a transcript.
        sentence: the number of the sentence in ``Parsed.sentences``.
    """

    speaker: Span
    named: Span
    name: str
    content: tuple[Span, ...]
    verb: str
    form: Form
    sentence: int


@dataclass(frozen=True, slots=True)
class SpeakerMatch:
    """An attribution and how much of the words asked for its content holds.

    ``coverage`` is the share of their stems; ``exact`` says that they stand there word for word.
    """

    attribution: Attribution
    coverage: float
    exact: bool


class Speech:
    """All attributions of an article, in reading order.

    Args:
        article: the article.
        people: its people; found where none are given.
    """

    def __init__(self, article: Article, people: People | None = None) -> None:
        self.article = article
        self.people = people or People(article)
        self.parsed = self.people.parsed
        self._recent: deque[tuple[Span, Person | None]] = deque(maxlen=_RECENT)
        self._roles = dict(_roles(self.people))
        turns = dict(_turns(article))
        found: list[Attribution] = []
        speaker: tuple[Span, Span, str] | None = None
        for block in article.blocks:
            numbers = [
                i for s in block.sentences if (i := self.parsed.index_at(s.start)) is not None
            ]
            if block.kind == "boilerplate" or not numbers:
                continue
            if block.span.start in turns:
                speaker = self._turn(turns[block.span.start])
            elif block.kind in ("heading", "headline"):
                speaker = None
            here = self._in_block(block, numbers)
            if speaker is not None:
                here.append(self._turn_content(speaker, block, numbers[0]))
            found += here
        self.attributions: tuple[Attribution, ...] = tuple(found)

    def who_said(self, words: str) -> tuple[SpeakerMatch, ...]:
        """Rank the attributions by how much of ``words`` their content holds; none shares none."""
        wanted = set(stems_of(words))
        plain = _plain(words)
        found = []
        for attribution in self.attributions:
            said = " ".join(self.article.text[s.start : s.end] for s in attribution.content)
            stems = set(stems_of(said))
            exact = bool(plain) and f" {plain} " in f" {_plain(said)} "
            coverage = len(wanted & stems) / len(wanted) if wanted else float(exact)
            if coverage or exact:
                density = len(wanted & stems) / max(1, len(stems))
                found.append(
                    ((exact, coverage, density), SpeakerMatch(attribution, coverage, exact))
                )
        return tuple(match for _, match in sorted(found, key=lambda f: f[0], reverse=True))

    def said_by(self, name: str) -> tuple[Attribution, ...]:
        """List what a person, or a group under this name, says."""
        person = self.people.find(name)
        wanted = person.name if person else name
        return tuple(a for a in self.attributions if _plain(a.name) == _plain(wanted))

    # One block ------------------------------------------------------------------------------
    def _in_block(self, block: Block, numbers: Sequence[int]) -> list[Attribution]:
        """Attribute what the sentences of a block say; quotations left over go to its speaker."""
        found: list[Attribution] = []
        quotes = self.people.quotes_in(block.span)
        for i in numbers:
            found += self._in_sentence(i, quotes)
        claimed = [c for a in found for c in a.content]
        for quote in quotes:
            if any(c.overlaps(quote) for c in claimed) or not stems_of(self._text(quote)):
                continue
            near = min(found, key=lambda a: _distance(a.speaker, quote), default=None)
            number = self.parsed.index_at(quote.start)
            if near is not None and near.form == "direct" and number is not None:
                found.append(replace(near, content=(quote,), verb="", sentence=number))
        return found

    def _in_sentence(self, i: int, quotes: Sequence[Span]) -> list[Attribution]:
        doc = self.parsed.docs[i]
        inside = [q for q in quotes if q.overlaps(self.parsed.sentences[i])]
        found: list[Attribution] = []
        for token in doc:
            if token.dep_ == "nsubj" and not _is_reported(token) and not self._is_quoted(token, i):
                self._saw(token, i)
            said = _speaker_of(token)
            if said is None:
                continue
            who, content = said
            quoted = self._is_quoted(token, i)
            own = [] if quoted else [q for q in inside if not q.contains(self._span(who, i))]
            reported = [self.parsed.span_of(piece, i) for piece in content]
            if not own and not reported:
                continue
            reported = [r for r in reported if not any(q.overlaps(r) for q in own)]
            spans = sorted({*own, *reported})
            form: Form = "direct" if own else "reported"
            attribution = self._attribute(who, i, tuple(spans), token.lemma_.lower(), form)
            if attribution is not None:
                found.append(attribution)
        leader = self._beside_quote(doc, i, inside) if inside and not found else None
        if leader is not None:
            attribution = self._attribute(leader, i, tuple(inside), "", "direct")
            found += [attribution] if attribution else []
        return _sharing(found)

    def _beside_quote(self, doc: Doc, i: int, quotes: Sequence[Span]) -> Token | None:
        """Return the subject of a sentence that leads to a quotation: 'X shrugged: "..."'."""
        before = doc.text[: max(0, quotes[0].start - self.parsed.sentences[i].start)].rstrip()
        outside = [t for t in doc if not self._is_quoted(t, i)]
        verbs = [t for t in outside if t.lemma_ in SAYING]
        if not before.endswith(":") and not verbs:
            return None
        subjects = [t for t in outside if t.dep_ in ("nsubj", "appos") or self.people.at(t, i)]
        near = verbs[0].i if verbs else len(doc)
        return min(subjects, key=lambda t: abs(t.i - near), default=None)

    def _attribute(
        self, who: Token, i: int, content: tuple[Span, ...], verb: str, form: Form
    ) -> Attribution | None:
        """Name the speaker; None where it is nobody ('it', 'nobody', a pronoun for nobody)."""
        speaker = self._span(who, i)
        if who.lower_ in _HE:
            named, name = self._meant(who.lower_)
            if named is None:
                return None
        elif who.pos_ == "PRON":
            return None
        else:
            person = self._person(who, i)
            named, name = speaker, person.name if person else self._text(speaker)
            if who.tag_ not in ("NNS", "NNPS") and not _is_reported(who):
                self._recent.append((named, person))
        return Attribution(speaker, named, name, content, verb, form, i)

    # Who is meant ---------------------------------------------------------------------------
    def _saw(self, token: Token, i: int) -> None:
        """Remember a person who acts: a pronoun that follows may mean them."""
        person = self._person(token, i)
        if person is not None or (token.tag_ == "NN" and names_a_role(token.lower_)):
            self._recent.append((self._span(token, i), person))

    def _meant(self, pronoun: str) -> tuple[Span | None, str]:
        """Return who a pronoun means: who was last named, of a gender that is not another."""
        for span, person in reversed(self._recent):
            gender = person.gender if person else ""
            if pronoun == "they" or gender in ("", _GENDER[pronoun]):
                return span, person.name if person else self._text(span)
        return None, ""

    def _person(self, token: Token, i: int) -> Person | None:
        """Return the person that a subject names, by name, in apposition, or by their role."""
        for piece in (token, *(c for c in token.children if c.dep_ == "appos")):
            if (person := self.people.at(piece, i)) is not None:
                return person
        definite = any(c.lower_ == "the" for c in token.children)
        return self._roles.get(token.lemma_.lower()) if definite else None

    def _span(self, who: Token, i: int) -> Span:
        """Return the words that name a speaker: the name, or the noun phrase to its first comma."""
        for piece in (who, *(c for c in who.children if c.dep_ == "appos")):
            person = self.people.at(piece, i)
            if person is not None:
                token = self.parsed.span_of(piece, i)
                return next(m.span for m in person.mentions if m.span.overlaps(token))
        return self.parsed.span_of(_short_phrase(who), i)

    def _is_quoted(self, token: Token, i: int) -> bool:
        return self.people.quoted(self.parsed.span_of(token, i))

    def _text(self, span: Span) -> str:
        return self.article.text[span.start : span.end]

    # Transcripts ----------------------------------------------------------------------------
    def _turn(self, label: Span) -> tuple[Span, Span, str] | None:
        """Say who speaks in a turn: label, where named, name; None for 'Q', the interviewer."""
        text = self._text(label)
        if text in ("Q", "Question"):
            return None
        if text in ("A", "Answer"):
            named = self._interviewee(label.start)
            person = self._person_at(named) if named else None
            return (label, named, person.name if person else self._text(named)) if named else None
        initials = [p for p in self.people.people if _initials(p.name) == text.replace(".", "")]
        person = self.people.find(text) or (initials[0] if len(initials) == 1 else None)
        return label, label, person.name if person else text

    def _interviewee(self, before: int) -> Span | None:
        """Return the name that an interview's introduction has most, or its first subject."""
        earlier = [[m.span for m in p.mentions if m.span.end <= before] for p in self.people.people]
        if most := max(earlier, key=len, default=None):
            return most[0]
        for i, (sentence, doc) in enumerate(
            zip(self.parsed.sentences, self.parsed.docs, strict=True)
        ):
            subject = next((t for t in doc if t.dep_ == "nsubj" and t.pos_ == "PROPN"), None)
            if subject is not None and sentence.end <= before:
                return self._span(subject, i)
        return None

    def _person_at(self, span: Span) -> Person | None:
        return next(
            (p for p in self.people.people if any(m.span == span for m in p.mentions)), None
        )

    def _turn_content(
        self, turn: tuple[Span, Span, str], block: Block, sentence: int
    ) -> Attribution:
        label, named, name = turn
        start = block.span.start
        if label.start == start:
            start = label.end + 1
        return Attribution(label, named, name, (Span(start, block.span.end),), "", "turn", sentence)


def attribute(article: Article, parsed: Parsed | None = None) -> tuple[Attribution, ...]:
    """List who says what in an article; see ``Speech``."""
    return Speech(article, People(article, parsed or parse(article))).attributions


def speech_of(article: Article) -> Speech:
    """Return an article's attributions, remembered with its analysis."""
    derived = parse(article).derived
    if "speech" not in derived:
        derived["speech"] = Speech(article)
    speech: Speech = derived["speech"]
    return speech


def asked_words(question: str) -> str | None:
    """Return what a question asks the speaker of, or None where it does not ask for one.

    'who said the bridge is safe' asks for the speaker of 'the bridge is safe'; 'who built the
    bridge' asks for none: only a verb of saying behind 'who' does.
    """
    doc = parse_question(question)
    who = next((t for t in doc[:3] if t.lower_ in ("who", "whom")), None)
    if who is None:
        return None
    for token in doc[who.i + 1 : who.i + 7]:
        if token.lemma_.lower() in SAYING or token.lower_ in ("saying", "said", "says"):
            rest = doc[token.i + 1 :].text.strip(" ?.,:")
            return re.sub(r"^(?:that|as)\s+", "", rest, flags=re.I) or None
        if token.pos_ not in ("AUX", "ADV", "PRON", "SCONJ") and token.lemma_ not in (
            "quote",
            "be",
        ):
            return None
    return None


# ---------------------------------------------------------------------------------------------
# One verb
# ---------------------------------------------------------------------------------------------
def _speaker_of(verb: Token) -> tuple[Token, list[DocSpan]] | None:
    """Return the head of who says, and what is said, where ``verb`` is one of saying."""
    if verb.lower_ == "according":
        noun = next((n for to in verb.children for n in to.children if n.dep_ == "pobj"), None)
        return None if noun is None else (noun, _around(verb))
    if verb.lemma_.lower() not in SAYING or verb.pos_ not in ("VERB", "AUX") or _withheld(verb):
        return None
    if _is_passive(verb):
        agent = (n for by in verb.children if by.dep_ == "agent" for n in by.children)
        who = next((n for n in agent if n.dep_ == "pobj"), None)
    else:
        who = _subject(verb)
    if who is None or who.lower_ in ("nobody", "none", "no-one", "who"):
        return None
    return who, _content(verb, who)


def _is_passive(verb: Token) -> bool:
    """Say whether a verb is passive, a bare participle included: 'asked whether ...'."""
    dependents = [c for c in verb.children if c.dep_ in ("aux", "auxpass", "nsubj", "nsubjpass")]
    if not dependents:
        return verb.tag_ == "VBN" and verb.dep_ in ("advcl", "acl")
    return any(c.dep_ in ("nsubjpass", "auxpass") for c in dependents)


def _is_reported(token: Token) -> bool:
    """Say whether a word belongs to what somebody is reported to say."""
    chain = (token, *token.ancestors)
    return any(t.dep_ == "ccomp" and t.head.lemma_.lower() in SAYING for t in chain)


def _subject(verb: Token, depth: int = 4) -> Token | None:
    """Return the head of a verb's subject, which it may share with the verb it hangs on."""
    own = next((c for c in verb.children if c.dep_ in _SUBJECTS), None)
    if own is not None and own.lower_ not in ("who", "that", "which"):
        return own
    if verb.dep_ in ("relcl", "acl"):
        return verb.head
    if own is not None or depth == 0:
        return None
    if verb.dep_ in ("conj", "advcl", "xcomp", "pcomp", "prep", "dep") and verb.head.i != verb.i:
        head = verb.head
        if verb.dep_ != "conj" and (passive := _passive_subject(head)) is not None:
            return passive
        return _subject(head, depth - 1)
    return None


def _passive_subject(verb: Token) -> Token | None:
    return next((c for c in verb.children if c.dep_ == "nsubjpass"), None)


def _withheld(verb: Token) -> bool:
    """Say whether nothing is said: 'did not say', 'declined to say', 'if she says'."""
    if any(c.dep_ == "neg" for c in verb.children):
        return True
    head = verb.head
    if verb.dep_ == "xcomp" and (
        head.lemma_ in _WITHHOLDS or any(c.dep_ == "neg" for c in head.children)
    ):
        return True
    return any(c.dep_ == "mark" and c.lower_ in ("if", "unless") for c in verb.children)


def _content(verb: Token, who: Token) -> list[DocSpan]:
    """Return what a verb of saying governs: its clause, or what else stands right of it."""
    doc = verb.doc
    clauses = [c for c in verb.children if c.dep_ in ("ccomp", "parataxis")]
    governed = clauses or [
        c
        for c in verb.children
        if c.dep_ in _GOVERNED and c.i > verb.i and c.i != who.i and c.dep_ != "dative"
    ]
    found = [doc[c.left_edge.i : c.right_edge.i + 1] for c in governed]
    if verb.dep_ in ("parataxis",) and not clauses:  # 'The bridge, he said, is safe.'
        found += _around(verb)
    return [piece for piece in found if not piece.start <= who.i < piece.end]


def _around(head: Token) -> list[DocSpan]:
    """Return the rest of a sentence, left and right of a phrase."""
    doc, sent = head.doc, head.sent
    pieces = (doc[sent.start : head.left_edge.i], doc[head.right_edge.i + 1 : sent.end])
    return [piece for piece in pieces if any(t.is_alpha for t in piece)]


def _short_phrase(noun: Token) -> DocSpan:
    """Return a noun phrase without what follows its first comma or relative clause."""
    doc, end = noun.doc, noun.right_edge.i + 1
    for child in noun.rights:
        if child.is_punct or child.dep_ in ("relcl", "appos", "acl", "cc"):
            end = child.left_edge.i
            break
    comma = next((t.i for t in doc[noun.i + 1 : end] if t.text == ","), end)
    return doc[noun.left_edge.i : max(comma, noun.i + 1)]


def _sharing(found: list[Attribution]) -> list[Attribution]:
    """Give the quotations of a sentence to the nearest of its speakers alone."""
    direct = [a for a in found if a.form == "direct"]
    if len({a.name for a in direct}) < 2:
        return found
    kept = []
    for a in found:
        content = tuple(
            c
            for c in a.content
            if a.form != "direct"
            or min(direct, key=lambda d: _distance(d.speaker, c)).name == a.name
        )
        kept += [replace(a, content=content)] if content else []
    return kept


# ---------------------------------------------------------------------------------------------
# A whole article
# ---------------------------------------------------------------------------------------------
def _turns(article: Article) -> Iterator[tuple[int, Span]]:
    """Yield the start and label of each turn of a transcript: labels that come again."""
    labels = []
    for block in article.blocks:
        match = _TURN.match(article.text, block.span.start, block.span.end)
        if match and block.kind != "headline":
            labels.append(Span(*match.span("label")))
    texts = Counter(article.text[s.start : s.end] for s in labels)
    if sum(count for count in texts.values() if count > 1) >= 2:
        yield from ((label.start, label) for label in labels)


def _roles(people: People) -> Iterator[tuple[str, Person]]:
    """Yield the head noun of what each person is: 'judge', where one person alone is one."""
    found: dict[str, set[str]] = {}
    owner: dict[str, Person] = {}
    for person in people.people:
        for description in people.describe(person):
            tokens = people.parsed.tokens_in(description.span)
            if tokens is not None and description.form in ("apposition", "role"):
                noun = tokens.root if description.form == "apposition" else tokens[-1]
                if noun.pos_ in ("NOUN", "PROPN"):
                    found.setdefault(noun.lemma_.lower(), set()).add(person.name)
                    owner[noun.lemma_.lower()] = person
    yield from ((noun, owner[noun]) for noun, names in found.items() if len(names) == 1)


def _distance(a: Span, b: Span) -> int:
    return max(a.start - b.end, b.start - a.end, 0)


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split() if word[:1].isupper())


def _plain(text: str) -> str:
    words = re.findall(r"\w+", text.casefold().replace("’", "'"))
    return " ".join(w for w in words if w not in HONORIFICS)
