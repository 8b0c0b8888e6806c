"""Question sets in JSON Lines, and readers' feedback.

A set is JSON Lines, one question a line (empty lines and lines that start with
``//`` are skipped)::

    {"id": "seed-001", "article": "000_85ebba8beb37503f", "kind": "who", "split": "test",
     "question": "Who is the envoy?",            or "turns": ["Who is ...?", "And who ...?"]
     "answers": ["Zalmay Khalilzad"],            acceptable answers, any one
     "quotes": [[{"text": "...", "start": 10, "end": 20}, ...alternatives], ...groups],
     "answerable": true,
     "genre": "news", "corrective": ["..."]}     both optional

A right set of citations overlaps at least one alternative in every group. Unanswerable questions
leave ``answers`` and ``quotes`` empty or out; a citation that overlaps a ``corrective`` passage is
a right reply to one. A passage may be a text alone: it is found by its words (``locate_gold``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from article_qa.errors import EvaluationError
from article_qa.evaluation.records import Question, Quote
from article_qa.types import Article


def load_questions(path: str | Path) -> tuple[Question, ...]:
    """Read a question set in JSON Lines.

    Raises:
        EvaluationError: the file cannot be read, or a line is malformed; the message names file
            and line, what was found and what was expected.
    """
    questions = tuple(_question(record, place) for record, place in _records(path))
    if not questions:
        raise EvaluationError(f"{path} holds no question; expected one JSON object a line")
    return unique(questions)


def feedback_to_questions(path: str | Path) -> tuple[Question, ...]:
    """Read readers' feedback as questions for the regression set.

    A record is a line of the set format with ``"kind": "feedback"``, ``"split": "dev"`` and two
    more keys::

        "verdict": "up" | "down", "time": "2026-11-22T22:41:00Z"

    where ``answers`` are the answer that was shown (``Answer.plain``), ``quotes`` one group of its
    citations, and ``answerable`` is false for a refusal. With ``"up"`` that answer and its
    citations are the gold. With ``"down"`` they are what someone rejected: the question is kept,
    marked (``verdict="down"``), and stays out of every figure until a person has corrected the
    gold and removed the verdict. Of several verdicts on one question and answer the last counts:
    people change their minds.

    Raises:
        EvaluationError: as ``load_questions``, or a record has no verdict.
    """
    latest: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Question] = {}
    for record, place in _records(path):
        question = _question(record, place)
        if question.verdict is None:
            raise EvaluationError(f'{place}: feedback needs "verdict": "up" or "down"')
        key = (question.article, question.turns, question.answers)
        latest.pop(key, None)
        latest[key] = question
    return unique(tuple(latest.values()))


def to_record(question: Question) -> dict[str, Any]:
    """Return a question as a record of the set format; ``load_questions`` reads it back."""
    alone = len(question.turns) == 1
    optional = {
        "genre": question.genre,
        "corrective": [_written(quote) for quote in question.corrective],
        "verdict": question.verdict,
    }
    return {
        **{key: getattr(question, key) for key in ("id", "article", "kind", "split")},
        **({"question": question.text} if alone else {"turns": list(question.turns)}),
        "answers": list(question.answers),
        "quotes": [[_written(quote) for quote in group] for group in question.quotes],
        "answerable": question.answerable,
        **{key: value for key, value in optional.items() if value},
    }


def _written(quote: Quote) -> str | dict[str, Any]:
    return quote.text if quote.start < 0 else quote._asdict()


def locate_gold(
    questions: Iterable[Question], articles: Mapping[str, Article]
) -> tuple[tuple[Question, ...], tuple[str, ...]]:
    """Check the gold quotes that have offsets, and find those that are texts alone.

    A text stands wherever its words do, letter for letter, whatever lies between them: white
    space, typographic or plain quotation marks, the marks of Markdown and the target of its links.
    Every such place is an alternative.

    Returns:
        The questions with all quotes in place, and, in words, the texts that stand nowhere. Such
        an alternative is left out; a group with none left counts as never cited.

    Raises:
        EvaluationError: an article is missing, or ``article.text[start:end] != text``.
    """
    texts = {id: _Words(article.text) for id, article in articles.items()}
    missing: list[str] = []

    def places(quotes: Iterable[Quote], question: Question) -> tuple[Quote, ...]:
        found = {quote: texts[question.article].places(quote) for quote in quotes}
        for quote, where in found.items():
            if quote.start >= 0 and not where:
                raise EvaluationError(
                    f"{question.source}: quote {quote.text!r} is said to stand at {quote.start}.."
                    f"{quote.end} of {question.article}, where the article says "
                    f"{articles[question.article].text[quote.start : quote.end]!r}"
                )
            missing.extend([] if where else [f"{question.id}: {quote.text!r}"])
        return tuple(dict.fromkeys(place for where in found.values() for place in where))

    placed = []
    for question in questions:
        if question.article not in articles:
            known = ", ".join(sorted(articles)[:5]) or "none"
            raise EvaluationError(
                f"{question.source}: article {question.article!r} is not among the "
                f"{len(articles)} articles given ({known}); name its folder with --articles"
            )
        quotes = tuple(places(group, question) for group in question.quotes)
        corrective = places(question.corrective, question)
        placed.append(replace(question, quotes=quotes, corrective=corrective))
    return tuple(placed), tuple(missing)


_WORD = re.compile(r"[^\W_]+|[$€£¥%]")
_LINK_TARGET = re.compile(r"(?<=\])\([^()\s]*\)")


class _Words:
    """A text as its words, each with its place."""

    def __init__(self, text: str) -> None:
        self.text = text
        shown = _LINK_TARGET.sub(lambda target: " " * len(target[0]), text)
        self._spans = [word.span() for word in _WORD.finditer(shown)]
        self._joined = " ".join(["", *(text[start:end] for start, end in self._spans), ""])

    def places(self, quote: Quote) -> list[Quote]:
        """Return the quote where it says that it stands, or every run of its words."""
        if quote.start >= 0:
            return [quote] * (self.text[quote.start : quote.end] == quote.text)
        wanted = _WORD.findall(quote.text)
        if not wanted:
            return []
        found = re.finditer(re.escape(" ".join(wanted)).join(("(?<= )", "(?= )")), self._joined)
        firsts = [self._joined.count(" ", 0, match.start()) - 1 for match in found]
        spans = [(self._spans[i][0], self._spans[i + len(wanted) - 1][1]) for i in firsts]
        return [Quote(self.text[start:end], start, end) for start, end in spans]


def _records(path: str | Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield each line's JSON object and its place, ``file:line``."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"{path} cannot be read as UTF-8 text: {error}") from error
    for number, line in enumerate(text.split("\n"), 1):
        place = f"{path}:{number}"
        if not line.strip() or line.startswith("//"):
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise EvaluationError(
                f"{place}: not JSON ({error}); expected one object a line"
            ) from error
        if not isinstance(record, dict):
            raise EvaluationError(f"{place}: found {type(record).__name__}, expected an object")
        yield record, place


def _question(record: Mapping[str, Any], place: str) -> Question:
    """Check one record and return it as a question."""

    def take(key: str, fits: Callable[[Any], bool], expected: str, default: Any = None) -> Any:
        if not fits(value := record.get(key, default)):
            raise EvaluationError(f'{place}: "{key}" must be {expected}, not {value!r}')
        return value

    def strings(value: Any) -> bool:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)

    def one_of(*values: Any) -> Callable[[Any], bool]:
        return lambda value: value in values

    id, article, kind = (
        take(key, lambda value: isinstance(value, str) and value != "", "a non-empty string")
        for key in ("id", "article", "kind")
    )
    if ("turns" in record) == ("question" in record) or record.get("turns") == []:
        raise EvaluationError(f'{place}: expected either "question" or a non-empty "turns"')
    turns = [record["question"]] if "question" in record else record["turns"]
    if not strings(turns):
        raise EvaluationError(f"{place}: questions must be strings, not {turns!r}")
    answerable = take("answerable", lambda value: isinstance(value, bool), "true or false")
    try:
        quotes = tuple(tuple(map(_quote, _list(g))) for g in _list(record.get("quotes", [])))
        corrective = tuple(map(_quote, _list(record.get("corrective", []))))
    except (TypeError, KeyError, ValueError) as error:
        raise EvaluationError(
            f'{place}: "quotes" must be a list of lists of texts or {{"text", "start", "end"}}, '
            f'"corrective" a list of them ({error})'
        ) from error
    if answerable != bool(quotes) or not all(quotes):
        raise EvaluationError(
            f"{place}: an answerable question needs at least one group of quotes, each with at "
            f"least one quote; an unanswerable one has none; found {len(quotes)} groups"
        )
    if answerable and corrective:
        raise EvaluationError(f'{place}: "corrective" is for unanswerable questions')
    return Question(
        id=id,
        article=article,
        kind=kind,
        split=take("split", one_of("dev", "test"), '"dev" or "test"'),
        turns=tuple(turns),
        answers=tuple(take("answers", strings, "a list of strings", [])),
        quotes=quotes,
        answerable=answerable,
        corrective=corrective,
        genre=take("genre", lambda value: isinstance(value, str), "a string", ""),
        scope=(article,),
        source=place,
        verdict=take("verdict", one_of(None, "up", "down"), '"up" or "down"'),
    )


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"found {value!r}")
    return value


def _quote(value: Any) -> Quote:
    """Read a passage: a text, or a text with its offsets."""
    if isinstance(value, str):
        if not _WORD.search(value):
            raise ValueError(f"{value!r} has no word")
        return Quote(value)
    quote = Quote(str(value["text"]), int(value["start"]), int(value["end"]))
    if not 0 <= quote.start < quote.end or quote.end - quote.start != len(quote.text):
        raise ValueError(f"{quote.text!r} has {len(quote.text)} characters, not {quote[1:]}")
    return quote


def unique(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    """Return the questions.

    Raises:
        EvaluationError: two have the same id.
    """
    seen: dict[str, str] = {}
    for question in questions:
        if question.id in seen:
            raise EvaluationError(
                f"{question.source}: id {question.id!r} was used before at {seen[question.id]}"
            )
        seen[question.id] = question.source
    return questions


def load_sets(paths: Mapping[Path, str]) -> tuple[Question, ...]:
    """Read several files, each of the set named, as one; ids must be unique over all of them."""
    return unique(
        tuple(
            replace(question, set=name)
            for path, name in paths.items()
            for question in load_questions(path)
        )
    )
