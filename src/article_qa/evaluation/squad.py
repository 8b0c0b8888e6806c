"""Files in SQuAD format, version 1 or 2 (with ``is_impossible``): the one reader of them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from article_qa.errors import EvaluationError
from article_qa.evaluation.loading import unique
from article_qa.evaluation.records import Question, Quote, Split


class SquadQuestion(NamedTuple):
    """A question of a paragraph; ``answers`` are texts and where they start in it."""

    id: str
    text: str
    answers: tuple[tuple[str, int], ...]
    impossible: bool


class Paragraph(NamedTuple):
    """A paragraph of a file, as it stands there, and its questions."""

    title: str
    context: str
    questions: tuple[SquadQuestion, ...]


def read_paragraphs(path: str | Path) -> tuple[Paragraph, ...]:
    """Read the paragraphs of a file in order.

    Raises:
        EvaluationError: it cannot be read or is not in SQuAD format; the message says where.
    """
    place = "the whole"
    paragraphs = []
    try:
        for number, article in enumerate(json.loads(Path(path).read_text("utf-8"))["data"]):
            place = title = str(article.get("title", number))
            for count, paragraph in enumerate(article["paragraphs"]):
                place = f"{title}, paragraph {count}"
                asked = tuple(
                    _squad_question(qa, f"{title}/{count}/{n}")
                    for n, qa in enumerate(paragraph["qas"])
                )
                paragraphs.append(Paragraph(title, str(paragraph["context"]), asked))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvaluationError(
            f'{path} is not in SQuAD format, {{"data": [{{"title", "paragraphs": [{{"context", '
            f'"qas"}}]}}]}}: {place}: {type(error).__name__}: {error}'
        ) from error
    return tuple(paragraphs)


def _squad_question(qa: Mapping[str, Any], id: str) -> SquadQuestion:
    impossible = bool(qa.get("is_impossible", False))
    answers = () if impossible else qa.get("answers", ())
    found = tuple((str(answer["text"]), int(answer["answer_start"])) for answer in answers)
    return SquadQuestion(str(qa.get("id", id)), str(qa["question"]), found, impossible)


@dataclass(frozen=True, slots=True)
class SquadSet:
    """A SQuAD file as one corpus: the articles' texts by id, and questions asked of all of them."""

    texts: Mapping[str, str]
    questions: tuple[Question, ...]


def load_squad(
    path: str | Path,
    *,
    limit: int | None = None,
    split: Split = "test",
) -> SquadSet:
    """Read a file in SQuAD format as a question set.

    Each article is the paragraphs of one title, in order, joined with a blank line; gold offsets
    are moved accordingly. Questions are asked of the whole corpus, with no hint where to look.

    Args:
        path: the JSON file.
        limit: ask only so many questions, drawn from all of them always in the same way; the
            corpus stays whole. None asks all.
        split: what to report the questions as.

    Raises:
        EvaluationError: not SQuAD format, or an answer does not stand at its offset.
    """
    texts: dict[str, str] = {}
    questions: list[Question] = []
    for paragraph in read_paragraphs(path):
        before = f"{texts[paragraph.title]}\n\n" if paragraph.title in texts else ""
        questions += _questions(paragraph, len(before), split, path)
        texts[paragraph.title] = before + _newlines(paragraph.context)
    if limit is not None and limit < len(questions):
        # shuffle and cut, so that a larger limit asks the same questions and more
        order = list(range(len(questions)))
        random.Random(0).shuffle(order)
        questions = [questions[i] for i in sorted(order[:limit])]
    return SquadSet(texts, unique(tuple(questions)))


def _newlines(text: str) -> str:
    """Normalise newlines as articles do, so that offsets can be carried over."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _questions(
    paragraph: Paragraph, base: int, split: Split, path: str | Path
) -> Iterator[Question]:
    """Yield the questions of one paragraph, which starts at ``base`` of its article."""
    raw = paragraph.context
    for asked in paragraph.questions:
        source = f"{path}: {paragraph.title}, question {asked.id}"
        if not asked.impossible and not asked.answers:
            raise EvaluationError(f"{source}: no answers, and is_impossible is not set")
        quotes: list[Quote] = []
        for text, start in asked.answers:
            found = raw[start : start + len(text)]
            if found != text:
                raise EvaluationError(
                    f"{source}: answer {text!r} is said to stand at {start}, where the paragraph "
                    f"says {found!r}"
                )
            first = base + len(_newlines(raw[:start]))
            quotes.append(Quote(_newlines(text), first, first + len(_newlines(text))))
        places = tuple(dict.fromkeys(quote for quote in quotes if quote.text))
        yield Question(
            id=asked.id,
            article=paragraph.title,
            kind="impossible" if asked.impossible else "answerable",
            split=split,
            turns=(asked.text,),
            answers=tuple(dict.fromkeys(quote.text for quote in places)),
            quotes=(places,) if places else (),
            answerable=not asked.impossible,
            source=source,
        )
