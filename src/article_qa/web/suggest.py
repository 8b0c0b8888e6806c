"""Questions worth asking about an article, made from its own sentences by rule.

No language model: a rule reads a sentence's surface ("Mr. Price said", "was appointed by",
"because") and turns it into a question. Rules err, so no question is shown before the engine has
answered it from the very sentence that it was made of: an article that no rule fits suggests
little, never nonsense. The work is done in the background, once for each article.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from article_qa.language.mentions import TITLE
from article_qa.types import Answer, Article, Block, Span

if TYPE_CHECKING:
    from article_qa.bot import ArticleQA

ENOUGH = 14
"""Checked questions for an article; a visitor sees four at first and three after each answer."""
TRIES = 40
"""Questions checked at most, so that a long article does not keep the processor busy."""
SURE = 0.6
"""Confidence below which an answered question is not shown: a first question should impress."""
KEPT_ARTICLES = 50
"""Articles whose questions are remembered."""

log = logging.getLogger(__name__)

_WORD = r"[A-Z][\w’'-]*[a-z’'][\w’'-]*|[A-Z]\."
_NAME = rf"(?:{TITLE} )?(?:{_WORD})(?: (?:{_WORD}|al|bin|de|del|der|di|la|van|von))*"
_FULL = rf"(?:[A-Z][\w’'-]+)(?: (?:{_WORD}|al|bin|de|del|der|di|la|van|von))* (?:[A-Z][\w’'-]+)"
_SAID = r"(?:said|says|told|wrote|added|argued|warned|explained|insisted|acknowledged|recounted)"
_BE = r"(?:is|are|was|were|has|have|had|can|could|will|would|should|must)"
_START = r"(?:^|(?<=[.;:] )|(?<=, and )|(?<=^But )|(?<=^And ))"

_WHO = (
    re.compile(rf"(?P<name>{_FULL}), (?:the|a|an|who|then) [a-z]"),
    re.compile(rf"\b(?:the|[A-Za-z]+’s|[A-Za-z]+'s) (?:[a-z][\w-]* ){{1,5}}(?P<name>{_FULL})"),
    re.compile(rf"\b{TITLE} (?:of [A-Z]\w+ )?(?P<name>{_FULL})"),
    re.compile(rf", (?P<name>{_FULL}), (?:said|offered|told|wrote|is|was)\b"),
)
_SPEECH = (
    re.compile(rf"\b(?<![Tt]he )(?P<name>{_NAME}) {_SAID}\b"),
    re.compile(rf"[”\"],? {_SAID} (?P<name>{_FULL})\b"),
)
_TITLED = re.compile(rf"\b{TITLE} (?:[A-Z]\w* )?(?P<name>{_FULL}|{_WORD})")
_PASSIVE = re.compile(
    rf"{_START}(?P<name>(?:The |the )?{_NAME})(?:, [^,]+,)? (?:was|were) "
    rf"(?P<did>[a-z]+ed) by (?P<by>(?:the )?{_NAME})"
)
_BECAUSE = re.compile(
    rf"{_START}[“\"]?(?P<subject>(?:The |the )?{_NAME}) (?P<be>{_BE}) "
    r"(?P<rest>[^.;:“”\"]+?),? because\b"
)
_THAT = re.compile(
    rf"{_START}(?P<subject>The {_NAME}|{_NAME}) (?P<have>has|have|had) (?P<did>[a-z]+ed) that\b"
)
_DEFINED = re.compile(
    rf"{_START}(?P<subject>The {_NAME}|{_NAME}) (?P<be>is|are|was|were) (?:an?|the|what) "
)
_COUNT = re.compile(
    r"\b(?:\d[\d,.]*|two|three|four|five|six|seven|eight|nine|ten|a dozen|dozens of|hundreds of|"
    r"thousands of) (?P<what>(?:[a-z-]+ )?[a-z]+s) (?P<be>were|are|have|had|will) "
    r"(?P<rest>(?:been |be )?[a-z]+(?: (?:in|by|at|from|on) (?:the )?\w+)?)"
)
_YEAR = re.compile(r"\b[Ii]n (?P<year>1[5-9]\d\d|20\d\d)\b")
_NO_NAME = re.compile(
    "(?:He|She|It|They|We|You|I|This|That|These|Those|There|But|And|Or|If|When|As|In|On|At|For)"
)
"""Words that begin a sentence and so look like a name's first."""
_CALENDAR = re.compile(
    r"\b(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|January|February|March|April|May|June|July|"
    r"August|September|October|November|December)\b"
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question, and the sentence it was made of (None: about the article as a whole).

    ``topic`` is what it is about, for asking once; ``frame`` says that it means 'this article'.
    """

    question: str
    source: Span | None
    topic: str
    frame: bool = False


def candidates(article: Article) -> tuple[Suggestion, ...]:
    """Return unchecked questions about an article, in the order of their sentences.

    A topic (whose words, who is meant) is asked about once.
    """
    found = list(_about(article))
    people = _people(article.text)
    for block in article.blocks:
        if block.kind in ("paragraph", "standfirst", "heading"):
            for sentence in block.sentences:
                words = " ".join(article.text[sentence.start : sentence.end].split())
                found += _from_sentence(words, sentence, people)
    seen: set[str] = set()
    unique = []
    for suggestion in found:
        keys = {suggestion.topic, suggestion.question.casefold()}
        if not keys & seen:
            seen |= keys
            unique.append(suggestion)
    return tuple(unique)


def _about(article: Article) -> Iterator[Suggestion]:
    """Yield questions that an article of the kind answers by its frame."""

    def block(kind: str) -> Block | None:
        return next((b for b in article.blocks if b.kind == kind), None)

    yield Suggestion("What is this article about?", None, "about", frame=True)
    if byline := block("byline"):
        yield Suggestion("Who wrote this article?", byline.span, "byline", frame=True)
    if date := block("date"):
        yield Suggestion("When was it published?", date.span, "date", frame=True)


def _people(text: str) -> frozenset[str]:
    """Return the last names of those the article calls by a title or lets speak."""
    words = " ".join(text.split())
    return frozenset(
        match["name"].split()[-1]
        for pattern in (*_SPEECH, _TITLED)
        for match in pattern.finditer(words)
        if _named(match["name"]) and _whole(words, match.start("name"))
    )


def _from_sentence(words: str, span: Span, people: frozenset[str]) -> Iterator[Suggestion]:
    """Yield what the rules make of a sentence (``words``, on one line)."""

    def made(question: str, topic: str) -> Suggestion:
        return Suggestion(question, span, topic)

    if re.fullmatch(r"(?:Who|What|When|Where|Why|How)\b.{5,80}\?", words):
        yield made(words, words)
    for match in _BECAUSE.finditer(words):
        if _named(match["subject"]) and len(match["rest"].split()) <= 10:
            subject = _inside(match["subject"])
            yield made(f"Why {match['be']} {subject} {match['rest']}?", f"why {subject}")
    for match in _PASSIVE.finditer(words):
        if _named(match["name"]):
            name = _inside(match["name"])
            yield made(f"Who {match['did']} {name}?", f"passive {name}")
    for match in _THAT.finditer(words):
        if _named(match["subject"]):
            subject = _inside(match["subject"])
            yield made(f"What {match['have']} {subject} {match['did']}?", f"that {subject}")
    for match in _COUNT.finditer(words):
        yield made(f"How many {match['what']} {match['be']} {match['rest']}?", match["what"])
    for pattern in _WHO:
        for match in pattern.finditer(words):
            if match["name"].split()[-1] in people:
                yield made(f"Who is {match['name']}?", f"who {match['name'].split()[-1]}")
    for pattern in _SPEECH:
        for match in pattern.finditer(words):
            name = match["name"]
            if name.split()[-1] in people and _whole(words, match.start("name")):
                yield made(f"What did {name} say?", f"said {name.split()[-1]}")
    for match in _DEFINED.finditer(words):
        if match["subject"].startswith("The ") and _named(match["subject"]):
            subject = _inside(match["subject"])
            yield made(f"What {match['be']} {subject}?", f"what {subject}")
    for match in _YEAR.finditer(words):
        yield made(f"What happened in {match['year']}?", match["year"])


def _named(name: str) -> bool:
    """Say whether a match is a name rather than a pronoun or a weekday at a sentence's start."""
    first = name.removeprefix("The ").removeprefix("the ").split()[0]
    return not _NO_NAME.fullmatch(first) and not _CALENDAR.search(name)


def _whole(words: str, start: int) -> bool:
    """Say whether a person's name begins at ``start``: not 'Department' in 'State Department'."""
    before = words[:start].split()[-1:]
    return not before or bool(
        re.fullmatch(TITLE, before[0]) or not re.fullmatch(r"[Tt]he|[A-Z][\w-]+", before[0])
    )


def _inside(name: str) -> str:
    """Return a name as it is written inside a sentence."""
    return "the " + name[4:] if name.startswith("The ") else name


def without_chat(qa: ArticleQA) -> ArticleQA:
    """Return the same without its chat model, which costs money and may be slow."""
    return qa if qa.chat_model is None else type(qa)(qa.store, reader=qa.reader)


def fits(suggestion: Suggestion, answer: Answer) -> bool:
    """Say whether the engine's answer makes a question fit to be shown.

    It must be answered, with confidence, and cite the sentence the question was made of.
    """
    if answer.refused or answer.confidence < SURE:
        return False
    source = suggestion.source
    return source is None or any(Span(c.start, c.end).overlaps(source) for c in answer.citations)


@dataclass
class _Checked:
    """The questions of one article that have been found good so far."""

    found: list[tuple[Suggestion, Answer]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    done: bool = False


class Suggestions:
    """Checked questions of every article that was asked for, made by one background thread."""

    def __init__(self) -> None:
        self._by_sha: OrderedDict[str, _Checked] = OrderedDict()
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="suggest")

    def first(
        self,
        qa: ArticleQA,
        article: Article,
        count: int,
        *,
        asked: Sequence[str] = (),
        among_others: bool = False,
        timeout: float = 20.0,
    ) -> list[str]:
        """Return up to ``count`` questions to begin with, of different kinds.

        Waits until there are enough, all are checked, or ``timeout`` seconds have passed.

        Args:
            qa: answers questions about the article.
            article: the article.
            count: how many at most.
            asked: questions already asked, which are not suggested again.
            among_others: the question will be put to several articles at once: leave out those
                about 'this article'.
            timeout: seconds to wait at most.
        """
        checked = self._checked(qa, article)
        known = {question.casefold().strip() for question in asked}

        def found() -> list[str]:
            return [
                s.question
                for s, _ in checked.found
                if not (among_others and s.frame) and s.question.casefold() not in known
            ]

        with checked.changed:
            checked.changed.wait_for(lambda: checked.done or len(found()) >= count, timeout)
            return found()[:count]

    def after(
        self,
        qa: ArticleQA,
        article: Article,
        cited: Span,
        asked: Sequence[str],
        count: int,
        *,
        among_others: bool = False,
        timeout: float = 3.0,
    ) -> list[str]:
        """Return up to ``count`` questions that lead on from an answer, the nearest first.

        Args:
            qa: answers questions about the article.
            article: the article.
            cited: where the answer stands; a question made nearby continues it.
            asked: questions already asked, which are not suggested again.
            count: how many at most.
            among_others: see ``first``.
            timeout: see ``first``.
        """
        checked = self._checked(qa, article)
        known = {question.casefold().strip() for question in asked}

        def fresh() -> list[Suggestion]:
            return [
                suggestion
                for suggestion, answer in checked.found
                if not (among_others and suggestion.frame)
                and suggestion.question.casefold() not in known
                and not any(cited == Span(c.start, c.end) for c in answer.citations)
            ]

        with checked.changed:
            checked.changed.wait_for(lambda: checked.done or len(fresh()) >= count, timeout)
            found = fresh()
        found.sort(key=lambda s: (s.frame, _distance(s.source, cited)))
        return [suggestion.question for suggestion in found[:count]]

    def forget(self, article: Article) -> None:
        """Drop what is remembered of an article."""
        with self._lock:
            self._by_sha.pop(article.sha256, None)

    def _checked(self, qa: ArticleQA, article: Article) -> _Checked:
        with self._lock:
            checked = self._by_sha.get(article.sha256)
            if checked is None:
                checked = self._by_sha[article.sha256] = _Checked()
                self._worker.submit(self._check, qa, article, checked)
                while len(self._by_sha) > KEPT_ARTICLES:
                    self._by_sha.popitem(last=False)
            self._by_sha.move_to_end(article.sha256)
            return checked

    def _check(self, qa: ArticleQA, article: Article, checked: _Checked) -> None:
        try:
            qa = without_chat(qa)
            for suggestion in _varied(candidates(article))[:TRIES]:
                answer = qa.ask(suggestion.question, article_ids=[article.id])
                if fits(suggestion, answer):
                    with checked.changed:
                        checked.found.append((suggestion, answer))
                        checked.changed.notify_all()
                if len(checked.found) >= ENOUGH:
                    break
        except Exception:
            log.exception("questions about %r could not be checked", article.id)
        finally:
            with checked.changed:
                checked.done = True
                checked.changed.notify_all()


def _varied(suggestions: Iterable[Suggestion]) -> list[Suggestion]:
    """Return suggestions so that those of one kind (first two words) do not come in a row."""
    kinds: dict[str, list[Suggestion]] = {}
    for suggestion in suggestions:
        kinds.setdefault(" ".join(suggestion.question.split()[:2]), []).append(suggestion)
    rounds = max((len(group) for group in kinds.values()), default=0)
    return [group[n] for n in range(rounds) for group in kinds.values() if n < len(group)]


def _distance(source: Span | None, cited: Span) -> int:
    """Return the characters between a question's sentence and a citation."""
    return 0 if source is None else max(source.start - cited.end, cited.start - source.end, 0)
