"""A follow-up question and its history -> a question that stands alone.

``standalone`` needs no language model. A rewrite is English, or it is not made. Its rules, in the
order in which they are tried:

1. A fragment asks the last question, or what the last answer says, for something else: 'why?',
   'since when', 'how much', 'which one', 'is that true?', 'says who', 'and after that?'.
2. 'The second one' is the second item of the last answer, or the second of what was asked for.
3. A phrase ('and in 2019?', 'what about the lawyers?') takes the place of the phrase of its kind in
   the last question: a time for a time, a place for a place, a person for a person. Only what says
   when or where may be added to a question that says nothing of the kind.
4. A word that points back (he, it, their, there, then, the company, that report) is replaced by the
   best *mention* of the history that agrees with it in kind, number and gender. Mentions are scored
   by where they stand, after the salience weights of Lappin & Leass, "An Algorithm for Pronominal
   Anaphora Resolution" (Computational Linguistics, 1994): what was spoken of by a pronoun last time
   (the centre of Grosz, Joshi & Weinstein, 1995), then the answer, the question's subject, its
   other phrases, the quotes; subjects prefer subjects, objects objects; older turns count less.
5. Anything else stands alone and is returned as it is, byte for byte; so is a question about the
   article as a whole ('When was it published?') after another.

A refused turn does not end a topic: rules 1 and 2 ask on from the last answered turn, and what a
refused question named counts for little in rule 4, and last of all where no passage found so far
speaks of it. An unsure answer is an answer. A word that finds its antecedent in its own question,
or that points at nothing ('is it true that', 'is there', 'the man that'), is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import Literal, NamedTuple

from article_qa.answering.overview import overview_kind
from article_qa.answering.question import asked_about
from article_qa.language.mentions import (
    ADVERBS,
    AUXILIARIES,
    BE,
    CLAUSE_WORDS,
    DETERMINERS,
    PLACE_PREPOSITIONS,
    PREPOSITIONS,
    PRONOUNS,
    SAYS,
    TIME_WORDS,
    WH_WORDS,
    Mention,
    is_plural,
    is_verb,
    mentions_of,
    noun_kinds,
    tokens_of,
)
from article_qa.types import Span, Turn

MAX_QUESTION = 1000
"""Characters of a follow-up; a longer question tells enough to stand alone."""
MAX_TURNS = 10
"""Turns that a follow-up is understood from; it points at the last one or two."""
MAX_SAID, MAX_QUOTES = 600, 6
"""Characters of an earlier question, answer or quote that are read, and quotes of a turn."""
MAX_POINTERS = 8
"""Words of a kind in a follow-up that are looked up; more are no question."""

# ---------------------------------------------------------------------------------------------
# Words and forms of follow-ups. General English only; nothing here knows an article.
# ---------------------------------------------------------------------------------------------
_OBJECT_WH = frozenset("who whom what which".split())
_MOTION = frozenset("get go goes going went travel drive walk come came fly flew return".split())
_TRADE = frozenset("buy sell rent bought sold rented".split())
_FUNCTION = DETERMINERS | PREPOSITIONS | WH_WORDS | AUXILIARIES | PRONOUNS | ADVERBS
_PLURALS = {"does": "do", "is": "are", "was": "were", "has": "have"}
_SINGULARS = {plural: singular for singular, plural in _PLURALS.items()}
_POINTERS: dict[str, tuple[str, str]] = {
    "he": ("he", "subject"), "him": ("he", "object"), "his": ("he", "possessive"),
    "himself": ("he", "reflexive"), "she": ("she", "subject"), "her": ("she", "object"),
    "hers": ("she", "possessive"), "herself": ("she", "reflexive"),
    "they": ("they", "subject"), "them": ("they", "object"), "their": ("they", "possessive"),
    "it": ("it", "object"), "its": ("it", "possessive"),
}  # fmt: skip
_EXPLETIVE_IT = re.compile(
    r"\b(?:is|was|were|be|been|isn't|wasn't|would|will|does|did|do) it "
    r"(?!likely|going|able|ready|due|set|expected|supposed|meant|used)(?:\w+ )?(?:\w+ )?"
    r"(?:that|to|who|whether|clear|true|possible|important|necessary|like to)\b"
    r"|\bit (?:is|was|'s|’s|will be|would be|has been|seems?|appears?|became|turns? out)"
    r"(?: \w+){0,3} (?:that|to|who|whether|for)\b"
    r"|\bit (?:takes?|took) (?:\w+ ){0,4}to\b|\bit take (?:\w+ ){0,4}to\b"
    r"|\bwas it [A-Z]\w+(?: [A-Z]\w+)* (?:who|that)\b|\bwhat time (?:is|was) it\b"
    r"|\bit (?:rain|snow|(?:is|was|gets|got|will be) (?:too )?(?:wind|rain|snow|cold|hot|dark|late"
    r"|sunny|warm|wet))",
    re.IGNORECASE,
)
_ANAPHORIC_NOUN = re.compile(
    r"\b(?:the|this|that) (group|company|firm|organi[sz]ation|movement|man|woman|city|country|"
    r"town|village|place)\b(?! (?:of|that|which|who|whose|where|in|for|from|at|behind|with|to)\b)"
    r"(?!['’]?s? ?-)",
    re.IGNORECASE,
)
_NOUN_TARGET = {
    "man": "he", "woman": "she", "city": "place", "country": "place", "town": "place",
    "village": "place", "place": "place",
}  # fmt: skip
_DEMONSTRATIVE = re.compile(r"\b(that|this|those|these) ([a-z]+(?:-[a-z]+)*)\b", re.IGNORECASE)
_THERE = re.compile(r"\bthere\b(?!['’]s)", re.IGNORECASE)
_THEN = re.compile(r"(?<!since )(?<!by )(?<!until )\b(?:then|at that time|at the time)(?=\?|$)")
_BARE_TIME = re.compile(r"(?![A-Z]\w+day)(?:[A-Z][a-z]+)?(?: ?\d{4})?")
_EXPLETIVE_THERE = re.compile(
    r"\b(?:is|are|was|were|be|been|isn't|aren't|has|have|had|will|would|can|could|may|might|must|"
    r"should) there\b(?! (?:when|then)\b)|\bthere (?:is|are|was|were|be|been|has|have|had|will|"
    r"would|can|could|may|might|must|should|any)\b",
    re.IGNORECASE,
)
_ORDINALS = "first|second|third|fourth|fifth|sixth|last|next"
_YEAR = r"1\d{3}|20\d\d"
_SPAN_OF_TIME = (
    r"(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|the) "
    r"(?:minutes?|hours?|days?|weeks?|months?|years?)|\d{1,2} [A-Z]\w+(?: \d{4})?|\d{4}"
    r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|[A-Z][a-z]+ \d{4}"
)
_JOINING = re.compile(
    r"^(?:(?:and|but|or|so|also|ok|okay|well|right|hmm?|oh|then|yes|no|thanks)\b[, ]+)+(?=\w)", re.I
)
_SHORT_IS = re.compile(r"\b(what|who|where|when|why|how)['’]?s\b", re.IGNORECASE)
_IS_TRUE = re.compile(
    r"(?:is|was|are) (?:that|this|it|you) (?:really |actually )?"
    r"(?:true|right|correct|so|sure|certain|accurate)|really|true|are you sure(?: about that)?",
    re.IGNORECASE,
)
_WHY = re.compile(r"why(?: (?:is|was) (?:that|this)| so| not| exactly)?|how (?:come|so)", re.I)
_EVENT = re.compile(
    r"(?P<lead>why|when|where|how)(?: (?:exactly|precisely))?"
    r"(?: (?:did|does|do|was|is|has|will|would) (?:that|this|(?:it|he|she|they)"
    r"(?= (?:happen|occur|so)))(?: (?:happen|happened|occur|be|so|the case))?)?",
    re.IGNORECASE,
)
_DO_THAT = re.compile(
    r"(?P<lead>why|when|where|how(?: often| soon| long)?) (?:did|does|do|can|could|will|would|may"
    r"|should) (?:he|she|they|it|you|we|i) do (?:that|this|it|so)",
    re.IGNORECASE,
)
_STRANDED = re.compile(
    r"(?P<wh>where|what|who|whom) (?P<to>to|from|for|with|by|at|on|in|about)", re.I
)
_LEAD = re.compile(
    r"(?:by|with|to|for|from|since|until|at|in|on) (?:whom?|what|when|"
    r"where|which \w+|how (?:long|many|much))"
    rf"|{_STRANDED.pattern}"
    r"|how (?:long|often|many|much|far|big|old)(?: \w+)?|who|whom|what"
    r"|(?:who|what|where|when|how|why) else|which(?: \w+)?(?: \w+)?"
    r"|what (?:year|day|month|time|kind)",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"(?:please )?(?:(?:tell|give) me more(?: about (?:it|this|that|him|her|them))?|more|go on|"
    r"continue|elaborate|anything else|what else|can you (?:elaborate|tell me more|explain)|"
    r"explain)(?: please)?",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"(?:what (?:happens|happened|comes|came) )?(?:next|then|after that|afterwards|after this)"
    r"|(?:and )?then what|what (?:then|next)",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"(?:what|how) about (?P<rest>.+)", re.IGNORECASE)
_SAYS_WHO = re.compile(r"says who|who says(?: so)?|according to whom?", re.IGNORECASE)
_WHO_SAID = re.compile(
    r"(?P<who>who (?:said|says|claimed|claims|added)) (?:that|this|so|it)", re.IGNORECASE
)
_SAID_THAT = re.compile(
    r"\b(said|say|says|claimed?|claims|decided?|decides|thinks?|thought|believed?|know|knows|knew|reported?"
    r"|announced?|confirm(?:ed)?|denied|deny|mean(?:s|t)?|told \w+|states?|stated|argued?) "
    r"(that|this|so)$",
    re.IGNORECASE,
)
_VERB_THAT = re.compile(r"\b(?!do |does )(\w+) (that|this)$", re.IGNORECASE)
_POINTS_AT_EVENT = re.compile(
    r"\b(?:do|does|did|is|was|will|would|has|could|can) (?:that|this)"
    r"(?: (?:mean|cause|caused|affect|change|help|matter|work|a|an|the|part|because|after|before|"
    r"during|why|how|important|lead|result|say|show|surprise|good|bad)\b.*)?$"
    r"|\bdo it$"
    r"|\b(?:do|about|after|before|by|from|with|of|for|like|caused?|mean|to) (?:that|this)$",
    re.IGNORECASE,
)
_OWNED = re.compile(r"(?:his|her|their|its) \w+(?: \w+)?", re.IGNORECASE)
_ORDINAL = re.compile(rf"(?:the )?({_ORDINALS})(?: one)?", re.IGNORECASE)
_THE_ORDINAL_ONE = re.compile(
    rf"(?<=\w )the (?P<which>(?:{_ORDINALS}|other)(?= one\b)|former\b|latter\b)(?: one)?",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"now|today|nowadays|currently|recently|(?:last|this|next) (?:year|month|week|summer|winter|"
    rf"spring|autumn|century|time)|before|later|{_YEAR}",
    re.IGNORECASE,
)
_TIME_PREPOSITIONS = frozenset("in on at during since by until".split())
_ADVERBIAL = re.compile(
    r"\b(?P<in>(?i:" + "|".join(sorted(PREPOSITIONS)) + r")) "
    r"(?P<what>(?!(?i:" + "|".join(sorted(PREPOSITIONS | AUXILIARIES | CLAUSE_WORDS)) + r")\b)"
    r"[^\s,]+(?: (?!(?i:"
    + "|".join(sorted(PREPOSITIONS | AUXILIARIES | CLAUSE_WORDS | ADVERBS))
    + r")\b)[^\s,]+){0,4})"
)
_INDEFINITE = re.compile(
    r" (?:(?P<any>an?|any|some) (?P<noun>[a-z]+(?: [a-z]+)?)"
    r"|(?P<one>(?:some|any)(?:one|body|thing)))$"
)
_MINE = re.compile(
    r"\b(?:my|your|our) (?!own\b)[a-z]+(?=$| (?:" + "|".join(sorted(_FUNCTION)) + r")\b|[?.,])"
)
_POSSESSIVES = re.compile(r"\b(?:my|your|our|his|her|its|their) $", re.IGNORECASE)
_SEVERAL = re.compile(r"(?:[?!]|(?<=[a-z]{4})\.) +\w")
_MAX_STATEMENT = 40


# ---------------------------------------------------------------------------------------------
# Mentions of a history, and how well they agree with a pronoun
# ---------------------------------------------------------------------------------------------
_CENTRE, _ANSWER, _SUBJECT, _OBJECT, _QUOTE = 4.0, 3.0, 2.5, 2.0, 1.0
_OLDER, _REFUSED, _ABSENT, _PARALLEL, _AGENT = 1.5, 1.0, 4.0, 0.75, 2.0
_SHORT_ANSWER = 8
"""An answer of at most this many words is spoken of as a whole; of a longer one only its names."""


class _Remembered(tuple[Turn, ...]):
    """A history whose mentions are found once."""

    @cached_property
    def mentions(self) -> list[Mention]:
        return _history_mentions(self)


def _bounded(turn: Turn) -> Turn:
    """Cut a turn to what is read of it; a client may have sent anything."""
    answer = turn.answer
    cited = [replace(c, quote=c.quote[:MAX_SAID]) for c in answer.citations[:MAX_QUOTES]]
    understood = answer.understood_as
    return Turn(
        turn.question[:MAX_SAID],
        replace(
            answer,
            plain=answer.plain[:MAX_SAID],
            understood_as=understood and understood[:MAX_SAID],
            citations=tuple(cited),
            hits=answer.hits[:MAX_QUOTES],
        ),
    )


def _question_of(turn: Turn) -> str:
    return _SHORT_IS.sub(r"\1 is", turn.answer.understood_as or turn.question)


def _quotes(turn: Turn) -> str:
    return " ".join(citation.quote for citation in turn.answer.citations)


def _evidence(turn: Turn) -> str:
    return " ".join([_quotes(turn), *(hit.passage.text for hit in turn.answer.hits)])


def _cased(text: str, evidence: str) -> str:
    """Write names typed in lower case as ``evidence`` writes them; the length stays the same.

    A word that begins a sentence there is a name only if it stands in no other form, is no plural
    and follows no article in ``text``.
    """
    plain = set(re.findall(r"\b[a-z][\w-]*", evidence)) | _FUNCTION
    names: dict[str, bool] = {}
    for match in re.finditer(r"(?P<start>^|[.!?:“\"] *)?\b(?P<name>[A-Z][^\W_]*)", evidence):
        low = match["name"].lower()
        if low not in plain:
            names[low] = names.get(low, False) or match["start"] is None

    def written(match: re.Match[str]) -> str:
        low = match["word"]
        sure = names.get(low)
        if sure is None or (not sure and (match["the"] or is_plural(low))):
            return match[0]
        return f"{match['the'] or ''}{low.capitalize()}"

    return re.sub(r"(?P<the>\b(?:the|an?) )?\b(?P<word>[a-z][^\W_]*)", written, text)


def _answer_mentions(turn: Turn, evidence: str) -> list[Mention]:
    """List what an answer names; a short one is spoken of as a whole."""
    answer = turn.answer.plain.strip().strip("\"“”'.,;:")
    words = answer.split()
    asked = {token.low for token in tokens_of(_question_of(turn))[:3]}
    if not words or ("how" in asked and (answer[0].isdigit() or {"many", "much"} & asked)):
        return []  # '3.1 hectares' is never 'they'
    found = [replace(m, weight=_OBJECT + 0.25) for m in _mentions(answer, evidence)]
    if len(words) > _SHORT_ANSWER:
        return [m for m in found if m.name]
    if "when" in asked:
        return [Mention(answer, ("time",), weight=_ANSWER)]
    role: Literal["agent", "answer"] = "agent" if asked & {"who", "whom", "whose"} else "answer"
    if role == "agent":
        found = [replace(m, role=role) for m in found]
    names = [m for m in found if m.name]
    if len(names) > 1 and " and " in answer and answer[0].isupper():
        return [Mention(answer, names[0].kinds, True, "", "answer", True, weight=_ANSWER), *found]
    if {"how", "why"} & asked or not (names or words[0].lower() in DETERMINERS):
        return found
    bare = re.sub(r"^(?:by|in|at|on|to|from|near) ", "", answer)
    if not names:
        head = Mention(answer, ("thing",)).head
        return [Mention(answer, noun_kinds(head), is_plural(head), "", role, weight=_ANSWER)]
    whole = bare[0].isupper() or bare.lower().startswith("the ")
    text = bare if whole and len(bare.split()) <= len(names[0].text.split()) + 1 else names[0].text
    first = replace(names[0], text=text, role=role, weight=_ANSWER)
    return [first, *(m for m in found if m.text != first.text)]


def _turn_mentions(turn: Turn) -> list[Mention]:
    """Everything a turn spoke of, weighted by where it stands."""
    evidence = _evidence(turn)
    question = _cased(_question_of(turn), evidence)
    asked = {m.text for m in mentions_of(_cased(turn.question, evidence))}
    words = re.findall(r"\w+", turn.question.lower())
    spoken = {_POINTERS[word][0] for word in words if word in _POINTERS} & {"he", "she"}
    gender = {"he": "m", "she": "f"}[spoken.pop()] if len(spoken) == 1 else ""
    found = []
    for mention in _mentions(question, evidence):
        weight = {"subject": _SUBJECT, "modifier": _QUOTE}.get(mention.role, _OBJECT)
        if turn.answer.understood_as and mention.text not in asked:
            weight, mention = _CENTRE, replace(mention, gender=mention.gender or gender)
        found.append(replace(mention, weight=weight + 0.25 * mention.name))
    if turn.answer.refused:
        return found
    if (person := _who_is(_question_of(turn), evidence)) is not None:
        said = [replace(m, weight=_QUOTE) for m in _answer_mentions(turn, evidence)]
        return [replace(person, weight=_ANSWER), *said]
    found.extend(_answer_mentions(turn, evidence))
    quotes = _mentions(_quotes(turn), evidence)
    found.extend(replace(m, weight=_QUOTE + 0.25 * m.name, role="quote") for m in quotes)
    return found


def _who_is(question: str, evidence: str) -> Mention | None:
    """Return whom 'Who is NAME?' is about: he stays the topic, not what he is found to be."""
    words = _name_asked(question)
    named = (m for m in mentions_of(question, evidence) if m.name)
    person = next((m for m in named if words == _name_asked(f"Who is {m.text}?")), None)
    if person is None and words:  # asked in lower case
        name = re.search(rf"\b{r'[ -]'.join(map(re.escape, words))}\b", evidence, re.IGNORECASE)
        if name is not None and all(w[0].isupper() for w in re.split("[ -]", name.group())):
            person = Mention(name.group(), ("person",), name=True)
    return person and replace(person, kinds=("person",), role="answer")


def _name_asked(question: str) -> list[str]:
    return [word.casefold() for word in re.findall(r"[\w’'-]+", asked_about(question))]


def _mentions_in(history: Sequence[Turn]) -> list[Mention]:
    return history.mentions if isinstance(history, _Remembered) else _history_mentions(history)


def _history_mentions(history: Sequence[Turn]) -> list[Mention]:
    """List what was spoken of; what only a refused turn names, and no passage, comes last."""
    seen = set(re.findall(r"\w+", " ".join(map(_evidence, history)).lower()))
    found: list[Mention] = []
    known: dict[str, str] = {}
    turns = []
    for turn in history:
        mentions = [_known_part(m, known) for m in _turn_mentions(turn)]
        known.update({m.text: m.gender or known.get(m.text, "") for m in mentions})
        turns.append((turn.answer.refused, mentions))
    age = 0
    for refused, mentions in reversed(turns):
        for m in mentions:
            absent = refused and bool(seen) and m.head.split("'")[0] not in seen
            penalty = _OLDER * age + _REFUSED * refused + _ABSENT * absent
            gender = m.gender or known[m.text]
            found.append(replace(m, weight=m.weight - penalty, gender=gender))
        age += not refused
    return found


def _known_part(mention: Mention, known: Container[str]) -> Mention:
    """Cut 'the upgrade due' to 'the upgrade', of which an older turn spoke."""
    words = mention.text.split(" ")
    parts = (" ".join(words[:k]) for k in range(2, len(words)))
    shorter = next((part for part in parts if part in known), None)
    return replace(mention, text=shorter) if shorter and not mention.name else mention


def _mentions(text: str, evidence: str) -> list[Mention]:
    """List the mentions of a text, 'my plan' too, but no 'Hospital' of 'St. Aldith's Hospital'."""
    found = mentions_of(text, evidence)
    for mine in _MINE.finditer(text):
        head = mine[0].split()[-1].lower()
        found.append(Mention(mine[0], noun_kinds(head), is_plural(head), span=Span(*mine.span())))
    return [m for m in found if not text[: m.span.start].rstrip().endswith(("'s", "’s"))]


def _fit(target: str, mention: Mention) -> float | None:
    """Say how well a mention agrees with a kind of pronoun; None where it cannot be meant."""
    kinds, first = mention.kinds, mention.kinds[0]
    if target in {"he", "she"}:
        wrong = {"he": "f", "she": "m"}[target]
        if "person" not in kinds or mention.plural or mention.gender == wrong:
            return None
        return (1.0 if first == "person" else 0.2) + 0.5 * bool(mention.gender)
    if target == "they":
        if mention.plural and first != "time":
            return 1.0
        if first == "group" or (mention.name and "group" in kinds):
            return 0.8 if first == "group" else 0.4
        if first == "place" and mention.role == "subject":
            return 0.2
        return 0.0 if first == "person" else None
    if target == "it":
        if mention.plural or kinds == ("person",) or first == "time":
            return None
        return {"thing": 1.0, "group": 1.0, "place": 0.6}.get(first, -0.6)
    if target == "place":
        if first == "place":
            return 1.0
        return 0.3 if "place" in kinds else (-0.5 if first in {"thing", "group"} else None)
    if target == "time":
        return 1.0 if first == "time" else None
    if target == "group":
        if first == "group":
            return 1.0
        return 0.2 if mention.name and ("group" in kinds or mention.plural) else None
    return None


def _resolve(
    target: str, history: Sequence[Turn], *, subject: bool, exclude: Sequence[str] = ()
) -> Mention | None:
    """Find what a pronoun of the kind ``target`` means; None where nothing agrees with it."""
    best: tuple[float, Mention] | None = None
    for mention in _mentions_in(history):
        fit = _fit(target, mention)
        low = mention.text.lower()
        if fit is None or any(low in e or e in low for e in exclude):
            continue
        parallel = mention.role == ("subject" if subject else "object")
        parallel = parallel or (mention.role in {"answer", "agent"} and target != "it")
        score = mention.weight + fit + _PARALLEL * parallel
        if target == "it" and mention.role == "agent":
            score -= _AGENT  # who did it is seldom 'it': 'Who wrote the report? When was it ...'
        if best is None or score > best[0]:
            best = (score, mention)
    return best[1] if best else None


# ---------------------------------------------------------------------------------------------
# Words that point back
# ---------------------------------------------------------------------------------------------
def _possessive(name: str) -> str:
    return name + ("'" if name.endswith("s") else "'s")


def _internal(mentions: Sequence[Mention], question: str, at: int, target: str, role: str) -> bool:
    """Say whether a pronoun at ``at`` finds its antecedent in its own question.

    A subject or possessive pronoun may mean any agreeing phrase before it; an object pronoun only
    one of another clause ('What did Biden say to him?' is not about Biden).
    """
    before = question[:at].lower().split()
    if before[3:] and before[-1] in CLAUSE_WORDS and not set(before) & (DETERMINERS | PRONOUNS):
        return True  # 'What did owen pryce say when he lost?'
    for mention in mentions:
        if mention.span.end > at or _fit(target, mention) is None:
            continue
        if role != "object":
            return True
        between = question[mention.span.end : at].lower()
        if set(re.findall(r"[a-z]+", between)) & CLAUSE_WORDS or SAYS.search(between):
            return True
    return False


def _role(question: str, match: re.Match[str], word: str) -> str:
    role = _POINTERS[word][1]
    after = question[match.end() :].lstrip().lower()
    following = re.match(r"[a-z]+", after)
    follower = following.group() if following else ""
    if word == "her":
        noun = (
            follower
            and follower not in PREPOSITIONS | AUXILIARIES | CLAUSE_WORDS | ADVERBS | PRONOUNS
        )
        return "possessive" if noun and follower not in DETERMINERS else "object"
    if word == "it" and follower:
        before = question[: match.start()].split()
        after_aux = bool(before) and before[-1].lower() in AUXILIARIES
        if after_aux or follower in AUXILIARIES or is_verb(follower):
            return "subject"
    return role


def _replace_pronouns(question: str, history: Sequence[Turn]) -> str:
    evidence = " ".join(_evidence(turn) for turn in history)
    own = mentions_of(_cased(question, evidence), evidence)
    expletive = [Span(*m.span()) for m in _EXPLETIVE_IT.finditer(question)]
    edits: list[tuple[Span, str]] = []
    taken: dict[str, str] = {}
    tried = 0
    for match in re.finditer(r"[A-Za-z]+", question):
        word = match.group().lower()
        if word not in _POINTERS:
            continue
        target, _ = _POINTERS[word]
        role = _role(question, match, word)
        here = Span(*match.span())
        if word == "it" and re.search(r"\b(?:who|what) (?:did|does) $", question[: here.start]):
            continue  # 'Who did it?'
        if word == "it" and any(span.overlaps(here) for span in expletive):
            continue
        if role == "reflexive" or (
            target not in taken and _internal(own, question, here.start, target, role)
        ):
            continue
        if target in taken and (role == "possessive" or target in {"he", "she"}):
            continue  # the first one is named already: 'When did Khalilzad write his memoir?'
        if (tried := tried + 1) > MAX_POINTERS:
            break
        exclude = [m.text.lower() for m in own if m.span.end <= here.start]
        exclude += [text.lower() for text in taken.values()]
        mention = _resolve(target, history, subject=role == "subject", exclude=exclude)
        if mention is None or (
            target == "they" and taken.keys() & {"he", "she"} and not mention.plural
        ):
            continue
        text = _possessive(mention.text) if role == "possessive" else mention.text
        edits.append((here, text))
        taken.setdefault(target, mention.text)
    return _apply(question, edits)


def _replace_nouns(question: str, history: Sequence[Turn]) -> str:
    """Replace 'the company', 'that report', 'there', 'then' by what they mean."""
    own = mentions_of(question)
    edits: list[tuple[Span, str]] = []
    for match in islice(_ANAPHORIC_NOUN.finditer(question), MAX_POINTERS):
        noun = match.group(1).lower()
        target = _NOUN_TARGET.get(noun, "group")
        names = [m for m in own if m.name and m.span.end <= match.start()]
        if any((_fit(target, m) or 0) >= 1 for m in names):
            continue
        mention = _resolve(target, history, subject=True, exclude=[match.group().lower()])
        if mention is not None and mention.name and (_fit(target, mention) or 0) > 0:
            edits.append((Span(*match.span()), mention.text))
    for match in islice(_DEMONSTRATIVE.finditer(question), MAX_POINTERS):
        found = _same_head(match.group(2).lower(), history, match.group(1).lower())
        if found and not any(span.overlaps(Span(*match.span())) for span, _ in edits):
            edits.append((Span(*match.span()), found))
    edits.extend(_there_and_then(question, history, own))
    return _apply(question, edits)


def _same_head(noun: str, history: Sequence[Turn], word: str) -> str | None:
    """Find the longest phrase about ``noun`` in the history ('that report' -> 'the report on')."""
    if noun in {"time", "year", "day", "month"} and word in {"that", "this"}:
        time = _resolve("time", history, subject=False)
        return time.text if time and time.text[0].isdigit() else None
    mentions = sorted(_mentions_in(history), key=lambda m: -m.weight)
    found = next((m for m in mentions if not m.name and m.head == noun), None)
    return found.text if found else None


def _there_and_then(
    question: str, history: Sequence[Turn], own: Sequence[Mention]
) -> Iterator[tuple[Span, str]]:
    for match in islice(_THERE.finditer(question), MAX_POINTERS):
        local = question[: match.start()].lower().startswith("who")
        expletive = any(
            m.start() <= match.start() < m.end() for m in _EXPLETIVE_THERE.finditer(question)
        )
        at_end = not question[match.end() :].strip(" ?.!")
        if expletive and not (local and at_end):
            continue
        if any((_fit("place", m) or 0) > 0.5 and m.span.end <= match.start() for m in own):
            continue
        place = _resolve("place", history, subject=False)
        if place is not None:
            before = question[: match.start()].lower().split()
            preposition = "in" if place.kinds[0] == "place" else "at"
            preposition = "to" if before and before[-1] in _MOTION else preposition
            yield Span(*match.span()), f"{preposition} {place.text}"
    then = _THEN.search(question)
    past = re.search(r"\b(?:was|were|did|had)\b", question)
    time = _resolve("time", history, subject=False) if then and past else None
    if then and time:
        bare = _BARE_TIME.fullmatch(time.text)
        yield Span(*then.span()), f"in {time.text}" if bare else time.text


def _apply(text: str, edits: Sequence[tuple[Span, str]]) -> str:
    for span, new in sorted(edits, key=lambda edit: -edit[0].start):
        if span.start == 0:
            new = new[0].upper() + new[1:]
        text = text[: span.start] + new + text[span.end :]
    return text


# ---------------------------------------------------------------------------------------------
# What the last turn asked and said
# ---------------------------------------------------------------------------------------------
class _Asked(NamedTuple):
    """A question in parts: 'What did Ghani demand' is ('What', 'what', 'did', 'Ghani demand').

    The auxiliary is empty in 'Who built the bridge', the phrase in 'Has Russia agreed'.
    """

    phrase: str
    wh: str
    aux: str
    rest: str

    @property
    def of_subject(self) -> bool:
        """Whether the subject is what is asked for: 'Who built it', 'Who was hurt'."""
        return self.wh in _OBJECT_WH and (not self.aux or _starts_with_verb(self.rest))

    @property
    def past(self) -> bool:
        verb = self.aux or (self.rest.split() or [""])[0].lower()
        if verb in AUXILIARIES:
            return verb in {"did", "was", "were", "had"}
        return verb.endswith("ed") or (is_verb(verb) and not _do(verb)[0])


def _bare(question: str) -> str:
    return question.strip().rstrip("?.! ").strip()


def _fragment_of(question: str) -> str:
    """Return a question without the words that only join it to the last: 'ok so', 'and', 'but'."""
    return _JOINING.sub("", _SHORT_IS.sub(r"\1 is", _bare(question)))


def _latest(history: Sequence[Turn]) -> Turn:
    """Return the last turn with an answer; the last one where none has."""
    return next((turn for turn in reversed(history) if not turn.answer.refused), history[-1])


def _split(question: str) -> _Asked:
    bare = _fragment_of(question)
    tokens = tokens_of(bare)
    if not tokens:
        return _Asked("", "", "", bare)
    if tokens[0].low in AUXILIARIES:
        return _Asked("", "", tokens[0].low, bare[tokens[0].end :].strip())
    first = next((k for k, t in enumerate(tokens[:2]) if t.low in WH_WORDS), None)
    if first is None:
        return _Asked("", "", "", bare)
    wh = tokens[first].low
    for k in range(first + 1, min(len(tokens), first + 6)):
        if tokens[k].low in AUXILIARIES:
            phrase = bare[: tokens[k - 1].end]
            return _Asked(phrase, wh, tokens[k].low, bare[tokens[k].end :].strip())
        if is_verb(tokens[k].low) and not (k == first + 1 and wh in {"which", "whose", "how"}):
            break
    cut = first + 1
    if wh in {"which", "whose"} or (wh == "how" and len(tokens) > cut + 1):
        cut += 1
        while cut + 1 < len(tokens) and not is_verb(tokens[cut].low):
            cut += 1
    cut = min(cut, len(tokens) - 1)
    return _Asked(bare[: tokens[cut].start].strip(), wh, "", bare[tokens[cut].start :])


def _do(verb: str) -> tuple[str, str]:
    """Take a finite verb apart: 'holds' is ('does', 'hold'); ('', '') where it is not known."""
    if is_verb(verb, base_only=True):
        return "do", verb
    past = next((b for b in (verb[:-2], verb[:-1]) if is_verb(b, base_only=True)), "")
    if verb.endswith("ed"):
        return ("did", past) if past else ("", "")
    if verb.endswith("ies"):
        return "does", verb[:-3] + "y"
    if verb.endswith("s") and not verb.endswith("ss"):
        return "does", re.sub(r"(?<=ss|sh|ch)es$|(?<=[xo])es$|s$", "", verb)
    return "", ""


def _starts_with_verb(rest: str) -> bool:
    word = next((word for word in rest.lower().split() if word not in ADVERBS), "")
    return word in BE or (is_verb(word) and word not in DETERMINERS)


def _ends_with_verb(rest: str) -> bool:
    return any(is_verb(word) for word in rest.lower().split()[1:])


def _short(turn: Turn, limit: int = 14) -> str:
    plain = "" if turn.answer.refused else turn.answer.plain.strip().rstrip(".?!")
    return plain if 0 < len(plain.split()) <= limit else ""


def _uncapital(text: str, seen: str) -> str:
    """Lower the first letter of a sentence, unless a name starts it."""
    first = text.split(" ", 1)[0].lower()
    common = first in _FUNCTION or re.search(rf"\b{re.escape(first)}\b", seen)
    return text[0].lower() + text[1:] if common and first != "i" else text


def _statement(turn: Turn) -> str:
    """Say what a turn's answer says, as a clause; empty after a refusal."""
    if turn.answer.refused:
        return ""
    asked, answer = _split(_question_of(turn)), _short(turn, _SHORT_ANSWER)
    if answer and asked.wh in {"who", "which"}:
        answer = re.sub(r"^by ", "", answer)
        if not asked.aux:
            return f"{answer} {asked.rest}"
        if asked.of_subject or (asked.aux in BE and not _ends_with_verb(asked.rest)):
            return f"{answer} {asked.aux} {asked.rest}"
    told = next((c.quote for c in turn.answer.citations), turn.answer.plain.strip())
    told = re.sub(r'^that |["“”]', "", " ".join(told.split())).rstrip(".?!,")
    seen = f"{_question_of(turn)} {told}"
    return _uncapital(" ".join(told.split(" ")[:_MAX_STATEMENT]), seen) if told else ""


# ---------------------------------------------------------------------------------------------
# Fragments
# ---------------------------------------------------------------------------------------------
def _complete(question: str, history: Sequence[Turn]) -> tuple[str, str]:
    """Complete a fragment from the history.

    Returns:
        The question so far and, apart, the article's words that end it, which are left as they
        are; both empty where the question is no fragment, or nothing fits it.
    """
    turn, bare = _latest(history), _fragment_of(question)
    if any(_SEVERAL.search(_question_of(asked)) for asked in (turn, history[-1])):
        return "", ""  # of which of its sentences?
    if asked := _again(bare, turn) or _more(bare, history) or _ordinal(bare, turn):
        return asked, ""
    if (told := _statement(turn)) and (given := _given(bare, told, turn)):
        return given
    return _exchange(question, history[-1]) or "", ""


def _given(bare: str, told: str, turn: Turn) -> tuple[str, str] | None:
    """Complete 'Is that true?', 'Who said that?', 'And then?' with what the last answer says."""
    if _IS_TRUE.fullmatch(bare):
        return "Is it true that", f" {told}?"
    plain = re.sub(r'["“”«»]', "", turn.answer.plain).strip()
    if _SAYS_WHO.fullmatch(bare):
        return "Who said that", f" {told}?"
    if (asks := _WHO_SAID.fullmatch(bare)) and len(plain.split()) > 1:
        return asks["who"].capitalize(), f" “{plain}”?"
    if _NEXT.fullmatch(bare):
        when = re.fullmatch(rf"(?:within |after |for |in |on )?({_SPAN_OF_TIME})", plain, re.I)
        past = "happened" in bare or _split(_question_of(turn)).past
        return f"What happen{'ed' if past else 's'} after", f" {when[1] if when else told}?"
    if said := _SAID_THAT.search(bare):
        return f"{bare[: said.start(2)]}that", f" {told}?"
    if that := _VERB_THAT.search(bare):
        things = [m for m in _answer_mentions(turn, _evidence(turn)) if m.kinds[0] == "thing"]
        if things and is_verb(that[1].lower()):
            return f"{bare[: that.start(2)]}{things[0].text}?", ""
    if _POINTS_AT_EVENT.search(bare):
        return re.sub(r"\bdo it$", "do that", bare), f", given that {told}?"
    return None


def _more(bare: str, history: Sequence[Turn]) -> str | None:
    """Complete 'Tell me more.' with the topic."""
    if not _MORE.fullmatch(bare):
        return None
    mentions = [m for m in _mentions_in(history) if m.role != "quote"]
    topic = max(mentions, key=lambda m: m.weight + 0.5 * m.name, default=None)
    return f"What else does the article say about {topic.text}?" if topic else None


def _ordinal(bare: str, turn: Turn) -> str | None:
    """Put an item of the last answer, or its kind, for 'the second one'."""
    one = _THE_ORDINAL_ONE.search(bare)
    if one is None:
        return None
    word = one["which"].lower()
    answer = "" if turn.answer.refused else turn.answer.plain.strip().rstrip(".")
    items = [i for i in re.split(r", (?:and )?|; | and ", answer) if i]
    at = {"last": -1, "latter": -1, "former": 0, "other": 1}.get(word)
    at = _ORDINALS.split("|").index(word) if at is None else at
    if len(items) > 1 and at < len(items) and all(len(i.split()) <= 6 for i in items):
        return f"{bare[: one.start()]}{items[at]}{bare[one.end() :]}?"
    kind = re.match(r"(?:what|which|how many) ([a-z]+s)\b", _question_of(turn), re.IGNORECASE)
    if kind is None or not is_plural(kind[1].lower()):
        return None
    return f"{bare[: one.start()]}the {word} {re.sub('ie$', 'y', kind[1][:-1])}{bare[one.end() :]}?"


# -- 'Why?', 'Since when?', 'How much?', 'Who else?': the last question, asked for something else
def _again(bare: str, turn: Turn) -> str | None:
    if why := _WHY.fullmatch(bare):
        return _asked_again("How" if why[0].lower() == "how so" else "Why", turn)
    if event := _EVENT.fullmatch(bare) or _DO_THAT.fullmatch(bare):
        return _asked_again(_capital(event["lead"]), turn)
    lead = _LEAD.fullmatch(bare)
    if lead is None:
        return None
    words = bare.lower().split()
    if len(words) > 1 and is_verb(words[-1]):
        return None
    return _asked_again(_capital(bare), turn)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _asked_again(lead: str, turn: Turn) -> str | None:
    """Ask ``lead`` of what the last question asked about; None where that is not English."""
    asked = _split(_question_of(turn))
    low, first = lead.lower(), lead.lower().split()[0]
    others = {"else", "other", "others"} & set(low.split())
    if others or (asked.of_subject and first in _OBJECT_WH and "one" not in low):
        return f"{lead} {asked.aux} {asked.rest}?".replace("  ", " ")
    happens = asked.rest.lower().startswith("happen") and asked.wh == "what"
    if asked.of_subject or not asked.aux or happens:
        return _of_statement(lead, asked, turn)
    if low.startswith(("how much", "how many")) or first in _OBJECT_WH:
        return _of_object(lead, asked, turn)
    if low == "since when" and asked.aux in {"is", "are"} and _short(turn):
        number = "have" if asked.aux == "are" else "has"
        return f"{lead} {number} {_short(turn)} been {asked.rest}?"
    stranded = _STRANDED.fullmatch(lead)
    wh, tail = (stranded["wh"], f" {stranded['to']}") if stranded else (lead, "")
    return f"{wh} {asked.aux} {asked.rest}{_kept_answer(first, asked, turn)}{tail}?"


def _kept_answer(first: str, asked: _Asked, turn: Turn) -> str:
    """Return the last answer as a part of the question that asks on: 'Why ... in March?'."""
    answer = _short(turn)
    counted = re.fullmatch(r"how many (.+)", asked.phrase, re.IGNORECASE)
    if counted and re.fullmatch(r"[\d,.]+", answer):
        answer = f"{answer} {counted[1]}"
    keeps = asked.wh in _OBJECT_WH or (asked.wh == "how" and asked.phrase.lower() != "how")
    if asked.wh in {"when", "where"} and first != asked.wh:
        keeps = True
        if re.fullmatch(r"\d{4}", answer) or (asked.wh == "where" and answer[:1].isupper()):
            answer = f"in {answer}"
    before = asked.phrase.split(" ")[0].lower()
    if before in PREPOSITIONS and not answer.startswith(before):
        answer = f"{before} {answer}"
    return f" {answer}" if keeps and answer else ""


def _of_statement(lead: str, asked: _Asked, turn: Turn) -> str | None:
    """Ask ``lead`` of what the last answer says: 'Since when does Safehold hold the deposit?'."""
    told, answer = _statement(turn), re.sub(r"^by ", "", _short(turn, _SHORT_ANSWER))
    if not told or lead.lower() in _OBJECT_WH or "one" in lead.lower():
        return None
    if answer and asked.of_subject and asked.aux and asked.wh in {"who", "which"}:
        return f"{lead} {asked.aux} {answer} {asked.rest}?"
    verb, _, tail = asked.rest.partition(" ")
    do, base = _do(verb.lower()) if answer and asked.wh in {"who", "which"} else ("", "")
    if do and not lead.lower().startswith("how m"):
        return f"{lead} {do} {answer} {base} {tail}".strip() + "?"
    words = told.split()
    at = next((k for k, word in enumerate(words[:7]) if word in AUXILIARIES and k), 0)
    simple = lead.lower() in {"why", "when", "where", "how"}
    if at and simple and not any(is_verb(word.lower()) or "," in word for word in words[:at]):
        return " ".join([lead, words[at], *words[:at], *words[at + 1 :]]) + "?"
    if simple:
        return f"{lead} {'was' if asked.past else 'is'} it that {told}?"
    return f"{lead}, given that {told}?"


def _of_object(lead: str, asked: _Asked, turn: Turn) -> str | None:
    """Ask for an object, an agent or an amount: 'By whom ...', 'Which bridge did they close?'."""
    low, aux, rest = lead.lower(), asked.aux, asked.rest
    noun = low.split()[-1] if low.split()[0] in {"which", "what"} else ""
    if noun in {"one", "ones"} and (many := re.match(r"how many (.+)", asked.phrase, re.I)):
        return f"Which {many[1]} {aux} {rest}?"
    if object_ := _INDEFINITE.search(rest):
        kind = (object_["noun"] or "").split(" ")[-1]
        if kind and low.startswith("which") and noun in {"one", "ones", kind}:
            return f"Which {object_['noun']} {aux} {rest[: object_.start()]}?"
        if low == "how much" or object_["one"]:
            return f"{lead} {aux} {rest[: object_.start()]}?"
    last = next(reversed(mentions_of(rest)), Mention("", ("thing",)))
    if low == "how many" and last.plural and last.span.start > 0 and last.span.end == len(rest):
        return f"{lead} {last.text} {aux} {rest[: last.span.start].strip()}?"
    if low in {"who", "whom"}:
        passive = aux in BE and _ends_with_verb(rest) and not rest.endswith("ing")
        return f"By whom {aux} {rest}?" if passive else None
    if low == "how much" and set(rest.lower().split()) & _TRADE:
        return f"{lead} {aux} {rest} for?"
    told = "" if noun in {"one", "ones"} else _statement(turn)
    if noun not in TIME_WORDS | {"", "time"} or (low == "how much" and len(mentions_of(rest)) > 1):
        return f"{lead}, given that {told}?" if told else None
    if low.split()[0] == "how" or noun in TIME_WORDS | {"time"}:
        return f"{lead} {aux} {rest}?"
    return None


# -- 'And in 2015?', 'What about the landlord?': the last question, asked of something else
def _exchange(question: str, turn: Turn) -> str | None:
    """Put a phrase in the place of what is like it in the last question."""
    evidence = _evidence(turn)
    bare = _fragment_of(question)
    about = _ABOUT.fullmatch(bare)
    joined = about or bare != _bare(question)
    rest = _cased(about["rest"] if about else bare, evidence)
    if not rest:
        return None
    base = _cased(_fragment_of(_question_of(turn)), evidence)
    if owned := _OWNED.fullmatch(rest):
        asked = _split(base)
        if asked.wh in {"who", "what"} and asked.aux in BE:
            return f"{asked.phrase} {asked.aux} {owned[0]}?"
    elif not _is_phrase(rest, joined=bool(joined)):
        return None
    ordinal = _ORDINAL.fullmatch(rest)
    if ordinal and (old := re.search(rf"\b(?:{_ORDINALS})\b", base, re.IGNORECASE)):
        return f"{base[: old.start()]}{ordinal[1]}{base[old.end() :]}?"
    first = tokens_of(rest)[0].low
    if first in PREPOSITIONS or _WHEN.fullmatch(rest) or first in {"then", "there"}:
        return _exchange_adverbial(rest, first, base)
    return _exchange_noun(rest, base, evidence)


def _is_phrase(rest: str, *, joined: bool) -> bool:
    """Say whether ``rest`` is a phrase without a verb: 'in Doha', 'the women', 'Iran'."""
    tokens = tokens_of(rest)
    low = [token.low for token in tokens]
    barred = WH_WORDS | AUXILIARIES | PRONOUNS - {"there", "then"}
    if not low or len(low) > 6 or set(low) & barred or is_verb(low[0], base_only=True):
        return False
    if joined:
        return True
    if any(not t.capital and is_verb(t.low) and t.low[-3:] != "ing" for t in tokens[1:]):
        return False
    if low[0] in PREPOSITIONS:
        return len(low) <= 5 and low[0] not in {"because", "as", "like", "than", "about"}
    named = all(token.capital or token.low in DETERMINERS for token in tokens)
    return len(low) <= 4 and (named or low[0] in {"the", "these", "those"})


def _exchange_adverbial(rest: str, first: str, base: str) -> str:
    """Put 'in Accra' for 'in Lagos', 'now' for 'in 2022'; at the end where nothing is like it."""
    time = bool(_WHEN.fullmatch(rest)) or _is_time(rest.split()[1:])
    rest = f"in {rest}" if re.fullmatch(_YEAR, rest) else rest
    places = PLACE_PREPOSITIONS if first in PLACE_PREPOSITIONS else {first}
    for old in reversed(list(_ADVERBIAL.finditer(base))):
        alike = _TIME_PREPOSITIONS if time else places
        if old["in"].lower() in alike and _is_time(old["what"].split()) == time:
            return f"{base[: old.start()]}{rest}{base[old.end() :]}?"
    if time and (word := re.search(rf"\b(?:{_WHEN.pattern})\b", base)):
        return f"{base[: word.start()]}{rest}{base[word.end() :]}?"
    return f"{base} {rest}?"


def _is_time(words: Sequence[str]) -> bool:
    return any(w.lower() in TIME_WORDS or re.fullmatch(_YEAR, w) for w in words)


def _exchange_noun(rest: str, base: str, evidence: str) -> str | None:
    own = _mentions(base, evidence)
    new = (mentions_of(rest, evidence) or [Mention(rest, ("thing",))])[0]
    candidates = [m for m in own if m.role != "modifier" and _comparable(new, m)]
    candidates.sort(key=lambda m: (m.kinds[0] != new.kinds[0], m.role != "subject", m.span.start))
    if new.kinds[0] == "thing" and not new.name:
        candidates.sort(key=lambda m: (m.head != new.head, m.plural != new.plural, -m.span.start))
    if not candidates:
        return None
    old = candidates[0]
    span = _coordination(old, own, base)
    if old.text.lower().startswith("the ") and rest.islower() and not new.plural:
        rest = rest if tokens_of(rest)[0].low in DETERMINERS | PRONOUNS else f"the {rest}"
    before = base[: span.start]
    if rest.split()[0].lower() in DETERMINERS | PRONOUNS:
        before = _POSSESSIVES.sub("", before)
    aux = before.split()[-1] if before.strip() and old.role == "subject" else ""
    numbers = _PLURALS if new.plural or " and " in rest else _SINGULARS
    if other := numbers.get(aux.lower()):
        before = f"{before[: -len(aux) - 1]}{_capital(other) if aux.istitle() else other} "
    return f"{before}{rest}{base[span.end :]}?"


def _coordination(mention: Mention, own: Sequence[Mention], text: str) -> Span:
    """Return a mention's place with what 'and' joins to it: both of 'Russia and Iran'."""
    start, end = mention.span.start, mention.span.end
    for other in own:
        if _comparable(mention, other):
            if re.fullmatch(r",? and |, ", text[end : other.span.start]):
                end = other.span.end
            elif re.fullmatch(r",? and |, ", text[other.span.end : start]):
                start = other.span.start
    return Span(start, end)


def _comparable(new: Mention, old: Mention) -> bool:
    """Say whether one may stand where the other stood: both agents, both places, both times."""
    if new.name and old.name:
        return new.kinds[0] in old.kinds or old.kinds[0] in new.kinds
    agents = {"person", "group"}
    return new.kinds[0] == old.kinds[0] or {new.kinds[0], old.kinds[0]} <= agents


# ---------------------------------------------------------------------------------------------
# The public function
# ---------------------------------------------------------------------------------------------
def standalone(question: str, history: Sequence[Turn]) -> str:
    """Make a follow-up question stand alone.

    Args:
        question: as the person asked it.
        history: the conversation so far, oldest first.

    Returns:
        The question with what it points back to put in ('Who appointed him?' -> 'Who appointed
        Zalmay Khalilzad?'), or ``question`` itself where it stands alone or nothing in the history
        agrees with it. The work is bounded, whatever a client sends as history: only the last
        ``MAX_TURNS`` are read, and of each no more than ``MAX_SAID`` characters of a kind.
    """
    if not history or not question.strip() or len(question) > MAX_QUESTION:
        return question
    history = _Remembered(_bounded(turn) for turn in history[-MAX_TURNS:])
    flat = " ".join(question.split())
    if overview_kind(flat) and overview_kind(_question_of(history[-1])):
        return question
    completed, told = _complete(flat, history)  # what was told is the article's words
    resolved = _replace_nouns(_replace_pronouns(completed or flat, history), history) + told
    return question if _fragment_of(resolved) == _fragment_of(flat) else resolved
