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
from collections.abc import Iterable, Iterator, Mapping
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
    record: dict[str, Any] = {
        "id": question.id,
        "article": question.article,
        "kind": question.kind,
        "split": question.split,
    }
    if len(question.turns) == 1:
        record["question"] = question.text
    else:
        record["turns"] = list(question.turns)
    record["answers"] = list(question.answers)
    record["quotes"] = [[_written(quote) for quote in group] for group in question.quotes]
    record["answerable"] = question.answerable
    if question.genre:
        record["genre"] = question.genre
    if question.corrective:
        record["corrective"] = [_written(quote) for quote in question.corrective]
    if question.verdict is not None:
        record["verdict"] = question.verdict
    return record


def _written(quote: Quote) -> str | dict[str, Any]:
    return quote._asdict() if quote.located else quote.text


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
    texts: dict[str, _Words] = {}
    placed: list[Question] = []
    missing: list[str] = []
    for question in questions:
        article = articles.get(question.article)
        if article is None:
            known = ", ".join(sorted(articles)[:5]) or "none"
            raise EvaluationError(
                f"{question.source}: article {question.article!r} is not among the "
                f"{len(articles)} articles given ({known}); name its folder with --articles"
            )
        if article.id not in texts:
            texts[article.id] = _Words(article.text)
        words = texts[article.id]
        groups = []
        for group in (*question.quotes, question.corrective):
            places = [(quote, _places(quote, words, question)) for quote in group]
            missing += [f"{question.id}: {quote.text!r}" for quote, found in places if not found]
            groups.append(tuple(dict.fromkeys(q for _, found in places for q in found)))
        *quotes, corrective = groups
        placed.append(replace(question, quotes=tuple(quotes), corrective=corrective))
    return tuple(placed), tuple(missing)


def _places(quote: Quote, words: _Words, question: Question) -> list[Quote]:
    """Return the quote at each of its places.

    Raises:
        EvaluationError: it is said to stand where it does not.
    """
    if not quote.located:
        return words.find(quote.text)
    found = words.text[quote.start : quote.end]
    if found != quote.text:
        raise EvaluationError(
            f"{question.source}: quote {quote.text!r} is said to stand at "
            f"{quote.start}..{quote.end} of {question.article}, where the article says {found!r}"
        )
    return [quote]


_WORD = re.compile(r"[^\W_]+|[$€£¥%]")
_LINK_TARGET = re.compile(r"(?<=\])\([^()\s]*\)")


class _Words:
    """A text as its words, each with its place."""

    def __init__(self, text: str) -> None:
        self.text = text
        shown = _LINK_TARGET.sub(lambda target: " " * len(target[0]), text)
        self._spans = [word.span() for word in _WORD.finditer(shown)]
        self._joined = " ".join(["", *(text[start:end] for start, end in self._spans), ""])

    def find(self, quote: str) -> list[Quote]:
        """Return every run of the quote's words, in reading order."""
        wanted = _WORD.findall(quote)
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

    def fail(problem: str) -> EvaluationError:
        return EvaluationError(f"{place}: {problem}")

    for key in ("id", "article", "kind"):
        if not isinstance(record.get(key), str) or not record[key]:
            raise fail(f'"{key}" must be a non-empty string, not {record.get(key)!r}')
    split = record.get("split")
    if split not in ("dev", "test"):
        raise fail(f'"split" must be "dev" or "test", not {split!r}')
    turns = record.get("turns", [record.get("question")])
    if ("turns" in record) == ("question" in record) or not turns:
        raise fail('expected either "question" or a non-empty "turns"')
    if not isinstance(turns, list) or not all(isinstance(turn, str) for turn in turns):
        raise fail(f"questions must be strings, not {turns!r}")
    answerable = record.get("answerable")
    if not isinstance(answerable, bool):
        raise fail(f'"answerable" must be true or false, not {answerable!r}')
    answers = record.get("answers", [])
    if not isinstance(answers, list) or not all(isinstance(a, str) for a in answers):
        raise fail(f'"answers" must be a list of strings, not {answers!r}')
    try:
        quotes = tuple(tuple(map(_quote, _list(g))) for g in _list(record.get("quotes", [])))
        corrective = tuple(map(_quote, _list(record.get("corrective", []))))
    except (TypeError, KeyError, ValueError) as error:
        raise fail(
            '"quotes" must be a list of lists of texts or {"text", "start", "end"}, "corrective" '
            f"a list of them ({error})"
        ) from error
    if answerable != bool(quotes) or not all(quotes):
        raise fail(
            "an answerable question needs at least one group of quotes, each with at least one "
            f"quote; an unanswerable one has none; found {len(quotes)} groups"
        )
    if answerable and corrective:
        raise fail('"corrective" is for unanswerable questions')
    verdict = record.get("verdict")
    if verdict not in (None, "up", "down"):
        raise fail(f'"verdict" must be "up" or "down", not {verdict!r}')
    genre = record.get("genre", "")
    if not isinstance(genre, str):
        raise fail(f'"genre" must be a string, not {genre!r}')
    return Question(
        id=record["id"],
        article=record["article"],
        kind=record["kind"],
        split=split,
        turns=tuple(turns),
        answers=tuple(answers),
        quotes=quotes,
        answerable=answerable,
        corrective=corrective,
        genre=genre,
        scope=(record["article"],),
        source=place,
        verdict=verdict,
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
