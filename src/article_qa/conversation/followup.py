"""A follow-up question and its history -> a question that stands alone.

``standalone`` needs no language model. Its rules, in the order in which they are tried:

1. A fragment is completed from the previous question: 'Why?', 'And in Doha?', 'What about Iran?',
   'Who else?', 'Is that true?', 'When did that happen?'.
2. A word that points back (he, it, their, there, then, the company, that report) is replaced by the
   best *mention* of the history that agrees with it in kind, number and gender. Mentions are scored
   by where they stand, after the salience weights of Lappin & Leass, "An Algorithm for Pronominal
   Anaphora Resolution" (Computational Linguistics, 1994): what was spoken of by a pronoun last time
   (the centre of Grosz, Joshi & Weinstein, 1995), then the answer, the question's subject, its
   other phrases, the quotes; subjects prefer subjects, objects objects; older turns count less.
3. After a question about the article as a whole ('Who wrote this?'), 'it' is the article.
4. Anything else stands alone and is returned as it is, byte for byte.

A word that finds its antecedent in its own question, or that points at nothing ('is it true
that', 'is there', 'the man that'), is left alone. After a refusal the last answered turn is
preferred.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from article_qa.answering.description import asked_about
from article_qa.answering.overview import overview_kind
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
    WH_WORDS,
    Mention,
    Token,
    is_plural,
    is_verb,
    mentions_of,
    noun_kinds,
    tokens_of,
)
from article_qa.types import Span, Turn

# ---------------------------------------------------------------------------------------------
# Mentions of a history, and how well they agree with a pronoun
# ---------------------------------------------------------------------------------------------
_CENTRE, _ANSWER, _SUBJECT, _OBJECT, _QUOTE = 4.0, 3.0, 2.5, 2.0, 1.0
_OLDER, _REFUSED, _PARALLEL, _AGENT = 1.5, 1.0, 0.75, 2.0
_SHORT_ANSWER = 8
"""An answer of at most this many words is spoken of as a whole; of a longer one only its names."""


def _question_of(turn: Turn) -> str:
    return turn.answer.understood_as or turn.question


def _quotes(turn: Turn) -> str:
    return " ".join(citation.quote for citation in turn.answer.citations)


def _evidence(turn: Turn) -> str:
    return " ".join([_quotes(turn), *(hit.passage.text for hit in turn.answer.hits)])


def _answer_mentions(turn: Turn, evidence: str) -> list[Mention]:
    answer = turn.answer.plain.strip().strip("\"“”'.,;:")
    words = answer.split()
    asked = {token.low for token in tokens_of(_question_of(turn))[:3]}
    if not words:
        return []
    if "how" in asked and answer[0].isdigit():
        return []  # '3.1 hectares' is never 'they'
    found = [replace(m, weight=_OBJECT + 0.25) for m in mentions_of(answer, evidence)]
    if len(words) > _SHORT_ANSWER:
        return [m for m in found if m.name]
    if "when" in asked or ({"what", "which"} & asked and {"year", "day", "month"} & asked):
        return [Mention(answer, ("time",), weight=_ANSWER)]
    if {"who", "whom", "whose"} & asked:
        found = [replace(m, role="agent") for m in found]
    names = [m for m in found if m.name]
    if len(names) > 1 and " and " in answer and answer[0].isupper():
        return [Mention(answer, names[0].kinds, True, "", "answer", True, weight=_ANSWER), *found]
    if not names or "how" in asked or "why" in asked:
        if {"how", "why"} & asked or words[0].lower() not in DETERMINERS:
            return found
        whole = Mention(answer, ("thing",), role="agent" if "who" in asked else "answer")
        kinds, plural = noun_kinds(whole.head), is_plural(whole.head)
        return [replace(whole, kinds=kinds, plural=plural, weight=_ANSWER)]
    kinds, gender = names[0].kinds, names[0].gender
    if {"who", "whom", "whose"} & asked and kinds[0] not in {"person", "group"}:
        kinds = ("group",) if kinds[0] == "place" else ("person", "group")
    if "where" in asked and "place" in kinds:
        kinds = ("place",)
    bare = re.sub(r"^(?:by|in|at|on|to|from|near) ", "", answer)
    text = bare if bare[0].isupper() or bare.lower().startswith("the ") else names[0].text
    if len(names) == 1 and len(bare.split()) > len(names[0].text.split()) + 1:
        text = names[0].text
    first = replace(names[0], text=text, kinds=kinds, gender=gender, weight=_ANSWER)
    if first.role != "agent":
        first = replace(first, role="answer")
    return [first, *(m for m in found if m.text != first.text)]


def _is_asked_for(question: str, mention: Mention) -> bool:
    """Say whether a phrase only describes the answer: 'Which country ...', 'Who is the mayor'."""
    before = question[: mention.span.start].lower().split()
    if not mention.name and before[-1:] in (["which"], ["what"]):
        return True
    copular = len(before) in {2, 3} and before[0] in {"who", "what"} and before[1] in BE
    return copular and not mention.name and mention.role == "subject"


def _turn_mentions(turn: Turn) -> list[Mention]:
    """Everything a turn spoke of, weighted by where it stands."""
    question, evidence = _question_of(turn), _evidence(turn)
    asked = {m.text for m in mentions_of(turn.question)}
    found = []
    describes = re.match(rf"(?:who|what) (?:{'|'.join(BE)}) ", question, re.IGNORECASE)
    names_answer = any(m.name for m in mentions_of(turn.answer.plain)[:1])
    for mention in mentions_of(question, evidence):
        if names_answer and _is_asked_for(question, mention):
            continue
        weight = {"subject": _SUBJECT, "modifier": _QUOTE}.get(mention.role, _OBJECT)
        if names_answer and describes:
            weight = _QUOTE
        if turn.answer.understood_as and mention.text not in asked:
            weight = _CENTRE
        found.append(replace(mention, weight=weight + 0.25 * mention.name))
    if turn.answer.refused:
        return found
    if (person := _who_is(question, evidence)) is not None:
        said = [replace(m, weight=_QUOTE) for m in _answer_mentions(turn, evidence)]
        return [replace(person, weight=_ANSWER), *said]
    found.extend(_answer_mentions(turn, evidence))
    quotes = mentions_of(_quotes(turn), evidence)
    found.extend(replace(m, weight=_QUOTE + 0.25 * m.name, role="quote") for m in quotes)
    return found


def _who_is(question: str, evidence: str) -> Mention | None:
    """Return whom 'Who is NAME?' is about: he stays the topic, not what he is found to be."""
    words = asked_about(question)
    named = (m for m in mentions_of(question, evidence) if m.name)
    person = next((m for m in named if words == asked_about(f"Who is {m.text}?")), None)
    if person is None and words:  # asked in lower case
        name = re.search(rf"\b{r'[ -]'.join(map(re.escape, words))}\b", evidence, re.IGNORECASE)
        if name is not None and all(w[0].isupper() for w in re.split("[ -]", name.group())):
            person = Mention(name.group(), ("person",), name=True)
    return person and replace(person, kinds=("person",), role="answer")


def _history_mentions(history: Sequence[Turn]) -> list[Mention]:
    found: list[Mention] = []
    age = 0
    for turn in reversed(history):
        penalty = _OLDER * age + (_REFUSED if turn.answer.refused else 0.0)
        found.extend(replace(m, weight=m.weight - penalty) for m in _turn_mentions(turn))
        age += not turn.answer.refused
    return found


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
        if first == "group":
            return 0.8
        if mention.name and "group" in kinds:
            return 0.4
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
    for mention in _history_mentions(history):
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
_MOTION = frozenset("get go goes going went travel drive walk come came fly flew return".split())
_THEN = re.compile(r"(?<!since )(?<!by )(?<!until )\b(?:then|at that time|at the time)(?=\?|$)")
_BARE_TIME = re.compile(
    r"\d{4}|(?:January|February|March|April|May|June|July|August|September|October|November|"
    r"December)(?: \d{4})?"
)
_EXPLETIVE_THERE = re.compile(
    r"\b(?:is|are|was|were|be|been|isn't|aren't|has|have|had|will|would|can|could|may|might|must|"
    r"should) there\b(?! (?:when|then)\b)|\bthere (?:is|are|was|were|be|been|has|have|had|will|"
    r"would|can|could|may|might|must|should|any)\b",
    re.IGNORECASE,
)


def _possessive(name: str) -> str:
    return name + ("'" if name.endswith("s") else "'s")


def _internal(mentions: Sequence[Mention], question: str, at: int, target: str, role: str) -> bool:
    """Say whether a pronoun at ``at`` finds its antecedent in its own question.

    A subject or possessive pronoun may mean any agreeing phrase before it; an object pronoun only
    one of another clause ('What did Biden say to him?' is not about Biden).
    """
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
    own = mentions_of(question, " ".join(_evidence(turn) for turn in history))
    expletive = [Span(*m.span()) for m in _EXPLETIVE_IT.finditer(question)]
    edits: list[tuple[Span, str]] = []
    taken: dict[str, str] = {}
    for match in re.finditer(r"[A-Za-z]+", question):
        word = match.group().lower()
        if word not in _POINTERS:
            continue
        target, _ = _POINTERS[word]
        role = _role(question, match, word)
        here = Span(*match.span())
        if word in {"it"} and any(span.overlaps(here) for span in expletive):
            continue
        if role == "reflexive" or (
            target not in taken and _internal(own, question, here.start, target, role)
        ):
            continue
        if target in taken and (role == "possessive" or target in {"he", "she"}):
            continue  # the first one is named already: 'When did Khalilzad write his memoir?'
        exclude = [m.text.lower() for m in own if m.span.end <= here.start]
        exclude += [text.lower() for text in taken.values()]
        mention = _resolve(target, history, subject=role == "subject", exclude=exclude)
        if mention is None:
            continue
        text = _possessive(mention.text) if role == "possessive" else mention.text
        edits.append((here, text))
        taken.setdefault(target, mention.text)
    return _apply(question, edits)


def _replace_nouns(question: str, history: Sequence[Turn]) -> str:
    """Replace 'the company', 'that report', 'there', 'then' by what they mean."""
    own = mentions_of(question)
    edits: list[tuple[Span, str]] = []
    for match in _ANAPHORIC_NOUN.finditer(question):
        noun = match.group(1).lower()
        target = _NOUN_TARGET.get(noun, "group")
        names = [m for m in own if m.name and m.span.end <= match.start()]
        if any((_fit(target, m) or 0) >= 1 for m in names):
            continue
        mention = _resolve(target, history, subject=True, exclude=[match.group().lower()])
        if mention is not None and mention.name and (_fit(target, mention) or 0) > 0:
            edits.append((Span(*match.span()), mention.text))
    for match in _DEMONSTRATIVE.finditer(question):
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
    mentions = sorted(_history_mentions(history), key=lambda m: -m.weight)
    found = next((m for m in mentions if not m.name and m.head == noun), None)
    return found.text if found else None


def _there_and_then(
    question: str, history: Sequence[Turn], own: Sequence[Mention]
) -> Iterator[tuple[Span, str]]:
    for match in _THERE.finditer(question):
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
    time = _resolve("time", history, subject=False) if then else None
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
# Fragments
# ---------------------------------------------------------------------------------------------
_IS_TRUE = re.compile(
    r"(?:and |but )?(?:is|was|are) (?:that|this|it|you) (?:really |actually )?"
    r"(?:true|right|correct|so|sure|certain|accurate)|really|true|are you sure(?: about that)?",
    re.IGNORECASE,
)
_EVENT = re.compile(
    r"(?:and |but |so )?((?:and )?(?:why|when|where|how))(?: (?:exactly|precisely))?"
    r"(?: (?:did|does|do|was|is|has|will|would) (?:that|this|it|he|she|they)"
    r"(?: (?:happen|happened|occur|be|so|the case))?)?(?: (?:so|not|come))?",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:and |but |so )?(?P<lead>(?:by|with|to|for|from|since|until|at|in|on) (?:whom?|what|when|"
    r"where|which \w+|how (?:long|many|much))"
    r"|how (?:long|often|many|much|far|big|old)(?: \w+)?|who|whom|what"
    r"|(?:who|what|where|when|how|why) else|which(?: \w+)?|what (?:year|day|month|time|kind))",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"(?:please )?(?:(?:tell|give) me more|more|go on|continue|elaborate|anything else|what else|"
    r"can you (?:elaborate|tell me more|explain)|explain)(?: please)?",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"(?:and |but )?(?:what|how) about (?P<rest>.+)", re.IGNORECASE)
_AND = re.compile(r"(?:and|or|but|also) (?P<rest>.+)", re.IGNORECASE)
_SAID_THAT = re.compile(
    r"\b(said|say|says|claimed?|claims|decided?|decides|thinks?|thought|believed?|know|knows|knew|reported?"
    r"|announced?|confirm(?:ed)?|denied|deny|mean(?:s|t)?|told \w+|states?|stated|argued?) "
    r"(that|this|so)$",
    re.IGNORECASE,
)
_WHO_SAID = re.compile(
    r"(?:and |but |so )?(?P<who>who (?:said|says|claimed|claims|added)) (?:that|this|so|it)",
    re.IGNORECASE,
)
_POINTS_AT_EVENT = re.compile(
    r"\b(?:do|does|did|is|was|will|would|has|could|can) (?:that|this)"
    r"(?: (?:mean|cause|caused|affect|change|help|matter|work|a|an|the|part|because|after|before|"
    r"during|why|how|important|lead|result|say|show|surprise|good|bad)\b.*)?$"
    r"|\bdo it$"
    r"|\b(?:do|about|after|before|by|from|with|of|for|like|caused?|mean|to) (?:that|this)$",
    re.IGNORECASE,
)
_OWNED = re.compile(
    r"(?:and |what about |and what about )((?:his|her|their|its) \w+(?: \w+)?)", re.IGNORECASE
)
_ORDINALS = "first|second|third|fourth|fifth|sixth|last|next"
_ORDINAL = re.compile(rf"(?:the )?({_ORDINALS})(?: one)?", re.IGNORECASE)
_WHEN = re.compile(
    r"now|today|nowadays|currently|recently|(?:last|this|next) (?:year|month|week|summer|winter|"
    r"spring|autumn|century|time)|before|later",
    re.IGNORECASE,
)
_MAX_STATEMENT = 40
_OBJECT_WH = frozenset("who whom what which".split())


def _bare(question: str) -> str:
    return question.strip().rstrip("?.! ").strip()


def _latest(history: Sequence[Turn]) -> Turn:
    """Return the last turn with an answer; the last one where none has."""
    return next((turn for turn in reversed(history) if not turn.answer.refused), history[-1])


def _given(question: str, history: Sequence[Turn]) -> tuple[str, str]:
    """Complete 'Is that true?', 'Who said that?' with what the last answer says.

    Returns:
        The question so far and, apart, the article's words that end it; both empty where the
        question is of another form.
    """
    bare, turn = _bare(question), _latest(history)
    told = "" if turn.answer.refused else _statement(turn)
    if not told:
        return "", ""
    if _IS_TRUE.fullmatch(bare):
        return "Is it true that", f" {told}?"
    plain = re.sub(r'["“”«»]', "", turn.answer.plain).strip()
    if (asks := _WHO_SAID.fullmatch(bare)) and len(plain.split()) > 1:
        return asks["who"].capitalize(), f" “{plain}”?"
    if said := _SAID_THAT.search(bare):
        return f"{bare[: said.start(2)]}that", f" {told}?"
    if _POINTS_AT_EVENT.search(bare):
        return re.sub(r"\bdo it$", "do that", bare), f", given that {told}?"
    return "", ""


def _complete(question: str, history: Sequence[Turn]) -> str | None:
    """Complete a fragment from the history; None where the question is no fragment."""
    bare, turn = _bare(question), _latest(history)
    if bare.lower() in {"what else", "anything else"} and _split(_question_of(turn))[1] == "what":
        return _event("What else", turn)
    if _MORE.fullmatch(bare):
        topic = _topic(history)
        return f"What else does the article say about {topic}?" if topic else None
    event = _EVENT.fullmatch(bare)
    if event and not _names_thing(bare, turn):
        return _event(event.group(1).split()[-1].capitalize(), turn)
    lead = _LEAD.fullmatch(bare)
    if lead and _is_fragment(lead.group("lead")):
        text = lead.group("lead")
        return _event(text[0].upper() + text[1:], turn)
    owned = _OWNED.fullmatch(bare)
    if owned:
        phrase, wh, aux, _ = _split(_question_of(turn))
        return f"{phrase} {aux} {owned.group(1)}?" if wh in {"who", "what"} and aux in BE else None
    about = _ABOUT.fullmatch(bare) or _AND.fullmatch(bare)
    rest = about.group("rest") if about else bare
    if _is_phrase(rest, asked_about=bool(about)):
        return _substitute(rest, history[-1])
    return None


def _names_thing(bare: str, turn: Turn) -> bool:
    """Say whether 'it', 'he' ... in 'When was it?' means a thing, not the event."""
    return bool(re.search(r"\b(?:it|he|she|they)\b", bare.lower())) and not bare.lower().endswith(
        ("happen", "occur", "so")
    )


def _is_fragment(lead: str) -> bool:
    words = lead.lower().split()
    if words[0] == "which" or words[0] == "how":
        return len(words) < 3 or not is_verb(words[-1])
    return not is_verb(words[-1]) or len(words) == 1


def _is_phrase(rest: str, *, asked_about: bool) -> bool:
    """Say whether ``rest`` is a phrase without a verb: 'in Doha', 'the women', 'Iran'."""
    tokens = tokens_of(rest)
    low = [token.low for token in tokens]
    if not low or len(low) > 6 or any(word in WH_WORDS | AUXILIARIES for word in low):
        return False
    if any(word in PRONOUNS - {"there", "then"} for word in low):
        return False
    start = low[0]
    if start in {"summarise", "summarize", "list", "explain", "describe", "name", "tell", "give"}:
        return False
    verbs = [t for t in tokens[1:] if not t.capital and is_verb(t.low) and t.low[-3:] != "ing"]
    if asked_about:
        return True
    if start in PREPOSITIONS and start not in {"because", "as", "like", "than", "about"}:
        return len(low) <= 5 and not verbs
    named = all(token.capital or token.low in DETERMINERS for token in tokens)
    return (named or start in {"the", "these", "those"}) and len(low) <= 4 and not verbs


def _topic(history: Sequence[Turn]) -> str | None:
    mentions = [m for m in _history_mentions(history) if m.role != "quote"]
    mentions.sort(key=lambda m: -(m.weight + (0.5 if m.name else 0)))
    return mentions[0].text if mentions else None


def _split(question: str) -> tuple[str, str, str, str]:
    """Split a question into (question phrase, its first word, auxiliary, rest).

    'What did Ghani demand' -> ('What', 'what', 'did', 'Ghani demand'); the auxiliary is empty in
    'Who built the bridge', the question phrase in 'Has Russia agreed'.
    """
    tokens = tokens_of(_bare(question))
    while tokens and tokens[0].low in {"and", "but", "so"}:
        tokens = tokens[1:]
    bare = _bare(question)
    if not tokens:
        return "", "", "", bare
    if tokens[0].low in AUXILIARIES:
        return "", "", tokens[0].low, bare[tokens[0].end :].strip()
    first = next((k for k, t in enumerate(tokens[:2]) if t.low in WH_WORDS), None)
    if first is None:
        return "", "", "", bare[tokens[0].start :]
    wh = tokens[first].low
    for k in range(first + 1, min(len(tokens), first + 6)):
        if tokens[k].low in AUXILIARIES:
            phrase = bare[tokens[0].start : tokens[k - 1].end]
            return phrase, wh, tokens[k].low, bare[tokens[k].end :].strip()
        if is_verb(tokens[k].low) and not (k == first + 1 and wh in {"which", "whose", "how"}):
            break
    cut = first + 1
    if wh in {"which", "whose"} or (wh == "how" and len(tokens) > cut + 1):
        cut += 1
        while cut + 1 < len(tokens) and not is_verb(tokens[cut].low):
            cut += 1
    cut = min(cut, len(tokens) - 1)
    return bare[tokens[0].start : tokens[cut].start].strip(), wh, "", bare[tokens[cut].start :]


def _starts_with_verb(rest: str) -> bool:
    words = [word for word in rest.lower().split() if word not in ADVERBS]
    participle = bool(words) and is_verb(words[0]) and words[0] not in DETERMINERS
    return participle or (bool(words) and words[0] in BE)


def _short(turn: Turn, limit: int = 14) -> str:
    plain = "" if turn.answer.refused else turn.answer.plain.strip().rstrip(".?!")
    return plain if 0 < len(plain.split()) <= limit else ""


def _uncapital(text: str) -> str:
    """Lower the first letter of a sentence, unless a name starts it."""
    words = text.split(" ", 2)
    first = words[0].lower()
    function = first in DETERMINERS | PREPOSITIONS | WH_WORDS | AUXILIARIES | PRONOUNS | ADVERBS - {
        "i"
    }
    return text[0].lower() + text[1:] if function and first != "i" else text


def _statement(turn: Turn) -> str:
    """Say what a turn's answer says, as a clause."""
    _, wh, aux, rest = _split(_question_of(turn))
    answer = _short(turn, _SHORT_ANSWER)
    if answer and wh in {"who", "which"}:
        answer = re.sub(r"^by ", "", answer)
        if not aux:
            return f"{answer} {rest}"
        if _starts_with_verb(rest) or (aux in BE and not _ends_with_verb(rest)):
            return f"{answer} {aux} {rest}"
    quote = next((c.quote for c in turn.answer.citations), turn.answer.plain)
    told = turn.answer.plain.strip().rstrip(".?!")
    clause = [word.strip(",.").lower() for word in told.split()]
    pronouns = set(clause) & PRONOUNS
    if 3 < len(clause) <= 14 and not pronouns and any(map(_is_verb_or_aux, clause[1:])):
        quote = re.sub(r"^that ", "", told)
    words = re.sub(r'["“”]', "", " ".join(quote.split())).rstrip(".?!,").split(" ")
    return _uncapital(" ".join(words[:_MAX_STATEMENT]))


def _is_verb_or_aux(word: str) -> bool:
    return word in AUXILIARIES or is_verb(word)


def _ends_with_verb(rest: str) -> bool:
    return any(is_verb(word) for word in rest.lower().split()[1:])


def _event(lead: str, turn: Turn) -> str:
    """Ask ``lead`` ('Why', 'Who else', 'How many') of what the previous question asked about."""
    question = _question_of(turn)
    phrase, wh, aux, rest = _split(question)
    answer = _short(turn)
    if "else" in lead.lower() or "other" in lead.lower():
        if phrase:
            return f"{lead} {aux} {rest}?".replace("  ", " ")
        return f"{lead} {aux + ' ' if aux else ''}{rest}?"
    subject = wh in _OBJECT_WH and (not aux or _starts_with_verb(rest))
    if lead.lower().split()[0] in {"who", "what", "which"} and subject:
        return f"{lead} {aux + ' ' if aux else ''}{rest}?"
    if subject and turn.answer.refused:
        return f"{lead}?"
    if subject:
        told = f"{answer or phrase[0].lower() + phrase[1:]} {aux + ' ' if aux else ''}{rest}"
        simple = lead.lower() in {"why", "when", "where", "how"}
        return f"{lead} was it that {told}?" if simple else f"{lead}, when {told}?"
    if not aux:
        return f"{lead}: {_statement(turn) if turn.answer.citations else rest}?"
    if aux in BE and wh in _OBJECT_WH and answer and not _ends_with_verb(rest):
        named = mentions_of(rest)
        whole = f"{rest} {answer}" if named and named[0].name and not answer[0].isupper() else (
            f"{answer} {rest}")  # fmt: skip
        return f"{lead} {aux} {whole}?"
    keeps = wh in _OBJECT_WH or (wh == "how" and phrase.lower() != "how")
    if wh in {"when", "where"} and lead.lower().split()[0] != wh and answer:
        keeps = True
        if re.fullmatch(r"\d{4}", answer) or (wh == "where" and answer[0].isupper()):
            answer = f"in {answer}"
    if rest.lower().split()[-1:] == ["happen"] or (wh == "what" and rest == "happened"):
        keeps = False
    return f"{lead} {aux} {rest}{' ' + answer if keeps and answer else ''}?"


def _substitute(rest: str, turn: Turn) -> str:
    """Ask the previous question of something else: 'And in Doha?', 'What about Iran?'."""
    base = _bare(_question_of(turn))
    own = mentions_of(base, _evidence(turn))
    tokens = tokens_of(rest)
    if tokens[0].low in PREPOSITIONS:
        return _substitute_adverbial(rest, tokens, base, own)
    ordinal = _ORDINAL.fullmatch(rest)
    if ordinal and (old := re.search(rf"\b(?:{_ORDINALS})\b", base, re.IGNORECASE)):
        return f"{base[: old.start()]}{ordinal.group(1)}{base[old.end() :]}?"
    if _WHEN.fullmatch(rest):
        for mention in (m for m in own if m.kinds[0] == "time"):
            before = re.search(r"\b(?:in|on|at|during|since) $", base[: mention.span.start])
            start = before.start() if before else mention.span.start
            return f"{base[:start]}{rest}{base[mention.span.end :]}?"
        return f"{base} {rest}?"
    new = _new_mention(rest, turn)
    if tokens[0].low in {"then", "there"}:
        return f"{base} {rest}?"
    candidates = [m for m in own if m.role != "modifier" and _comparable(new, m)]
    candidates.sort(key=lambda m: (m.kinds[0] != new.kinds[0], m.role != "subject", m.span.start))
    if new.kinds[0] == "thing" and not new.name:
        candidates.sort(key=lambda m: (m.head != new.head, m.plural != new.plural, -m.span.start))
    if candidates:
        span = _coordination(candidates[0], own, base)
        return f"{base[: span.start]}{rest}{base[span.end :]}?"
    if not new.name:
        return f"{base}, and what about {rest}?"
    return f"What about {rest}: {_uncapital(base)}?"


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


def _substitute_adverbial(
    rest: str, tokens: Sequence[Token], base: str, own: Sequence[Mention]
) -> str:
    """Put 'in Accra' in the place of 'in Lagos', or at the end where there is nothing like it."""
    preposition = tokens[0].low
    new = mentions_of(rest)
    time = bool(new) and new[0].kinds[0] == "time"
    alike = PLACE_PREPOSITIONS if preposition in PLACE_PREPOSITIONS else {preposition}
    for match in reversed(list(re.finditer(r"\b[a-z]+\b", base))):
        if match.group() not in alike | ({"in", "on", "at", "during"} if time else set()):
            continue
        after = [m for m in own if 0 <= m.span.start - match.end() <= 1]
        if not after or (after[0].kinds[0] == "time") != time:
            continue
        return f"{base[: match.start()]}{rest}{base[after[0].span.end :]}?"
    tail = re.search(rf"\b(?:{'|'.join(sorted(alike))}) (?:the )?[a-z]+$", base)
    return f"{base[: tail.start()]}{rest}?" if tail and not time else f"{base} {rest}?"


def _new_mention(rest: str, turn: Turn) -> Mention:
    found = mentions_of(rest, _evidence(turn)) or [Mention(rest, ("thing",))]
    return found[0]


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
        agrees with it.
    """
    if not history or not question.strip():
        return question
    flat = " ".join(question.split())
    if overview_kind(flat) and overview_kind(_question_of(history[-1])):
        return question
    said, told = _given(flat, history)  # what was told is the article's words, and stays so
    completed = said or _complete(flat, history) or flat
    resolved = _replace_nouns(_replace_pronouns(completed, history), history) + told
    return question if resolved == flat else resolved
