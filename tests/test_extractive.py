from __future__ import annotations

from article_qa import ArticleQA, Settings
from article_qa.answering.citations import PERHAPS, verify
from article_qa.answering.extractive import ExtractiveEngine


def test_a_quote_by_she_is_cited_with_the_sentence_that_names_her(qa: ArticleQA) -> None:
    question = "What did Lena Marsh say about the sea?"
    bold = ExtractiveEngine(qa.reader, Settings(answer_threshold=0.0, unsure_threshold=0.0))
    hits, articles = qa.as_retriever().hits(question), qa.store.articles_by_id
    answer = verify(bold.draft(question, hits, articles), question, hits, articles)
    assert "patient" in answer.plain  # and not what the critics say, which the reader likes better
    assert [("she said" in c.quote, "Lena Marsh" in c.quote) for c in answer.citations] == [
        (False, True),
        (True, False),
    ]


def test_the_threshold_decides_and_the_confidence_stays(qa: ArticleQA) -> None:
    question = "What is the capital of France?"
    bold = ExtractiveEngine(qa.reader, Settings(answer_threshold=0.0, unsure_threshold=0.0))
    hits = qa.as_retriever().hits(question)
    articles = qa.store.articles_by_id
    drafted = bold.draft(question, hits, articles)
    assert drafted.statements and drafted.status == "answered"
    unsure = ExtractiveEngine(qa.reader, Settings(answer_threshold=1.0, unsure_threshold=0.0))
    doubted = verify(unsure.draft(question, hits, articles), question, hits, articles)
    assert doubted.status == "unsure" and not doubted.refused and doubted.citations
    assert doubted.text.startswith(PERHAPS) and not doubted.plain.startswith(PERHAPS)
    shy = ExtractiveEngine(qa.reader, Settings()).draft(question, hits, articles)
    assert not shy.statements and shy.status == "refused"
    assert shy.confidence == drafted.confidence


def test_a_name_that_is_nowhere_is_the_reason(qa: ArticleQA) -> None:
    reasons = {
        "What does Bartholomew Quince think of the ferry?": "mention Bartholomew Quince.",
        "What does Pride and Prejudice say of ferries?": "mention Pride or Prejudice.",
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
