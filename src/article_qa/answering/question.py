"""What a question asks for, by its form: a person, a date, a number, a list, yes or no.

Rules over English question words; a question in another form, or another language, is of type
``"thing"`` and loses nothing but the help.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from article_qa.retrieval.lexical import tokens

MAX_QUESTIONS = 4
"""More that are asked at once are taken for one."""

AnswerType = Literal["person", "time", "number", "place", "reason", "manner", "speech", "thing"]
ANSWER_TYPES: tuple[AnswerType, ...] = get_args(AnswerType)

_AUXILIARY = (
    "is|are|was|were|am|do|does|did|has|have|had|can|could|will|would|shall|should|may|might|must"
    "|isn't|aren't|wasn't|weren't|don't|doesn't|didn't|hasn't|haven't|hadn't|won't|wouldn't"
)
_LEAD = re.compile(r"^(?:(?:and|but|so|then|ok|okay|well|please)\b[ ,]*)+", re.IGNORECASE)
_YES_NO = re.compile(rf"^(?:{_AUXILIARY})\b(?!.*\bor\b.*\?)", re.IGNORECASE)
_PATTERNS: tuple[tuple[AnswerType, str], ...] = (
    (
        "speech",
        r"\bwhat (?:did|does|do|has|have) .+\b(?:say|said|tell|told|write|add|call)\b",
    ),
    (
        "number",
        r"\bhow (?:many|much|old|long|far|tall|high|big|large|often|deep|wide|fast)\b"
        r"|\bwhat (?:percentage|percent|share|number|amount|proportion|fraction)\b"
        r"|\bwhat (?:is|was|are|were) the (?:number|price|cost|age|population)\b",
    ),
    (
        "time",
        r"\bwhen\b|\b(?:what|which) (?:year|month|day|date|time|century|decade|week|season|"
        r"period)\b|\bhow long ago\b|\bsince when\b",
    ),
    (
        "person",
        r"^(?:\W|to |by |with |for |from |of )*(?:who|whom|whose)\b"
        r"|\b(?:what|which) (?:person|man|woman|people|author|official|spokes\w+)\b",
    ),
    (
        "place",
        r"\bwhere\b|\b(?:what|which) (?:city|cities|country|countries|(?:town|place|state|region|"
        r"village|continent|location|street|building)s?)\b",
    ),
    (
        "reason",
        r"\bwhy\b|\bhow come\b|\bwhat (?:is|was|are|were) the (?:reason|cause|purpose)\b"
        r"|\bfor what reason\b|\bwhat (?:made|makes|caused|causes|led)\b",
    ),
    ("manner", r"\bhow\b"),
)
_TYPES = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _PATTERNS)
_LIST = re.compile(
    r"\b(?:list|name (?:all|the|two|three|some)|which|what)(?: (?:two|three|four|five|other|are|"
    r"were|the|all))* (?!\w*ss\b)[a-z]+s\b(?! (?:the|a|an|did|does)\b)|^who (?:are|were|all)\b"
    r"|\bwho else\b|\bboth\b|^list\b|^name (?:all|the|two|three)\b",
    re.IGNORECASE,
)
_COMPARES = re.compile(
    r"\b(?:vs|versus|compar\w+|differ\w*|than|both|or|either|instead|unlike)\b", re.IGNORECASE
)
_WH = r"(?:who|whom|whose|what|which|when|where|why|how)"
_NEXT_QUESTION = re.compile(
    rf"\?\s+(?={_WH}\b|(?:{_AUXILIARY})\b)"
    rf"|,? and (?={_WH}\s*\??\s*$|(?:(?:for|to|from|by|with|in) )?{_WH}(?: \w+){{0,2}} "
    rf"(?:{_AUXILIARY})\b|who (?!else\b)\w)",
    re.IGNORECASE,
)
_BEGINS_QUESTION = re.compile(rf"^\W*(?:(?:and|but|so) )?(?:{_WH}|{_AUXILIARY})\b", re.IGNORECASE)
_WHO_IS = re.compile(
    r"^\W*(?:(?:and|but|so|ok) )?who(?:['’]?s| is| was| are| were) (?P<name>[^?]+?)\s*\?*\s*$", re.I
)
_WORD = re.compile(r"[^\W_][\w'’.-]*")
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")
_FUNCTION = frozenset(
    "who whom whose what which when where why how is are was were do does did has have had can "
    "could will would should may might must the a an in on at of to by for from with and or but "
    "i if it he she they we you this that these those there name list tell according".split()
)

_DATE = re.compile(
    r"\b(?:1\d{3}|20\d{2})s?\b|\b(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|"
    r"july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|\b(?:today|yesterday|tomorrow|tonight|"
    r"morning|afternoon|evening|night|noon|midnight|week|weeks|month|months|year|years|decades?|"
    r"century|centuries|spring|summer|autumn|fall|winter|ago|recently|now|once|before|after|"
    r"during|until|since|while|when|day|days|hours?|minutes?)\b|\b\d{1,2}(?::\d\d|\s?[ap]\.?m)",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|"
    r"forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|dozens?|"
    r"half|third|quarter|twice|double|triple|both|several|few|many|most|all|none|no|single|"
    r"couple|daily|weekly|monthly|annual\w*|years?|months?|days?|hours?)\b",
    re.IGNORECASE,
)
_FIRST_NAME = re.compile(r"\b[^\W\d_a-z][\w.’'-]*(?= [^\W\d_a-z]\w)")
_CAPITAL = re.compile(r"\b[^\W\d_a-z]\w*")


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what its form tells.

    Args:
        text: the question.
        type: what a short answer should be.
        yes_no: it asks whether something is so.
        plural: the answer may be a list.
        compares: it asks for two things side by side.
        stems: its content words, as ``lexical.tokens`` folds and stems them.
        names: its capitalised words, folded and stemmed; empty for a question in lower case.
        numbers: its numbers, without separators.
        first_names: of the names of several words, all words but the last, folded and stemmed.
    """

    text: str
    type: AnswerType
    yes_no: bool
    plural: bool
    compares: bool
    stems: tuple[str, ...]
    names: tuple[str, ...]
    numbers: tuple[str, ...]
    first_names: frozenset[str] = frozenset()

    def without_first_names(self, stems: Sequence[str]) -> tuple[str, ...]:
        """Leave out what is not said again: 'Ada Lund' is 'Ms. Lund' from then on."""
        return tuple(stem for stem in stems if stem not in self.first_names)


def analyse(text: str) -> Question:
    """Read a question's form."""
    bare = _LEAD.sub("", text.strip())
    kind: AnswerType = next((k for k, pattern in _TYPES if pattern.search(bare)), "thing")
    words = _WORD.findall(bare)
    names = [
        word
        for i, word in enumerate(words)
        if word[0].isupper() and word.lower() not in _FUNCTION and (i > 0 or word[1:].islower())
    ]
    return Question(
        text=text,
        type=kind,
        yes_no=bool(_YES_NO.search(bare)),
        plural=bool(_LIST.search(bare)),
        compares=bool(_COMPARES.search(bare)),
        stems=tuple(dict.fromkeys(tokens(bare))),
        names=tuple(dict.fromkeys(t for name in names for t in tokens(name))),
        numbers=tuple(number.replace(",", "") for number in _NUMBER.findall(bare)),
        first_names=frozenset(
            t
            for word in _FIRST_NAME.findall(bare)
            if word.lower() not in _FUNCTION
            for t in tokens(word)
        ),
    )


def asked_about(question: str) -> str:
    """Return the name in 'Who is NAME?'; empty for another question."""
    asks = _WHO_IS.match(question)
    return asks["name"] if asks else ""


def questions_of(text: str) -> tuple[str, ...]:
    """Cut several questions that are asked at once: 'Who wrote this and when was it published?'.

    A clause that another one governs ('What did he say about who won and who lost?') is no question
    of its own: its subject is not behind its verb.

    Returns:
        The questions in order, each ending in a question mark; the text itself where it is one.
    """
    parts = [part.strip(" ,?") for part in _NEXT_QUESTION.split(text.strip())]
    parts = [part for part in parts if part]
    governs = len(re.findall(rf"\b{_WH}\b", parts[0], re.IGNORECASE)) > 1 if parts else True
    if not 1 < len(parts) <= MAX_QUESTIONS or governs or not _BEGINS_QUESTION.match(parts[0]):
        return (text,)
    for i in reversed(range(len(parts) - 1)):
        if re.fullmatch(_WH, parts[i], re.IGNORECASE):  # 'When and where was he born?'
            parts[i] += re.sub(rf"^{_WH}\b", "", parts[i + 1], flags=re.IGNORECASE)
    return tuple(f"{part[0].upper()}{part[1:]}?" for part in parts)


def fits(kind: AnswerType, answer: str) -> float:
    """Say whether an answer looks like what was asked for: 1 yes, 0 no, 0.5 the type says nothing.

    Shallow on purpose: a date has a month or a year, a number a digit or a numeral, a person or a
    place a capital letter.
    """
    if kind == "time":
        return float(bool(_DATE.search(answer)))
    if kind == "number":
        return float(bool(_QUANTITY.search(answer)))
    if kind in ("person", "place"):
        return float(bool(_CAPITAL.search(answer)))
    return 0.5
