"""A text's checkable facts: numbers, ordinals, dates, units, names, negations, stemmed words.

What ``verification`` compares of a statement and a sentence. Read by word lists and by form, for
English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import Stemmer

from article_qa.language.mentions import TITLES


# ---------------------------------------------------------------------------------------------
# Words of general English
# ---------------------------------------------------------------------------------------------
def words_of(text: str) -> frozenset[str]:
    """Return the words of a list as a set."""
    return frozenset(text.split())


STOP_WORDS = words_of(
    "a an the this that these those is are was were be been being am do does did doing have has "
    "had having will would shall should can could may might must of in on at to from by with for "
    "about into onto over under between through during as than and or but if so because while "
    "although though that which who whom whose what when where why how it its he him his she her "
    "hers they them their theirs we us our you your i me my there here also just very too both "
    "each every some any all most much many other another such own same then now still yet "
    "himself herself itself themselves one ones according s t d ll re ve m mr mrs ms dr not no "
    "never nobody none neither nor nothing without cannot up out off down article passage been "
    "several only including around across among against upon per via approximately roughly"
)
_UNITS = {
    "zero": 0, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14,
    "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "twice": 2, "thrice": 3, "dozen": 12, "half": 0.5, "both": 2, "couple": 2,
}  # fmt: skip
SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12,
           "dozen": 12, "m": 1e6, "bn": 1e9, "k": 1e3}  # fmt: skip
ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "ninth": 9, "tenth": 10,
}  # fmt: skip
MONTHS = (
    "january february march april may june july august september october november december".split()
)
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
CALENDAR = {name: name for name in MONTHS + _DAYS} | {
    name[:3]: name for name in MONTHS + _DAYS if name not in {"may", "march", "sunday"}
} | {"sept": "september"}  # fmt: skip
_CLOSED = words_of(
    "percent pound dollar euro krone kroner yen mile kilometre kilometer metre meter hectare acre "
    "ton tonne kilo gram litre liter degree spring summer autumn winter morning noon midnight "
    "afternoon evening night day week month year decade century hour minute yesterday today "
    "tomorrow daily weekly monthly annually"
)
"""Units and times: where the statement has one, the source must have the same."""
_SAME_TIME = {"daily": "day", "weekly": "week", "monthly": "month", "annual": "year",
              "annually": "year", "yearly": "year", "kroner": "krone", "meter": "metre",
              "kilometer": "kilometre", "liter": "litre", "ton": "tonne"}  # fmt: skip
_CURRENCY = {"£": "pound", "$": "dollar", "€": "euro", "¥": "yen"}
_NEGATORS = words_of("not n't never no none nobody nothing neither nor without cannot hardly")
_NEGATIVE_VERBS = words_of(
    "refuse refuses refused refusing deny denies denied denying fail fails failed failing decline "
    "declines declined unable unwilling stop stops stopped cease ceased"
)
_FORBID = words_of(
    "ban bans banned forbid forbids forbidden prohibit prohibits prohibited outlawed"
)
_ANTONYMS = [
    ("increase rise grow climb gain expand rose grew risen grown",
     "decrease fall drop decline shrink fell lose dropped halve fallen shrunk lower"),
    ("more over above exceed", "less fewer under below"),
    ("before", "after since"), ("first", "last"), ("win won victory", "lose lost defeat"),
    ("accept approve agree welcome", "reject refuse decline oppose turned"),
    ("support for favour favor", "against oppose"), ("open opened", "close closed shut"),
    ("start begin began begun", "end finish stop cease"), ("on", "off"),
    ("buy bought", "sell sold"),
    ("north northern", "south southern"), ("east eastern", "west western"),
    ("public", "private"), ("most", "least"), ("always", "never"), ("early", "late"),
    ("allow permit", "ban forbid prohibit prevent"), ("admit", "deny denied"), ("up", "down"),
    ("double doubled triple", "halve halved"), ("alive survive", "dead die died kill"),
    ("arrive", "leave depart"), ("present", "absent"), ("next", "last previous"),
    ("last", "next this"), ("this", "last next previous"), ("full", "empty"),
    ("bare", "coated"), ("possible", "impossible"), ("true", "false"), ("same", "different"),
    ("husband", "wife"), ("son", "daughter"), ("father", "mother"), ("brother", "sister"),
    ("import", "export"), ("guilty", "innocent"),
    ("strong", "weak"), ("high higher", "low lower"), ("cheap cheaper", "expensive"),
    ("optimistic", "pessimistic downbeat"), ("success succeed", "failure fail"),
]  # fmt: skip
_SYNONYMS = (
    "say tell state add declare remark note explain announce comment report write wrote told "
    "said argue insist claim deny, less fewer under below, continue go, start begin began "
    "begun launch open commence, end finish stop cease conclude, buy purchase acquire bought, "
    "lead head chair run led, build construct built erect, get receive obtain got, give "
    "donate provide grant gave given contribute pay, reject refuse decline turned oppose "
    "against, fall drop decline decrease fell fallen, rise increase grow rose grew climb "
    "risen, die kill death dead died perish, big large great huge major, small little tiny, "
    "restore replant bring back, vanish disappear lose lost, destroy tear tore wreck ruin "
    "torn lose lost, people visitor person resident inhabitant population crowd, belong own "
    "owner possess, name appoint select named, make produce manufacture made create design, "
    "show reveal find found discover demonstrate, ask request demand call urge, want seek "
    "hope wish aim, use employ utilise, live reside dwell, meet met meeting, talk negotiation "
    "discussion dialogue discuss speak spoke negotiate, help assist aid support, attack "
    "strike assault, leave depart withdraw withdrawal left pull exit, company firm business "
    "corporation, child kid youngster, job work post position role, plan intend intention, "
    "cost price expensive, house home, car vehicle, film movie, doctor physician, take took "
    "taken hold held place, try tried attempt effort seek, prevent stop block avoid, happen "
    "occur took take place, cover spread size area put, move shift relocate, warn caution "
    "told tell, allow permit let, replace succeed successor follow took take over, former "
    "previous ex earlier used, quick fast rapid swift, money fund funding finance, cross use "
    "pass, government administration, forbid ban prohibit, decide decision determine, double "
    "twice, expect forecast predict anticipate, rest remainder remaining other"
).split(", ")

LEMMAS = {
    form: forms.split()[0]
    for forms in (
        "take took taken, give gave given, buy bought, sell sold, meet met, lead led, tell "
        "told, hold held, win won, pay paid, send sent, lend lent, build built, make made, "
        "write wrote written, see saw seen, find found, lose lost, eat ate eaten, begin began "
        "begun, arise arose arisen, go goes went gone, come came, become became, know knew "
        "known, grow grew grown, rise rose risen, fall fell fallen, speak spoke spoken, break "
        "broke broken, choose chose chosen, drive drove driven, fly flew flown, get got gotten, "
        "have had, keep kept, leave left, mean meant, run ran, say said, show shown, sink sank "
        "sunk, spend spent, stand stood, teach taught, think thought, throw threw thrown, "
        "understand understood, wear wore worn, withdraw withdrew withdrawn, catch caught, "
        "bring brought, feel felt, fight fought, hear heard, shoot shot, steal stole stolen, "
        "strike struck, sew sewn, tear tore torn, forget forgot forgotten, hide hid hidden, "
        "seek sought"
    ).split(", ")
    for form in forms.split()
}


@lru_cache(maxsize=50_000)
def _english_stem(word: str) -> str:
    stem: str = Stemmer.Stemmer("english").stemWord(word)  # one is not safe to share by threads
    return stem


def stem_of(word: str) -> str:
    """Return a lower-case word's stem (Snowball English), irregular forms by a list."""
    return str(_english_stem(LEMMAS.get(word, word)))


ANAPHOR = re.compile(
    r"\b(?:he|she|it|they|one|ones|him|her|them|his|hers|its|their|this|these|those|the two|both|"
    r"the group|the company|the man|the woman)\b",
    re.IGNORECASE,
)


def _groups(groups: Sequence[str]) -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, group in enumerate(groups):
        for word in group.split():
            found.setdefault(stem_of(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in found.items()}


SYNONYM_GROUPS = _groups(_SYNONYMS)
POLES = [(tuple(a.split()), tuple(b.split())) for a, b in _ANTONYMS]
POLES += [(b, a) for a, b in POLES]


# ---------------------------------------------------------------------------------------------
# What a text says
# ---------------------------------------------------------------------------------------------
_TOKEN = re.compile(
    r"[£$€¥]?\d+(?:[.,]\d+)*(?:st|nd|rd|th|s|m|bn|k)?(?![^\W_])|%|n['’]t\b|(?:[A-Z]\.){2,}|[A-Z]\.(?=\s[A-Z])|(?:Mr|Mrs|Ms|Dr|Prof|St|Sen|Gen|Gov|Rep|Lt|Col|No|Jr|Sr|Inc|Ltd|Co|Corp|Cmdr|vs|approx)\."
    r"|[^\W_]+?(?=n['’]t\b)|[^\W_]+(?:['’][^\W_]+)?|[.!?;:,()\"“”]"
)
QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]+)[\"“”„«»]")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or mark: as written, folded, stemmed."""

    text: str
    low: str
    stem: str

    @property
    def word(self) -> bool:
        """Whether it is a word or a number, not a mark."""
        return self.low[0].isalnum()

    @property
    def content(self) -> bool:
        """Whether it is a word that says something: no function word."""
        return self.word and self.low not in STOP_WORDS


def _tokenise(text: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(text.replace("-", " ").replace("–", " ").replace("—", ", ")):
        word = re.sub(r"['’]s?$", "", match.group()) or match.group()
        low = word.lower().replace("’", "'")
        if low.count(".") > 1:
            low = low.replace(".", "")  # U.S. -> us, a name
            yield Token(word, f"{low}.", f"{low}.")
            continue
        low = low.rstrip(".") or low
        low = {"%": "percent", "n't": "not"}.get(low, low)
        stem = _SAME_TIME.get(low) or stem_of(low)
        yield Token(word, low, _SAME_TIME.get(stem, stem))


class Facts:
    """What can be compared of a text: each property is computed at most once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokenise(text))
        self.low = {token.low for token in self.tokens}
        self.stems = {token.stem for token in self.tokens if token.word}

    @cached_property
    def numbers(self) -> dict[int, float]:
        """Value of each number, by the place of its last token."""
        found: dict[int, float] = {}
        value: float | None = None
        for i, token in enumerate(self.tokens):
            part = number_of(token.low)
            scale = SCALES.get(token.low)
            if scale and value is not None:
                value *= scale
            elif part is not None and value is not None and 20 <= value < 100 and part < 10:
                value += part
            elif part is not None:
                value = part
            elif scale and len(token.low) > 2:
                value = scale
            elif token.low in {"a", "and"} and value == 0.5:
                continue
            else:
                value = None
                continue
            found.pop(i - 1, None)
            if i >= 2 and self.tokens[i - 1].low == "a":
                found.pop(i - 2, None)
            found[i] = value
        return found

    @cached_property
    def ordinals(self) -> set[int]:
        """Values of the ordinals: 3 for 'third' and '3rd'."""
        found = {ORDINALS[token.low] for token in self.tokens if token.low in ORDINALS}
        return found | {int(t.low[:-2]) for t in self.tokens if re.fullmatch(r"\d+(?:st|nd|rd|th)",
                                                                             t.low)}  # fmt: skip

    @cached_property
    def calendar(self) -> set[str]:
        """Months, weekdays and decades; 'may' and 'march' only when capitalised."""
        found = {CALENDAR[t.low] for t in self.tokens if t.low in CALENDAR and t.text[0].isupper()}
        return found | {t.low for t in self.tokens if re.fullmatch(r"\d{2,4}s", t.low)}

    @cached_property
    def closed(self) -> set[str]:
        """Units and times."""
        found = {t.stem for t in self.tokens if t.stem in CLOSED_STEMS}
        return found | {_CURRENCY[t.text[0]] for t in self.tokens if t.text[0] in _CURRENCY}

    @cached_property
    def named(self) -> list[tuple[int, list[str]]]:
        """Runs of capitalised words, lower-cased, with the place of the last one.

        Titles are left out; a sentence's first word counts only within a run.
        """
        runs: list[tuple[int, list[str]]] = []
        run: list[str] = []
        start = True
        for i, token in enumerate([*self.tokens, Token(".", ".", ".")]):
            upper = token.text[0].isupper() and token.low not in CALENDAR
            if start and upper:
                following = self.tokens[i + 1 : i + 2]
                beside = bool(following) and following[0].text[0].isupper()
                upper = (
                    beside or token.low.endswith(".")
                ) and token.low not in STOP_WORDS - TITLES.keys()
            if upper and token.low not in TITLES and token.low != "i":
                run.append(token.low)
            elif run and not (upper and token.low in TITLES):
                runs.append((i - 1, run))
                run = []
            start = token.low in {".", "!", "?", '"', "“", ":"}
        return runs

    @cached_property
    def capitalised(self) -> list[tuple[int, list[str]]]:
        """The same with a sentence's first word, if it is no function word."""
        runs: list[tuple[int, list[str]]] = []
        for i, token in enumerate(self.tokens):
            if (
                not token.text[0].isupper()
                or token.low in TITLES.keys() | STOP_WORDS | CALENDAR.keys()
            ):
                continue
            if runs and runs[-1][0] == i - 1:
                runs[-1] = (i, [*runs[-1][1], token.low])
            else:
                runs.append((i, [token.low]))
        return runs

    @property
    def names(self) -> list[list[str]]:
        """The names, as lists of lower-case words."""
        return [run for _, run in self.named]

    @cached_property
    def capitals(self) -> list[list[str]]:
        """Every run of capitalised words, first words included."""
        runs: list[list[str]] = [[]]
        for token in self.tokens:
            if token.text[0].isupper() and token.low not in TITLES:
                runs[-1].append(token.low)
            elif runs[-1] and token.low not in TITLES:
                runs.append([])
        return [run for run in runs if run]

    @cached_property
    def negations(self) -> list[tuple[str, frozenset[str]]]:
        """``(head, scope)`` of each negation: the stems that it denies, the first one apart."""
        found = []
        for i, token in enumerate(self.tokens):
            after = self.tokens[i + 1].low if i + 1 < len(self.tokens) else ""
            verb = token.low in _NEGATIVE_VERBS and (
                after in {"to", "that", "having", "it"} or after.endswith("ing")
            )
            if not (token.low in _NEGATORS or verb or token.low in _FORBID):
                continue
            scope = self._scope(i)
            if token.low in _FORBID:
                before = [t.stem for t in self.tokens[max(0, i - 5) : i] if t.content]
                found.append(("", frozenset(before) | frozenset(scope)))
            elif scope:
                found.append((scope[0], frozenset(scope)))
        return found

    def _scope(self, i: int) -> list[str]:
        scope: list[str] = []
        for token in self.tokens[i + 1 :]:
            if token.low in {".", ";", "but", "while", "although", ","} and scope:
                break
            if token.content and token.low not in {"want"}:
                scope.append(token.stem)
            if len(scope) == 4:
                break
        return scope

    @cached_property
    def denied(self) -> frozenset[str]:
        """Stems of the words that stand in the scope of a negation."""
        return frozenset(stem for _, scope in self.negations for stem in scope)


CLOSED_STEMS = {_SAME_TIME.get(stem_of(word), stem_of(word)) for word in _CLOSED}


def number_of(word: str) -> float | None:
    """Return the value of a lower-case word or figure ('12,000', '£3m', 'twelve'), or None."""
    if word[0] in "£$€¥":
        word = word[1:]
    match = re.fullmatch(r"(\d+(?:[.,]\d+)*)(m|bn|k)?", word)
    if match:
        digits = match.group(1)
        if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", digits):
            digits = digits.replace(",", "")
        digits = digits.replace(",", ".")
        if digits.count(".") > 1:
            return None
        return float(digits) * SCALES.get(match.group(2) or "", 1.0)
    return None if word == "both" else _UNITS.get(word)


@lru_cache(maxsize=4096)
def facts_of(text: str) -> Facts:
    """Return a text's facts, remembered: sentences are compared with many statements."""
    return Facts(text)
