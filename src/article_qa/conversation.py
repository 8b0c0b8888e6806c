"""A follow-up question and its history -> a question that stands alone; and conversations.

``standalone`` needs no language model. Its rules, in the order in which they are tried:

1. A fragment is completed from the previous question: 'Why?', 'And in Doha?', 'What about Iran?',
   'Who else?', 'Is that true?', 'When did that happen?'.
2. A word that points back (he, it, their, there, then, the company, that report) is replaced by the
   best *mention* of the history that agrees with it in kind, number and gender. Mentions are scored
   by where they stand, after the salience weights of Lappin & Leass, "An Algorithm for Pronominal
   Anaphora Resolution" (Computational Linguistics, 1994): what was spoken of by a pronoun last time
   (the centre of Grosz, Joshi & Weinstein, 1995), then the answer, the question's subject, its
   other phrases, the quotes; subjects prefer subjects, objects objects; older turns count less.
3. Anything else stands alone and is returned as it is, byte for byte.

A word that finds its antecedent in its own question, or that points at nothing ('is it true
that', 'is there', 'the man that'), is left alone. After a refusal the last answered turn is
preferred.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from article_qa.errors import ArticleError
from article_qa.types import Answer, Article, Citation, Event, Span, Turn, Usage

Kind = Literal["person", "place", "group", "time", "thing"]

# ---------------------------------------------------------------------------------------------
# Words. General English only; nothing here knows an article.
# ---------------------------------------------------------------------------------------------
_WH = frozenset("who whom whose what which when where why how".split())
_BE = frozenset("is are was were be been being isn't aren't wasn't weren't".split())
_DO = frozenset(
    "do does did don't doesn't didn't will would can could shall should may might must won't "
    "wouldn't can't couldn't shouldn't".split()
)
_HAVE = frozenset("has have had having hasn't haven't hadn't".split())
_AUX = _BE | _DO | _HAVE
_PREPOSITIONS = frozenset(
    "in at on off for with from to by after before during about since until under against near "
    "over into onto between among through within outside inside around behind without despite "
    "because across as than like of".split()
)
_PLACE_PREPOSITIONS = frozenset("in at off near outside inside around across".split())
_DETERMINERS = frozenset("the a an this that these those each every any some no another".split())
_PRONOUNS = frozenset(
    "i you he she it we they me him her us them my your his its our their hers theirs himself "
    "herself itself themselves there then who someone anyone everyone".split()
)
_CLAUSE = frozenset(
    "and or but if when while because that after before since until who which whether where as "
    "why how what".split()
)
_SAYS = re.compile(r"\b(?:say|says|said|thinks?|thought|believes?|claims?)\b(?! (?:to|about|of)\b)")
_ADVERBS = frozenset(
    "not now still also just only ever never often soon again else much many more most "
    "ago already yet so too very recently actually really exactly please".split()
)
_TITLES = {
    "mr": "m", "mr.": "m", "sir": "m", "lord": "m", "king": "m", "prince": "m",
    "mrs": "f", "mrs.": "f", "ms": "f", "ms.": "f", "miss": "f", "lady": "f", "queen": "f",
    "princess": "f", "dr": "", "dr.": "", "prof.": "", "professor": "", "president": "",
    "senator": "", "sen.": "", "gen.": "", "general": "", "gov.": "", "governor": "", "judge": "",
    "minister": "", "secretary": "", "captain": "", "col.": "", "lt.": "", "rep.": "", "pope": "m",
}  # fmt: skip
_PERSON_NOUNS = frozenset(
    "man woman boy girl person mayor minister president secretary envoy spokesman spokeswoman "
    "spokesperson leader officer official engineer lawyer doctor judge king queen prince princess "
    "writer author singer actor actress director manager coach player owner founder chairman "
    "chairwoman chief senator governor ambassador general analyst scientist researcher professor "
    "teacher student driver pilot captain witness victim mother father son daughter wife husband "
    "brother sister mediator negotiator diplomat expert historian artist composer magnate heir "
    "economist journalist reporter candidate pope bishop priest soldier nurse surgeon".split()
)
_GROUP_NOUNS = frozenset(
    "group company firm union team club party agency government ministry court army military "
    "police council league fund bank board organisation organization movement university "
    "institute institution department committee commission parliament congress senate corporation "
    "association foundation administration network militia band crew delegation airline "
    "manufacturer maker publisher newspaper charity operator consortium alliance coalition "
    "partners industries labs inc ltd corp group bureau office force forces academy museum".split()
)
_PLACE_NOUNS = frozenset(
    "city country town village place island region province capital state nation valley area "
    "district site port harbour harbor coast mountain river lake building stadium".split()
)
_TIME_WORDS = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may "
    "june july august september october november december spring summer autumn winter year month "
    "week day decade century today yesterday tomorrow".split()
)
_COUNTRIES = frozenset(
    "afghanistan albania algeria angola argentina armenia australia austria azerbaijan bahrain "
    "bangladesh belarus belgium bolivia brazil britain bulgaria cambodia cameroon canada chad "
    "chile china colombia congo croatia cuba cyprus denmark ecuador egypt england estonia ethiopia "
    "finland france georgia germany ghana greece greenland guatemala guinea haiti honduras hungary "
    "iceland india indonesia iran iraq ireland israel italy jamaica japan jordan kazakhstan kenya "
    "kuwait laos latvia lebanon liberia libya lithuania luxembourg madagascar malaysia mali malta "
    "mexico moldova mongolia montenegro morocco mozambique myanmar namibia nepal netherlands niger "
    "nigeria norway oman pakistan panama paraguay peru philippines poland portugal qatar romania "
    "russia rwanda scotland senegal serbia singapore slovakia slovenia somalia spain sudan sweden "
    "switzerland syria taiwan tajikistan tanzania thailand togo tunisia turkey turkmenistan uganda "
    "ukraine uruguay uzbekistan venezuela vietnam wales yemen zambia zimbabwe europe africa asia "
    "america antarctica".split()
)
_VERBS = frozenset(
    "accept accuse achieve act add admit agree aim allow announce answer appear appoint argue "
    "arrest arrive ask attack attend avoid base beat become begin believe belong blame bomb break "
    "bring build buy call cancel capture carry cause cease change charge claim close come command "
    "compare complain conclude confirm consider continue control cost create criticise criticize "
    "cut decide declare decline defeat defend demand deny describe design destroy develop die "
    "discover discuss earn elect employ end enter escape expect explain express face fail fall "
    "fear feel fight find finish fire fit fly follow force found gain get give go grow halt happen "
    "hear help hide hire hit hold hope host hurt improve increase injure insist introduce invade "
    "invent invest invite join keep kill know land launch lead learn leave lie live look lose "
    "make manage mean meet mention move name need negotiate object occur offer open oppose order "
    "organise organize own pay plan play prefer prepare present prevent produce promise propose "
    "protect protest prove provide publish pull push put question raise reach read receive recruit "
    "reduce refuse reject release remain remove rent repair replace reply report resign respond "
    "restore result retire return reveal rise rule run save say search see seek seem sell send "
    "serve set settle show sign sing sink speak spend stand start stay step stop study succeed "
    "suffer suggest support surrender take talk teach tell think threaten train travel try turn "
    "understand urge use visit vote wait walk want warn wear win withdraw work worry write".split()
)
_IRREGULAR = frozenset(
    "beaten become begun began broken brought built bought caught chosen come cut done driven "
    "fallen fell felt found fought flown flew forgotten got given gave gone went grown grew heard "
    "held hid hidden hit hurt kept known knew laid led left lost made meant met paid put read rose "
    "risen ran run said seen saw sought sold sent set shown sank sunk spoken spoke spent stood "
    "struck taken took taught told thought understood won wore worn withdrew withdrawn written "
    "wrote stolen drawn drew born shot shut sung sang swum torn thrown threw".split()
)
_RELATIONAL = frozenset(
    "report study book article deal agreement talk talks law trial vote war attack film story "
    "investigation inquiry negotiations dispute treaty ban debate referendum case".split()
)

_TOKEN = re.compile(
    r"(?:Mr|Mrs|Ms|Dr|Prof|Sen|Gen|Gov|Col|Lt|Rep|St)\.|(?:[A-Z]\.){2,}"
    r"|\d+(?:[.,]\d+)*(?![^\W_])|[^\W_]+(?:[-'’](?!s\b)[^\W_]+)*|['’]s\b|['’](?=\s)|[^\w\s]"
)


@dataclass(frozen=True, slots=True)
class _Mention:
    """Something that was spoken of: a name or a noun phrase, and what a pronoun may call it.

    ``kinds`` are what it may be, likeliest first.
    """

    text: str
    kinds: tuple[Kind, ...]
    plural: bool = False
    gender: str = ""
    role: Literal["subject", "object", "answer", "agent", "quote", "modifier"] = "object"
    name: bool = False
    span: Span = field(default_factory=lambda: Span(0, 0))
    weight: float = 0.0

    @property
    def head(self) -> str:
        """The noun that the phrase is about: 'mayor' in 'the mayor of Norvik'."""
        words = re.split(r" (?:of|on|about|with|between|for|in) ", self.text.lower())[0].split()
        return words[-1] if words else ""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int

    @property
    def low(self) -> str:
        return self.text.lower().replace("’", "'")

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()


def _tokens(text: str) -> list[_Token]:
    return [_Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text)]


def is_verb(word: str, *, base_only: bool = False) -> bool:
    """Guess whether a lower-case word is a verb: by a list and by its ending."""
    if word in _VERBS:
        return True
    if base_only:
        return False
    if word in _IRREGULAR or (len(word) > 4 and word.endswith(("ed", "ing"))):
        return True
    return (word.endswith("s") and word[:-1] in _VERBS) or (
        word.endswith("es") and word[:-2] in _VERBS
    )


def _is_plural(word: str) -> bool:
    if word in {"people", "children", "men", "women", "media", "police", "taliban"}:
        return True
    return len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))


# ---------------------------------------------------------------------------------------------
# Mentions of a text
# ---------------------------------------------------------------------------------------------
def _name_kinds(words: Sequence[str], before: str, evidence: str) -> tuple[tuple[Kind, ...], str]:
    """Guess what a name is from its own words, the word before it and the quotes around it."""
    low = [word.lower() for word in words]
    name = re.escape(" ".join(words))
    gender = next((_TITLES[word] for word in low if word in _TITLES), None)
    if gender is None and before in _TITLES:
        gender = _TITLES[before]
    titled = re.search(rf"\b([A-Z][a-z]{{1,8}}\.?) (?:\w+ )?{re.escape(words[-1])}\b", evidence)
    if gender is None and titled and titled.group(1).lower() in _TITLES:
        gender = _TITLES[titled.group(1).lower()]
    apposition = re.search(rf"{name}, ((?:an?|the) [^,.;]{{3,60}})", evidence)
    described = re.findall(r"[a-z]+", apposition.group(1).lower())[:7] if apposition else []
    if {"woman", "actress", "wife", "mother", "daughter"} & set(described):
        gender = gender or "f"
    if {"man", "actor", "husband", "father", "son"} & set(described):
        gender = gender or "m"
    if gender is not None:
        return ("person",), gender
    if any(word in _PERSON_NOUNS for word in described):
        return ("person",), ""
    if any(word in _GROUP_NOUNS for word in low) or any(w in _GROUP_NOUNS for w in described):
        return ("group", "thing"), ""
    if all(word in _TIME_WORDS or word.isdigit() for word in low):
        return ("time",), ""
    if any(word in _COUNTRIES for word in low) or any(w in _PLACE_NOUNS for w in described):
        return ("place", "group"), ""
    if before in {"in", "near", "off", "outside"}:
        return ("place", "thing"), ""
    if words[-1].isupper() and len(words[-1]) > 1:
        return ("group", "thing", "place"), ""
    if before == "the":
        return ("group", "thing", "place"), ""
    if len(words) == 2 or len(words) == 3:
        return ("person", "group", "thing", "place"), ""
    if len(words) == 1:
        return ("person", "place", "group", "thing"), ""
    return ("thing", "group", "place"), ""


def _noun_kinds(head: str) -> tuple[Kind, ...]:
    singular = head[:-1] if _is_plural(head) and head.endswith("s") else head
    if singular in _PERSON_NOUNS or head in {"people", "men", "women", "children"}:
        return ("person",)
    if singular in _GROUP_NOUNS:
        return ("group", "thing")
    if singular in _PLACE_NOUNS:
        return ("place", "thing")
    if singular in _TIME_WORDS:
        return ("time",)
    return ("thing",)


def _stops(tokens: Sequence[_Token], i: int) -> bool:
    """Say whether token ``i`` cannot belong to a noun phrase."""
    token = tokens[i]
    low = token.low
    if token.capital and i > 0 and low not in _AUX | _PRONOUNS | _WH:
        return False
    return (
        not token.text[0].isalnum()
        or low in _WH | _AUX | _PREPOSITIONS | _DETERMINERS | _PRONOUNS | _ADVERBS | _CLAUSE
    )


def _runs(tokens: Sequence[_Token]) -> Iterator[tuple[int, int, str]]:
    """Yield ``(first, last + 1, mode)`` of each run of content words.

    ``mode`` says what stands before: "do" (a base verb follows the subject), "be" (a participle
    may follow), "wh" or "" (anything).
    """
    i, mode = 0, ""
    while i < len(tokens):
        low = tokens[i].low
        if low in _DO:
            mode = "do"
        elif low in _BE | _HAVE:
            mode = "be"
        if low in _ADVERBS and mode:
            i += 1
            continue
        if _stops(tokens, i) or tokens[i].text in {"'s", "’s"}:
            i += 1
            continue
        j = i
        while j < len(tokens) and (
            not _stops(tokens, j) or (tokens[j].text[0] in "'’" and j + 1 < len(tokens))
        ):
            j += 1
        yield i, j, mode
        mode, i = "", j


def _cut_verb(tokens: Sequence[_Token], i: int, j: int, mode: str) -> list[tuple[int, int]]:
    """Split a run of content words at its verb: 'the talks | begin', 'built | the bridge'."""

    def lower(k: int) -> bool:
        return not tokens[k].capital or k == 0

    determined = i > 0 and tokens[i - 1].low in _DETERMINERS
    for k in range(i + 1 if mode == "do" or determined else i, j):
        verb = is_verb(tokens[k].low, base_only=mode == "do")
        if verb and lower(k) and tokens[k - 1].text not in {"'s", "’s"}:
            return [(i, k), (k + 1, j)]
    if mode == "do" and j - i > 1 and lower(j - 1) and not _is_plural(tokens[j - 1].low):
        following = tokens[j].low if j < len(tokens) else "?"
        if determined or tokens[j - 2].capital or following in {"?", "."}:
            return [(i, j - 1)]
    return [(i, j)]


def _mentions(text: str, evidence: str = "") -> list[_Mention]:
    """List the names and noun phrases of a question or a quote, in order."""
    tokens = _tokens(text)
    found: list[_Mention] = []
    seen_verb = False
    for first, stop, mode in _runs(tokens):
        parts = _cut_verb(tokens, first, stop, mode)
        for index, (i, j) in enumerate(parts):
            while j > i and (
                tokens[j - 1].text[0] in "'’" or tokens[j - 1].low in {"last", "first", "next"}
            ):
                j -= 1
            if i >= j:
                seen_verb = True
                continue
            role: Literal["subject", "object"] = (
                "subject"
                if index == 0 and not seen_verb and not _after_preposition(tokens, i)
                else "object"
            )
            found.extend(_phrase(text, tokens, i, j, role, evidence))
        seen_verb = seen_verb or len(parts) > 1
    return _join_of(text, found)


def _after_preposition(tokens: Sequence[_Token], i: int) -> bool:
    while i > 0 and tokens[i - 1].low in _DETERMINERS:
        i -= 1
    return i > 0 and tokens[i - 1].low in _PREPOSITIONS


def _phrase(
    text: str,
    tokens: Sequence[_Token],
    i: int,
    j: int,
    role: Literal["subject", "object"],
    evidence: str,
) -> Iterator[_Mention]:
    """Turn one run of content words into mentions: its names, and itself where a noun ends it."""
    determiner = tokens[i - 1].low if i > 0 and tokens[i - 1].low in _DETERMINERS else ""
    names = _capital_runs(tokens, i, j)
    for a, b in names:
        words = [t.text for t in tokens[a:b]]
        before = tokens[a - 1].low if a > 0 else ""
        kinds, gender = _name_kinds(words, before, evidence)
        with_the = before == "the" and b == j
        span = Span(tokens[a - 1].start if with_the else tokens[a].start, tokens[b - 1].end)
        plural = with_the and (_is_plural(words[-1].lower()) or len(words) == 1)
        inner = b < j
        owner = inner and tokens[b].text[0] in "'’"
        yield _Mention(
            text[span.start : span.end], kinds, plural and kinds[0] != "place", gender,
            role if not inner else "object" if owner else "modifier", True, span,
        )  # fmt: skip
    if names and names[-1][1] == j:
        return
    head = tokens[j - 1].low
    if head.isdigit():
        if re.fullmatch(r"1\d{3}|20\d\d", head):
            yield _Mention(head, ("time",), span=Span(tokens[j - 1].start, tokens[j - 1].end))
        return
    bare = not determiner and tokens[j - 1].text.islower()
    if bare and not (_is_plural(head) or any(t.text[0] in "'’" for t in tokens[i:j])):
        return
    start = tokens[i - 1].start if determiner else tokens[i].start
    span = Span(start, tokens[j - 1].end)
    phrase = text[span.start : span.end]
    if determiner in {"a", "an"}:
        phrase = f"the {text[tokens[i].start : span.end]}"
    yield _Mention(phrase, _noun_kinds(head), _is_plural(head), "", role, False, span)


def _capital_runs(tokens: Sequence[_Token], i: int, j: int) -> list[tuple[int, int]]:
    """Names inside ``tokens[i:j]``: capitalised words, which 'de', 'bin', 'van' may join."""
    runs: list[tuple[int, int]] = []
    k = i
    while k < j:
        if not tokens[k].capital or (k == 0 and is_verb(tokens[k].low)):
            k += 1
            continue
        b = k + 1
        if k > i and tokens[k - 1].text.isdigit() and tokens[k].low in _TIME_WORDS:
            k -= 1
        while b < j and (
            tokens[b].capital
            or (tokens[b].text.isdigit() and tokens[b - 1].low in _TIME_WORDS)
            or (tokens[b].low in {"de", "al", "bin", "van", "von", "da", "della"} and b + 1 < j)
        ):
            b += 1
        runs.append((k, b))
        k = b
    return runs


def _join_of(text: str, found: list[_Mention]) -> list[_Mention]:
    """Add 'the mayor of Norvik', 'the report on the cracks' to their parts."""
    joined: list[_Mention] = []
    for k, mention in enumerate(found):
        joined.append(mention)
        if k + 1 >= len(found):
            continue
        following = found[k + 1]
        between = text[mention.span.end : following.span.start].strip()
        apposed = between == "," and text[following.span.end :].lstrip()[:1] in {",", "?", ""}
        if apposed and following.name and not mention.name:
            span = Span(mention.span.start, following.span.end)
            found[k + 1] = replace(following, span=span, role=mention.role)
            joined.pop()
            continue
        relational = mention.head in _RELATIONAL and between in {"on", "about", "with", "between"}
        if between == "of" or relational:
            span = Span(mention.span.start, following.span.end)
            whole = replace(mention, text=text[span.start : span.end], span=span)
            joined[-1] = whole
    return joined


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


def _answer_mentions(turn: Turn, evidence: str) -> list[_Mention]:
    answer = turn.answer.plain.strip().strip("\"“”'.,;:")
    words = answer.split()
    asked = {token.low for token in _tokens(_question_of(turn))[:3]}
    if not words:
        return []
    if "how" in asked and answer[0].isdigit():
        return []  # '3.1 hectares' is never 'they'
    found = [replace(m, weight=_OBJECT + 0.25) for m in _mentions(answer, evidence)]
    if len(words) > _SHORT_ANSWER:
        return [m for m in found if m.name]
    if "when" in asked or ({"what", "which"} & asked and {"year", "day", "month"} & asked):
        return [_Mention(answer, ("time",), weight=_ANSWER)]
    if {"who", "whom", "whose"} & asked:
        found = [replace(m, role="agent") for m in found]
    names = [m for m in found if m.name]
    if len(names) > 1 and " and " in answer and answer[0].isupper():
        return [_Mention(answer, names[0].kinds, True, "", "answer", True, weight=_ANSWER), *found]
    if not names or "how" in asked or "why" in asked:
        if {"how", "why"} & asked or words[0].lower() not in _DETERMINERS:
            return found
        whole = _Mention(answer, ("thing",), role="agent" if "who" in asked else "answer")
        kinds, plural = _noun_kinds(whole.head), _is_plural(whole.head)
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


def _is_asked_for(question: str, mention: _Mention) -> bool:
    """Say whether a phrase only describes the answer: 'Which country ...', 'Who is the mayor'."""
    before = question[: mention.span.start].lower().split()
    if not mention.name and before[-1:] in (["which"], ["what"]):
        return True
    copular = len(before) in {2, 3} and before[0] in {"who", "what"} and before[1] in _BE
    return copular and not mention.name and mention.role == "subject"


def _turn_mentions(turn: Turn) -> list[_Mention]:
    """Everything a turn spoke of, weighted by where it stands."""
    question, evidence = _question_of(turn), _evidence(turn)
    asked = {m.text for m in _mentions(turn.question)}
    found = []
    describes = re.match(rf"(?:who|what) (?:{'|'.join(_BE)}) ", question, re.IGNORECASE)
    names_answer = any(m.name for m in _mentions(turn.answer.plain)[:1])
    for mention in _mentions(question, evidence):
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
    found.extend(_answer_mentions(turn, evidence))
    quotes = _mentions(_quotes(turn), evidence)
    found.extend(replace(m, weight=_QUOTE + 0.25 * m.name, role="quote") for m in quotes)
    return found


def _history_mentions(history: Sequence[Turn]) -> list[_Mention]:
    found: list[_Mention] = []
    age = 0
    for turn in reversed(history):
        penalty = _OLDER * age + (_REFUSED if turn.answer.refused else 0.0)
        found.extend(replace(m, weight=m.weight - penalty) for m in _turn_mentions(turn))
        age += not turn.answer.refused
    return found


def _fit(target: str, mention: _Mention) -> float | None:
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
) -> _Mention | None:
    """Find what a pronoun of the kind ``target`` means; None where nothing agrees with it."""
    best: tuple[float, _Mention] | None = None
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


def _internal(mentions: Sequence[_Mention], question: str, at: int, target: str, role: str) -> bool:
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
        if set(re.findall(r"[a-z]+", between)) & _CLAUSE or _SAYS.search(between):
            return True
    return False


def _role(question: str, match: re.Match[str], word: str) -> str:
    role = _POINTERS[word][1]
    after = question[match.end() :].lstrip().lower()
    following = re.match(r"[a-z]+", after)
    follower = following.group() if following else ""
    if word == "her":
        noun = follower and follower not in _PREPOSITIONS | _AUX | _CLAUSE | _ADVERBS | _PRONOUNS
        return "possessive" if noun and follower not in _DETERMINERS else "object"
    if word == "it" and follower:
        before = question[: match.start()].split()
        after_aux = bool(before) and before[-1].lower() in _AUX
        if after_aux or follower in _AUX or is_verb(follower):
            return "subject"
    return role


def _replace_pronouns(question: str, history: Sequence[Turn]) -> str:
    own = _mentions(question, " ".join(_evidence(turn) for turn in history))
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
    own = _mentions(question)
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
    question: str, history: Sequence[Turn], own: Sequence[_Mention]
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


def _complete(question: str, history: Sequence[Turn]) -> str | None:
    """Complete a fragment from the history; None where the question is no fragment."""
    bare = _bare(question)
    answered = [turn for turn in history if not turn.answer.refused]
    turn = answered[-1] if answered else history[-1]
    if _IS_TRUE.fullmatch(bare):
        return f"Is it true that {_statement(turn)}?"
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
    said = _SAID_THAT.search(bare)
    if said:
        return f"{bare[: said.start(2)]}that {_statement(turn)}?"
    if _POINTS_AT_EVENT.search(bare):
        bare = re.sub(r"\bdo it$", "do that", bare)
        return f"{bare}, given that {_statement(turn)}?"
    owned = _OWNED.fullmatch(bare)
    if owned:
        phrase, wh, aux, _ = _split(_question_of(turn))
        return f"{phrase} {aux} {owned.group(1)}?" if wh in {"who", "what"} and aux in _BE else None
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
    tokens = _tokens(rest)
    low = [token.low for token in tokens]
    if not low or len(low) > 6 or any(word in _WH | _AUX for word in low):
        return False
    if any(word in _PRONOUNS - {"there", "then"} for word in low):
        return False
    start = low[0]
    if start in {"summarise", "summarize", "list", "explain", "describe", "name", "tell", "give"}:
        return False
    verbs = [t for t in tokens[1:] if not t.capital and is_verb(t.low) and t.low[-3:] != "ing"]
    if asked_about:
        return True
    if start in _PREPOSITIONS and start not in {"because", "as", "like", "than", "about"}:
        return len(low) <= 5 and not verbs
    named = all(token.capital or token.low in _DETERMINERS for token in tokens)
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
    tokens = _tokens(_bare(question))
    while tokens and tokens[0].low in {"and", "but", "so"}:
        tokens = tokens[1:]
    bare = _bare(question)
    if not tokens:
        return "", "", "", bare
    if tokens[0].low in _AUX:
        return "", "", tokens[0].low, bare[tokens[0].end :].strip()
    first = next((k for k, t in enumerate(tokens[:2]) if t.low in _WH), None)
    if first is None:
        return "", "", "", bare[tokens[0].start :]
    wh = tokens[first].low
    for k in range(first + 1, min(len(tokens), first + 6)):
        if tokens[k].low in _AUX:
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
    words = [word for word in rest.lower().split() if word not in _ADVERBS]
    participle = bool(words) and is_verb(words[0]) and words[0] not in _DETERMINERS
    return participle or (bool(words) and words[0] in _BE)


def _short(turn: Turn, limit: int = 14) -> str:
    plain = turn.answer.plain.strip().rstrip(".?!")
    return plain if 0 < len(plain.split()) <= limit else ""


def _uncapital(text: str) -> str:
    """Lower the first letter of a sentence, unless a name starts it."""
    words = text.split(" ", 2)
    first = words[0].lower()
    function = first in _DETERMINERS | _PREPOSITIONS | _WH | _AUX | _PRONOUNS | _ADVERBS - {"i"}
    return text[0].lower() + text[1:] if function and first != "i" else text


def _statement(turn: Turn) -> str:
    """Say what a turn's answer says, as a clause."""
    _, wh, aux, rest = _split(_question_of(turn))
    answer = _short(turn, _SHORT_ANSWER)
    if answer and wh in {"who", "which"}:
        answer = re.sub(r"^by ", "", answer)
        if not aux:
            return f"{answer} {rest}"
        if _starts_with_verb(rest) or (aux in _BE and not _ends_with_verb(rest)):
            return f"{answer} {aux} {rest}"
    quote = next((c.quote for c in turn.answer.citations), turn.answer.plain)
    told = turn.answer.plain.strip().rstrip(".?!")
    clause = [word.strip(",.").lower() for word in told.split()]
    pronouns = set(clause) & _PRONOUNS
    if 3 < len(clause) <= 14 and not pronouns and any(map(_is_verb_or_aux, clause[1:])):
        quote = re.sub(r"^that ", "", told)
    words = re.sub(r'["“”]', "", " ".join(quote.split())).rstrip(".?!,").split(" ")
    return _uncapital(" ".join(words[:_MAX_STATEMENT]))


def _is_verb_or_aux(word: str) -> bool:
    return word in _AUX or is_verb(word)


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
    if subject:
        told = f"{answer or phrase[0].lower() + phrase[1:]} {aux + ' ' if aux else ''}{rest}"
        simple = lead.lower() in {"why", "when", "where", "how"}
        return f"{lead} was it that {told}?" if simple else f"{lead}, when {told}?"
    if not aux:
        return f"{lead}: {_statement(turn) if turn.answer.citations else rest}?"
    if aux in _BE and wh in _OBJECT_WH and answer and not _ends_with_verb(rest):
        named = _mentions(rest)
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
    own = _mentions(base, _evidence(turn))
    tokens = _tokens(rest)
    if tokens[0].low in _PREPOSITIONS:
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
        span = candidates[0].span
        return f"{base[: span.start]}{rest}{base[span.end :]}?"
    if not new.name:
        return f"{base}, and what about {rest}?"
    return f"What about {rest}: {_uncapital(base)}?"


def _substitute_adverbial(
    rest: str, tokens: Sequence[_Token], base: str, own: Sequence[_Mention]
) -> str:
    """Put 'in Accra' in the place of 'in Lagos', or at the end where there is nothing like it."""
    preposition = tokens[0].low
    new = _mentions(rest)
    time = bool(new) and new[0].kinds[0] == "time"
    alike = _PLACE_PREPOSITIONS if preposition in _PLACE_PREPOSITIONS else {preposition}
    for match in reversed(list(re.finditer(r"\b[a-z]+\b", base))):
        if match.group() not in alike | ({"in", "on", "at", "during"} if time else set()):
            continue
        after = [m for m in own if 0 <= m.span.start - match.end() <= 1]
        if not after or (after[0].kinds[0] == "time") != time:
            continue
        return f"{base[: match.start()]}{rest}{base[after[0].span.end :]}?"
    tail = re.search(rf"\b(?:{'|'.join(sorted(alike))}) (?:the )?[a-z]+$", base)
    return f"{base[: tail.start()]}{rest}?" if tail and not time else f"{base} {rest}?"


def _new_mention(rest: str, turn: Turn) -> _Mention:
    found = _mentions(rest, _evidence(turn)) or [_Mention(rest, ("thing",))]
    return found[0]


def _comparable(new: _Mention, old: _Mention) -> bool:
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
    completed = _complete(flat, history)
    resolved = _replace_nouns(_replace_pronouns(completed or flat, history), history)
    return question if resolved == flat else resolved


# ---------------------------------------------------------------------------------------------
# Conversations
# ---------------------------------------------------------------------------------------------
class Ask(Protocol):
    """Answers a question in the light of a history: ``ArticleQA.ask``."""

    def __call__(self, question: str, /, *, history: Sequence[Turn]) -> Answer:
        """Answer ``question``."""
        ...


class Stream(Protocol):
    """The same in events, the answer last: ``ArticleQA.stream``."""

    def __call__(self, question: str, /, *, history: Sequence[Turn]) -> Iterator[Event]:
        """Answer ``question`` in events."""
        ...


class Conversation:
    """Questions and answers that refer to each other. Made by ``ArticleQA.chat``.

    Args:
        ask: answers a question given the turns so far.
        stream: the same in events; None makes ``stream`` yield the finished answer alone.
        history_turns: how many turns are remembered; older ones are forgotten.
        turns: a history to go on from, oldest first.
    """

    def __init__(
        self,
        ask: Ask,
        *,
        stream: Stream | None = None,
        history_turns: int = 10,
        turns: Iterable[Turn] = (),
    ) -> None:
        if history_turns < 1:
            raise ValueError(f"history_turns must be at least 1, not {history_turns}")
        self._ask = ask
        self._stream = stream
        self._turns: deque[Turn] = deque(turns, maxlen=history_turns)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The remembered turns, oldest first."""
        return tuple(self._turns)

    def ask(self, question: str) -> Answer:
        """Answer a question in the light of the turns so far, and remember it."""
        answer = self._ask(question, history=self.turns)
        self._turns.append(Turn(question, answer))
        return answer

    def stream(self, question: str) -> Iterator[Event]:
        """Answer in events; the turn is remembered when the answer, the last event, has come.

        Closing the iterator stops the answer, and nothing is remembered.
        """
        if self._stream is None:
            yield Event("answer", answer=self.ask(question))
            return
        for event in self._stream(question, history=self.turns):
            if event.answer is not None:
                self._turns.append(Turn(question, event.answer))
            yield event

    def clear(self) -> None:
        """Forget all turns."""
        self._turns.clear()

    def to_dict(self) -> dict[str, Any]:
        """Return the conversation as plain JSON types, to be saved; hits are left out."""
        turns = []
        for turn in self._turns:
            answer = turn.answer.to_dict() | {"hits": []}
            turns.append({"question": turn.question, "answer": answer})
        return {"history_turns": self._turns.maxlen, "turns": turns}

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Any],
        ask: Ask,
        *,
        stream: Stream | None = None,
        articles: Iterable[Article] | None = None,
    ) -> Conversation:
        """Restore what ``to_dict`` gave.

        Args:
            data: the saved conversation.
            ask: as for the constructor.
            stream: as for the constructor.
            articles: when given, every citation is checked against them, so that a restored quote
                is the article's own text.

        Raises:
            ArticleError: a citation is not what ``articles`` say there; the conversation was held
                over other articles.
        """
        turns = [Turn(t["question"], answer_from_dict(t["answer"])) for t in data["turns"]]
        if articles is not None:
            by_id = {article.id: article for article in articles}
            for turn in turns:
                _check_citations(turn.answer, by_id)
        return cls(ask, stream=stream, history_turns=data["history_turns"], turns=turns)


def _check_citations(answer: Answer, articles: Mapping[str, Article]) -> None:
    for citation in (*answer.citations, *answer.nearest):
        article = articles.get(citation.article_id)
        if article is None or article.text[citation.start : citation.end] != citation.quote:
            raise ArticleError(
                f"the saved conversation cites {citation.quote[:60]!r}, which is not at "
                f"{citation.article_id}:{citation.start}-{citation.end} of these articles: it was "
                "held over others. Load those, or start a new conversation."
            )


def answer_from_dict(data: Mapping[str, Any]) -> Answer:
    """Make an answer again from ``Answer.to_dict``; its hits are dropped."""

    def citations(rows: Sequence[Mapping[str, Any]]) -> tuple[Citation, ...]:
        return tuple(
            Citation(
                row["number"], row["article_id"], row["start"], row["end"], row["quote"],
                tuple(Span(start, end) for start, end in row.get("focus", ())),
            )
            for row in rows
        )  # fmt: skip

    usage = data.get("usage")
    return Answer(
        question=data["question"],
        text=data["text"],
        plain=data["plain"],
        refused=data["refused"],
        reason=data["reason"],
        confidence=data["confidence"],
        citations=citations(data["citations"]),
        hits=(),
        nearest=citations(data.get("nearest", ())),
        understood_as=data.get("understood_as"),
        notice=data.get("notice"),
        usage=Usage(**usage) if usage else None,
        engine=data.get("engine", "extractive"),
    )
