from __future__ import annotations

import pytest

from article_qa.answering.citations import verify
from article_qa.reading.article import parse_article
from article_qa.types import Answer, Article, Draft, Evidence, Span, Statement
from article_qa.web.suggest import Suggestion, Suggestions, candidates, fits


def asked(*sentences: str) -> list[str]:
    text = "The Mill on the Quay\n\n" + " ".join(sentences)
    return [s.question for s in candidates(parse_article(text, id="mill"))]


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("“It is done,” Ms. Ines Harrow said on Monday.", "What did Ms. Ines Harrow say?"),
        ("“We are late,” said Leif Oduya, who keeps the locks.", "What did Leif Oduya say?"),
        ("The Quay Trust was founded by Ada Brandt in 1901.", "Who founded the Quay Trust?"),
        ("The Mill is closed because the river fell.", "Why is the Mill closed?"),
        ("The Council has demanded that he repair it.", "What has the Council demanded?"),
        ("The Sluice was a gate of oak and iron at the weir.", "What was the Sluice?"),
        ("40 houses were flooded in the spring.", "How many houses were flooded in the spring?"),
        ("The wheel stopped in 1974 and never turned again.", "What happened in 1974?"),
        ("Who owns the river? Nobody seems sure of it.", "Who owns the river?"),
    ],
)  # fmt: skip
def test_a_sentence_becomes_a_question(sentence: str, question: str) -> None:
    assert question in asked(sentence, "The rest of the day was quiet.")


def test_a_person_is_asked_about_and_a_place_is_not() -> None:
    questions = asked(
        "Leif Oduya, the warden, spoke first.",
        "“No,” Mr. Oduya said.",
        "Lannick Sound, a cold inlet, lies to the north.",
    )
    assert "Who is Leif Oduya?" in questions
    assert not [question for question in questions if "Lannick" in question]


@pytest.mark.parametrize(
    "sentence",
    ["He said that it was late.", "On Tuesday said nobody.", "the State Department said."],
)
def test_nothing_is_made_of_a_pronoun_a_day_or_an_office(sentence: str) -> None:
    assert not [question for question in asked(sentence) if question.startswith("What did")]


def test_the_same_is_not_asked_twice() -> None:
    questions = asked(
        "“No,” Mr. Oduya said.", "“Yes,” Mr. Oduya said.", "“Perhaps,” Mr. Oduya added."
    )
    assert questions.count("What did Mr. Oduya say?") == 1


def test_every_question_knows_its_sentence(seed: Article) -> None:
    found = candidates(seed)
    assert len(found) >= 10
    sources = {s.source for s in found if s.source}
    spans = set(seed.sentences) | {block.span for block in seed.blocks}
    assert sources <= spans


def test_a_question_fits_only_if_answered_from_its_own_sentence(seed: Article) -> None:
    first, second, *_ = (b.sentences[0] for b in seed.blocks if b.kind == "paragraph")
    suggestion = Suggestion("What happened?", first, "happened")

    def answer(span: Span | None, confidence: float = 0.9) -> bool:
        statements = (Statement((Evidence(seed.id, span),)),) if span else ()
        draft = Draft(statements, confidence)
        return fits(suggestion, verify(draft, "What happened?", (), {seed.id: seed}))

    assert answer(first)
    assert not answer(second)
    assert not answer(first, confidence=0.2)
    assert not answer(None)


@pytest.fixture(scope="module")
def seed() -> Article:
    from pathlib import Path

    from article_qa.reading.article import read_article

    return read_article(next(Path(__file__).parents[1].joinpath("seeds").glob("*.txt")))


class AnswersFrom:
    """The little of an ``ArticleQA`` that checking needs; every answer cites the same sentence."""

    chat_model = None

    def __init__(self, article: Article, span: Span) -> None:
        self.article, self.span, self.asked = article, span, 0

    def ask(self, question: str, **_: object) -> Answer:
        self.asked += 1
        draft = Draft((Statement((Evidence(self.article.id, self.span),)),), 0.9)
        return verify(draft, question, (), {self.article.id: self.article})


def test_only_questions_that_the_engine_answers_from_their_sentence_are_shown() -> None:
    text = "The Mill\n\nThe Sluice was a gate of oak. “No,” Mr. Oduya said. It rained in 1974."
    article = parse_article(text, id="mill")
    gate, spoken, _ = article.blocks[-1].sentences
    qa = AnswersFrom(article, gate)
    suggestions = Suggestions()
    shown = suggestions.first(qa, article, 9)  # type: ignore[arg-type]
    assert shown == ["What is this article about?", "What was the Sluice?"]
    checked = qa.asked
    following = suggestions.after(qa, article, spoken, ["what was the sluice?"], 3)  # type: ignore[arg-type]
    assert following == ["What is this article about?"]
    assert qa.asked == checked, "checked questions are remembered"
    among = suggestions.first(qa, article, 9, among_others=True)  # type: ignore[arg-type]
    assert among == ["What was the Sluice?"]
