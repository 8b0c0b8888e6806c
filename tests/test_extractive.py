from __future__ import annotations

import pytest

from article_qa import ArticleQA, Settings
from article_qa.answering.citations import verify
from article_qa.answering.extractive import Cover, ExtractiveEngine, sentences_of, with_marks
from article_qa.answering.question import analyse
from article_qa.types import Article, Block, Span


def test_a_span_over_two_sentences_cites_both() -> None:
    text = "One is here. Two is there. Three is gone."
    parts = (Span(0, 12), Span(13, 26), Span(27, 41))
    article = Article("a", "a", text, (Block("paragraph", Span(0, 41), parts),))
    assert sentences_of(article, Span(0, 3)) == parts[0]
    assert sentences_of(article, Span(4, 20)) == Span(0, 26)
    assert sentences_of(article, Span(13, 16)) == parts[1]
    assert sentences_of(article, Span(40, 41)) == parts[2]


@pytest.mark.parametrize(
    ("text", "words", "whole"),
    [
        ("took “the lion’s share” of it", "the lion’s share” of it", "“the lion’s share” of it"),
        ('a "hasty, costly" plan', 'a "hasty, costly', 'a "hasty, costly"'),
        ("he wrote «slowly» then", "slowly", "slowly"),
        ("so “he said” twice", "“he said” twice", "“he said” twice"),
        ('it is 5" wide', '5" wide', '5" wide'),
    ],
)
def test_quotation_marks_are_not_torn_apart(text: str, words: str, whole: str) -> None:
    start = text.index(words)
    span = with_marks(text, Span(start, start + len(words)))
    assert text[span.start : span.end] == whole


def test_a_quote_by_she_is_cited_with_the_sentence_that_names_her(qa: ArticleQA) -> None:
    question = "What did Lena Marsh say about the sea?"
    bold = ExtractiveEngine(qa.reader, Settings(answer_threshold=0.0))
    hits, articles = qa.as_retriever().hits(question), qa.index.articles_by_id
    answer = verify(bold.draft(question, hits, articles), question, hits, articles)
    assert "patient" in answer.plain  # and not what the critics say, which the reader likes better
    assert [("she said" in c.quote, "Lena Marsh" in c.quote) for c in answer.citations] == [
        (False, True),
        (True, False),
    ]


def test_the_threshold_decides_and_the_confidence_stays(qa: ArticleQA) -> None:
    question = "What is the capital of France?"
    bold = ExtractiveEngine(qa.reader, Settings(answer_threshold=0.0))
    hits = qa.as_retriever().hits(question)
    articles = qa.index.articles_by_id
    drafted = bold.draft(question, hits, articles)
    assert drafted.statements
    shy = ExtractiveEngine(qa.reader, Settings()).draft(question, hits, articles)
    assert not shy.statements and shy.nearest and shy.confidence == drafted.confidence


def test_a_name_that_is_nowhere_is_the_reason(qa: ArticleQA) -> None:
    reasons = {
        "What does Bartholomew Quince think of the ferry?": "mention Bartholomew Quince.",
        "Who wrote Pride and Prejudice's preface?": "mention Pride or Prejudice.",
    }
    for question, reason in reasons.items():
        answer = qa.ask(question)
        assert answer.refused and str(answer.reason).endswith(reason)


def test_a_first_word_is_no_name_by_its_capital_alone(qa: ArticleQA) -> None:
    answer = qa.ask("Recite the periodic table backwards.")
    assert answer.refused and "mention" not in str(answer.reason)


def test_without_a_reader_the_best_sentence_answers() -> None:
    from ferry import FERRY

    qa = ArticleQA.from_texts({"ferry": FERRY}, Settings(reader_model=None))
    answer = qa.ask("Who took command of the ferry in 2015?")
    assert answer.citations[0].quote.startswith("Captain Lena Marsh took command")
    assert answer.plain == answer.citations[0].quote
    assert qa.ask("How do I bake sourdough bread?").refused


def test_yes_or_no_is_answered_by_the_sentence_that_settles_it(qa: ArticleQA) -> None:
    answer = qa.ask("Has the Heron ferry crossed the strait since 1987?")
    assert "since 1987" in answer.plain and answer.plain == answer.citations[0].quote


def test_what_says_more_of_the_question_covers_more(qa: ArticleQA) -> None:
    question = analyse("Who gave Lena Marsh command of the ferry?")
    cover = Cover(question, qa.as_retriever().hits(question.text), qa.index.articles_by_id)
    article = qa.articles[0]
    shares = {s: cover.at(article, s) for s in article.quotable}
    assert all(0 <= share <= 1 for share in shares.values())
    best = max(shares, key=lambda s: shares[s])
    assert "command" in article.text[best.start : best.end]
