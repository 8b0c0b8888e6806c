"""What a text speaks of: names and noun phrases, and what kind of thing each may be.

Found by word lists and by form, for English: a run of capitalised words is a name, a run of content
words behind a determiner a noun phrase; titles, head nouns and the sentences around tell a person
from a place or a group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from article_qa.types import Span

Kind = Literal["person", "place", "group", "time", "thing"]

# ---------------------------------------------------------------------------------------------
# Words. General English only; nothing here knows an article.
# ---------------------------------------------------------------------------------------------
WH_WORDS = frozenset("who whom whose what which when where why how".split())
BE = frozenset("is are was were be been being isn't aren't wasn't weren't".split())
_DO = frozenset(
    "do does did don't doesn't didn't will would can could shall should may might must won't "
    "wouldn't can't couldn't shouldn't".split()
)
_HAVE = frozenset("has have had having hasn't haven't hadn't".split())
AUXILIARIES = BE | _DO | _HAVE
PREPOSITIONS = frozenset(
    "in at on off for with from to by after before during about since until under against near "
    "over into onto between among through within outside inside around behind without despite "
    "because across as than like of".split()
)
PLACE_PREPOSITIONS = frozenset("in at off near outside inside around across".split())
DETERMINERS = frozenset("the a an this that these those each every any some no another".split())
PRONOUNS = frozenset(
    "i you he she it we they me him her us them my your his its our their hers theirs himself "
    "herself itself themselves there then who someone anyone everyone".split()
)
CLAUSE_WORDS = frozenset(
    "and or but if when while because that after before since until who which whether where as "
    "why how what".split()
)
SAYS = re.compile(r"\b(?:say|says|said|thinks?|thought|believes?|claims?)\b(?! (?:to|about|of)\b)")
ADVERBS = frozenset(
    "not now still also just only ever never often soon again else much many more most "
    "ago already yet so too very recently actually really exactly please".split()
)
TITLES = {
    "mr": "m", "sir": "m", "lord": "m", "king": "m", "prince": "m", "pope": "m", "mrs": "f",
    "ms": "f", "miss": "f", "lady": "f", "queen": "f", "princess": "f", "dr": "",
    "prof": "", "professor": "", "president": "", "minister": "", "secretary": "", "senator": "",
    "sen": "", "representative": "", "rep": "", "congressman": "m", "governor": "", "gov": "",
    "mayor": "", "councillor": "", "judge": "", "general": "", "gen": "",
    "captain": "", "capt": "", "colonel": "", "col": "", "lt": "", "sgt": "", "rev": "",
}  # fmt: skip
"""What stands before a person's name, folded, and the gender it tells, if any."""

TITLE = rf"(?:{'|'.join(title.capitalize() for title in TITLES)})\b\.?"
PERSON_NOUNS = frozenset(
    "man woman boy girl person mayor minister president secretary envoy spokesman spokeswoman "
    "spokesperson leader officer official engineer lawyer doctor judge king queen prince princess "
    "writer author singer actor actress director manager coach player owner founder chairman "
    "chairwoman chief senator governor ambassador general analyst scientist researcher professor "
    "teacher student driver pilot captain witness victim mother father son daughter wife husband "
    "brother sister mediator negotiator diplomat expert historian artist composer magnate heir "
    "economist journalist reporter candidate pope bishop priest soldier nurse surgeon advocate "
    "adviser advisor aide activist ally attorney aunt baron boss chair chancellor clerk colleague "
    "colonel commander commissioner congressman congresswoman correspondent cousin critic dean "
    "deputy designer dictator duke editor emperor executive farmer fellow fiance friend god "
    "goddess graduate grandfather granddaughter grandmother grandson guard guide head host hunter "
    "inspector inventor investor keeper knight lawmaker lecturer lieutenant merchant monk musician "
    "nephew niece outlaw painter partner peer photographer physician poet politician premier "
    "prosecutor rebel representative saint sculptor sergeant servant sheriff statesman successor "
    "superintendent survivor tailor trader trainer treasurer uncle veteran warrior widow".split()
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
TIME_WORDS = frozenset(
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
class Mention:
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
class Token:
    """A word or mark of a text and where it stands."""

    text: str
    start: int
    end: int

    @property
    def low(self) -> str:
        """The text in lower case, apostrophes made straight."""
        return self.text.lower().replace("’", "'")

    @property
    def capital(self) -> bool:
        """Whether it begins with a capital letter."""
        return self.text[0].isupper()


def tokens_of(text: str) -> list[Token]:
    """Cut a text into words, numbers, abbreviations with their stop, "'s", and marks."""
    return [Token(m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text)]


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


def is_plural(word: str) -> bool:
    """Guess whether a lower-case noun is a plural, by its ending."""
    if word in {"people", "children", "men", "women", "media", "police", "taliban"}:
        return True
    return len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is"))


# ---------------------------------------------------------------------------------------------
# Mentions of a text
# ---------------------------------------------------------------------------------------------
def _name_kinds(words: Sequence[str], before: str, evidence: str) -> tuple[tuple[Kind, ...], str]:
    """Guess what a name is from its own words, the word before it and the quotes around it."""
    low = [word.lower().rstrip(".") for word in words]
    before = before.rstrip(".")
    name = re.escape(" ".join(words))
    gender = next((TITLES[word] for word in low if word in TITLES), None)
    if gender is None and before in TITLES:
        gender = TITLES[before]
    titled = re.search(rf"\b([A-Z][a-z]{{1,8}})\.? (?:\w+ )?{re.escape(words[-1])}\b", evidence)
    if gender is None and titled and titled.group(1).lower() in TITLES:
        gender = TITLES[titled.group(1).lower()]
    apposition = re.search(rf"{name}, ((?:an?|the) [^,.;]{{3,60}})", evidence)
    described = re.findall(r"[a-z]+", apposition.group(1).lower())[:7] if apposition else []
    if {"woman", "actress", "wife", "mother", "daughter"} & set(described):
        gender = gender or "f"
    if {"man", "actor", "husband", "father", "son"} & set(described):
        gender = gender or "m"
    if gender is not None:
        return ("person",), gender
    if any(word in PERSON_NOUNS for word in described):
        return ("person",), ""
    if any(word in _GROUP_NOUNS for word in low) or any(w in _GROUP_NOUNS for w in described):
        return ("group", "thing"), ""
    if all(word in TIME_WORDS or word.isdigit() for word in low):
        return ("time",), ""
    if any(word in _COUNTRIES for word in low) or any(w in _PLACE_NOUNS for w in described):
        return ("place", "group"), ""
    if before in {"in", "near", "off", "outside"} or re.search(
        rf"\b(?:in|near|outside|to) {name}\b(?! [A-Z])", evidence
    ):
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


def noun_kinds(head: str) -> tuple[Kind, ...]:
    """Return what a noun phrase with this lower-case head may be, likeliest first."""
    singular = head[:-1] if is_plural(head) and head.endswith("s") else head
    if singular in PERSON_NOUNS or head in {"people", "men", "women", "children"}:
        return ("person",)
    if singular in _GROUP_NOUNS:
        return ("group", "thing")
    if singular in _PLACE_NOUNS:
        return ("place", "thing")
    if singular in TIME_WORDS:
        return ("time",)
    return ("thing",)


def _stops(tokens: Sequence[Token], i: int) -> bool:
    """Say whether token ``i`` cannot belong to a noun phrase."""
    token = tokens[i]
    low = token.low
    if token.capital and i > 0 and low not in AUXILIARIES | PRONOUNS | WH_WORDS:
        return False
    return (
        not token.text[0].isalnum()
        or low
        in WH_WORDS | AUXILIARIES | PREPOSITIONS | DETERMINERS | PRONOUNS | ADVERBS | CLAUSE_WORDS
    )


def _runs(tokens: Sequence[Token]) -> Iterator[tuple[int, int, str]]:
    """Yield ``(first, last + 1, mode)`` of each run of content words.

    ``mode`` says what stands before: "do" (a base verb follows the subject), "be" (a participle
    may follow), "wh" or "" (anything).
    """
    i, mode = 0, ""
    while i < len(tokens):
        low = tokens[i].low
        if low in _DO:
            mode = "do"
        elif low in BE | _HAVE:
            mode = "be"
        if low in ADVERBS and mode:
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


def _cut_verb(tokens: Sequence[Token], i: int, j: int, mode: str) -> list[tuple[int, int]]:
    """Split a run of content words at its verb: 'the talks | begin', 'built | the bridge'."""

    def lower(k: int) -> bool:
        return not tokens[k].capital or k == 0

    determined = i > 0 and tokens[i - 1].low in DETERMINERS
    for k in range(i + 1 if mode == "do" or determined else i, j):
        verb = is_verb(tokens[k].low, base_only=mode == "do")
        if verb and lower(k) and tokens[k - 1].text not in {"'s", "’s"}:
            return [(i, k), (k + 1, j)]
    if mode == "do" and j - i > 1 and lower(j - 1) and not is_plural(tokens[j - 1].low):
        following = tokens[j].low if j < len(tokens) else "?"
        if determined or tokens[j - 2].capital or following in {"?", "."}:
            return [(i, j - 1)]
    return [(i, j)]


def mentions_of(text: str, evidence: str = "") -> list[Mention]:
    """List the names and noun phrases of a question or a quote, in order."""
    tokens = tokens_of(text)
    found: list[Mention] = []
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


def _after_preposition(tokens: Sequence[Token], i: int) -> bool:
    while i > 0 and tokens[i - 1].low in DETERMINERS:
        i -= 1
    return i > 0 and tokens[i - 1].low in PREPOSITIONS


def _phrase(
    text: str,
    tokens: Sequence[Token],
    i: int,
    j: int,
    role: Literal["subject", "object"],
    evidence: str,
) -> Iterator[Mention]:
    """Turn one run of content words into mentions: its names, and itself where a noun ends it."""
    determiner = tokens[i - 1].low if i > 0 and tokens[i - 1].low in DETERMINERS else ""
    names = _capital_runs(tokens, i, j)
    for a, b in names:
        words = [t.text for t in tokens[a:b]]
        before = tokens[a - 1].low if a > 0 else ""
        kinds, gender = _name_kinds(words, before, evidence)
        with_the = before == "the" and b == j
        span = Span(tokens[a - 1].start if with_the else tokens[a].start, tokens[b - 1].end)
        plural = with_the and (is_plural(words[-1].lower()) or len(words) == 1)
        inner = b < j
        owner = inner and tokens[b].text[0] in "'’"
        yield Mention(
            text[span.start : span.end], kinds, plural and kinds[0] != "place", gender,
            role if not inner else "object" if owner else "modifier", True, span,
        )  # fmt: skip
    if names and names[-1][1] == j:
        return
    head = tokens[j - 1].low
    if head.isdigit():
        if re.fullmatch(r"1\d{3}|20\d\d", head):
            yield Mention(head, ("time",), span=Span(tokens[j - 1].start, tokens[j - 1].end))
        return
    bare = not determiner and tokens[j - 1].text.islower()
    if bare and not (is_plural(head) or any(t.text[0] in "'’" for t in tokens[i:j])):
        return
    start = tokens[i - 1].start if determiner else tokens[i].start
    span = Span(start, tokens[j - 1].end)
    phrase = text[span.start : span.end]
    if determiner in {"a", "an"}:
        phrase = f"the {text[tokens[i].start : span.end]}"
    yield Mention(phrase, noun_kinds(head), is_plural(head), "", role, False, span)


def _capital_runs(tokens: Sequence[Token], i: int, j: int) -> list[tuple[int, int]]:
    """Names inside ``tokens[i:j]``: capitalised words, which 'de', 'bin', 'van' may join."""
    runs: list[tuple[int, int]] = []
    k = i
    while k < j:
        if not tokens[k].capital or (k == 0 and is_verb(tokens[k].low)):
            k += 1
            continue
        b = k + 1
        if k > i and tokens[k - 1].text.isdigit() and tokens[k].low in TIME_WORDS:
            k -= 1
        while b < j and (
            tokens[b].capital
            or (tokens[b].text.isdigit() and tokens[b - 1].low in TIME_WORDS)
            or (tokens[b].low in {"de", "al", "bin", "van", "von", "da", "della"} and b + 1 < j)
        ):
            b += 1
        runs.append((k, b))
        k = b
    return runs


def _join_of(text: str, found: list[Mention]) -> list[Mention]:
    """Add 'the mayor of Norvik', 'the report on the cracks' to their parts."""
    joined: list[Mention] = []
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
