from __future__ import annotations

import pytest

from article_qa import ArticleQA, Settings
from article_qa.answering.extractive import ExtractiveEngine
from article_qa.answering.features import features_of, says_the_same
from article_qa.answering.findings import Cover, Findings, gather, sentences_of
from article_qa.answering.proposals import Proposal, with_marks
from article_qa.answering.question import analyse
from article_qa.reading.article import parse_article
from article_qa.types import Article, Block, Span


def proposed(qa: ArticleQA, question: str) -> tuple[Findings, list[Proposal]]:
    engine = ExtractiveEngine(qa.reader, qa.settings)
    hits = qa.as_retriever().hits(question)
    return engine.propose(question, hits, qa.index.articles_by_id)


def test_every_proposal_has_the_same_features(qa: ArticleQA) -> None:
    for question in ("Who steers the ferry?", "is it safe", "Who is Lena Marsh?"):
        found, proposals = proposed(qa, question)
        rows = features_of(found, proposals)
        assert len(rows) == len(proposals) > 1
        assert len({tuple(row) for row in rows}) == 1
        assert all(isinstance(value, float) for row in rows for value in row.values())


def test_a_question_of_yes_or_no_gets_verdicts_and_no_spans(qa: ArticleQA) -> None:
    _, polar = proposed(qa, "Has the Heron ferry crossed the strait since 1987?")
    _, open_ = proposed(qa, "Since when has the Heron ferry crossed the strait?")
    assert {p.source for p in polar} >= {"verdict", "sentence"}
    assert "reader" not in {p.source for p in polar} and "verdict" not in {p.source for p in open_}
    assert {s.text for p in polar if p.source == "verdict" for s in p.statements} <= {"Yes", "No"}


def test_ancontradicted_than_the_one_asked_for_is_seen(qa: ArticleQA) -> None:
    found, proposals = proposed(qa, "Who took command of the ferry in 1999?")
    rows = features_of(found, proposals)
    years = [
        row["contradicted"] for p, row in zip(proposals, rows, strict=True) if "2015" in _cited(p)
    ]
    assert years and all(years)
    found, proposals = proposed(qa, "Who took command of the ferry in 2015?")
    rows = features_of(found, proposals)
    assert not any(
        row["contradicted"] for p, row in zip(proposals, rows, strict=True) if "2015" in _cited(p)
    )


def test_who_speaks_counts_for_what_somebody_said(qa: ArticleQA) -> None:
    found, proposals = proposed(qa, "What did Lena Marsh say about the sea?")
    rows = features_of(found, proposals)
    hers = [r["speaker"] for p, r in zip(proposals, rows, strict=True) if "she said" in _cited(p)]
    others = [r["speaker"] for p, r in zip(proposals, rows, strict=True) if "ritic" in _cited(p)]
    assert max(hers) == 1.0 and max(others, default=-1.0) <= 0.0


def test_proposals_agree_on_place_or_words(qa: ArticleQA) -> None:
    _, proposals = proposed(qa, "Who steers the ferry?")
    first = proposals[0]
    assert says_the_same(first, first)
    assert not all(says_the_same(first, other) for other in proposals)


def _cited(proposal: Proposal) -> str:
    return proposal.article.text[proposal.cited.start : proposal.cited.end]


def test_only_so_many_windows_are_read(qa: ArticleQA) -> None:
    town = "\n\n".join(
        f"The ferry to pier {n} is steered by captain number {n}, who has done so since the year "
        f"{1900 + n} in all weathers, and carries {n} cars, {2 * n} bicycles and {10 * n} people a "
        "day across the wide strait between the old harbour and the new one beyond the cape."
        for n in range(30)
    )
    qa = qa.with_articles([parse_article(town, id="town")])
    question = analyse("Who steers the ferry?")
    hits, articles = qa.as_retriever().hits(question.text), qa.index.articles_by_id
    counts = {}
    for most in (1, 2, 4):
        settings = Settings(read_windows=most, clear_margin=1000.0)
        windows = gather(question, hits, articles, qa.reader, settings).windows
        counts[most] = sum(w.hit is not None for w in windows)
    assert counts[1] == 1 < counts[2] == 2 <= counts[4]
    clear = gather(question, hits, articles, qa.reader, Settings(clear_margin=-1000.0))
    assert sum(w.hit is not None for w in clear.windows) == Settings().read_first


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


def test_what_says_more_of_the_question_covers_more(qa: ArticleQA) -> None:
    question = analyse("Who gave Lena Marsh command of the ferry?")
    cover = Cover(question, qa.as_retriever().hits(question.text), qa.index.articles_by_id)
    article = qa.articles[0]
    shares = {s: cover.at(article, s) for s in article.quotable}
    assert all(0 <= share <= 1 for share in shares.values())
    best = max(shares, key=lambda s: shares[s])
    assert "command" in article.text[best.start : best.end]
