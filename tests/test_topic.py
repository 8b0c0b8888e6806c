from __future__ import annotations

import pytest

from article_qa import ArticleQA
from article_qa.answering.citations import verify
from article_qa.answering.topic import topic_draft, topic_of
from article_qa.reading.article import parse_article

TEXT = """The Ferry of Norvik

By Jane Roe

The ferry of Norvik will sail again in May, the town said on Monday.

Captain Lena Marsh, who has steered it since 2015, called the news a relief. Ms. Marsh was born in \
Tarn and learned to sail from her mother.

Children of the island have gone to school by helicopter since the ferry broke down.

The mayor, Otto Lind, thanked Ms. Marsh. The town council had asked for a helicopter of its own.

Sign up for our newsletter: Lena Marsh writes every Friday.
"""


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("Tell me about the ferry", "the ferry"),
        ("Can you tell me more about Lena Marsh, please?", "Lena Marsh"),
        ("What does the article say about Norvik?", "Norvik"),
        ("what did this article say about the ferry's captain", "the ferry's captain"),
        ("What does it say about helicopters?", "helicopters"),
        ("What do we know about Otto Lind from the article?", "Otto Lind"),
        ("Give me some information on the island.", "the island"),
    ],
)
def test_topics_are_recognised(question: str, topic: str) -> None:
    assert topic_of(question) == topic


@pytest.mark.parametrize(
    "question",
    [
        "",
        "Tell me about him",
        "Tell me about how the ferry broke down",
        "What did Ms. Marsh say about the ferry?",
        "What did the report say about Norvik?",
        "What is the story about?",
        "Tell me when the ferry sails",
        "Tell me about " + "the ferry and " * 40,
    ],
)
def test_other_questions_are_left_alone(question: str) -> None:
    assert topic_of(question) is None


def told(topic: str) -> list[str]:
    article = parse_article(TEXT, id="ferry")
    draft = topic_draft(topic, [article])
    if draft is None:
        return []
    answer = verify(draft, "?", (), {"ferry": article})
    assert all(article.text[c.start : c.end] == c.quote for c in answer.citations)
    return [citation.quote for citation in answer.citations]


def test_somebody_is_introduced_first_and_meant_by_the_surname_too() -> None:
    first, *rest = told("Lena Marsh")
    assert first.startswith("Captain Lena Marsh, who has steered it")
    assert any(quote.startswith("Ms. Marsh was born") for quote in rest)
    assert not any("newsletter" in quote for quote in [first, *rest])


def test_sentences_with_the_words_in_a_row_are_preferred() -> None:
    assert told("the town council") == ["The town council had asked for a helicopter of its own."]
    assert told("council's helicopter") == [
        "The town council had asked for a helicopter of its own."
    ]


def test_what_is_not_spoken_of_is_left_to_the_reader() -> None:
    assert told("Denmark") == [] and told("the") == []


def test_more_sentences_than_shown_are_counted() -> None:
    text = "The Bridge\n\n" + "\n\n".join(
        f"The bridge was closed for {n} days in the year {1900 + n}." for n in range(10, 17)
    )
    draft = topic_draft("the bridge", [parse_article(text, id="bridge")])
    assert draft is not None and len(draft.statements) == 3
    assert draft.notice == "4 more sentences of the article speak of it."


def test_asked_in_a_conversation() -> None:
    chat = ArticleQA.from_texts({"ferry": TEXT}).chat()
    chat.ask("Who thanked the captain?")
    answer = chat.ask("Tell me about Otto Lind")
    assert answer.citations[0].quote == "The mayor, Otto Lind, thanked Ms. Marsh."
    assert chat.ask("What does the article say about Denmark?").status != "answered"
