from __future__ import annotations

from math import log

import pytest

from article_qa import ArticleQA, Settings
from article_qa.answering.extractive import ExtractiveEngine
from article_qa.answering.features import features_of, says_the_same
from article_qa.answering.findings import (
    Candidate,
    Cover,
    Findings,
    Window,
    gather,
    sentences_of,
)
from article_qa.answering.proposals import Proposal, Source, with_marks
from article_qa.answering.question import analyse
from article_qa.answering.reader import Verdict
from article_qa.reading.article import parse_article
from article_qa.types import Article, Block, Evidence, Hit, Passage, ScoredSentence, Span, Statement

Rows = list[dict[str, float]]


def proposed(qa: ArticleQA, question: str) -> tuple[Findings, list[Proposal], Rows]:
    engine = ExtractiveEngine(qa.reader, qa.settings)
    hits = qa.as_retriever().hits(question)
    return engine.propose(question, hits, qa.store.articles_by_id)


def test_every_proposal_has_the_same_features(qa: ArticleQA) -> None:
    for question in ("Who steers the ferry?", "is it safe", "Who is Lena Marsh?"):
        _, proposals, rows = proposed(qa, question)
        assert len(rows) == len(proposals) > 1
        assert len({tuple(row) for row in rows}) == 1
        assert all(isinstance(value, float) for row in rows for value in row.values())


def test_a_question_of_yes_or_no_gets_verdicts_and_no_spans(qa: ArticleQA) -> None:
    _, polar, _ = proposed(qa, "Has the Heron ferry crossed the strait since 1987?")
    _, open_, _ = proposed(qa, "Since when has the Heron ferry crossed the strait?")
    assert {p.source for p in polar} >= {"verdict", "sentence"}
    assert "reader" not in {p.source for p in polar} and "verdict" not in {p.source for p in open_}
    assert {s.text for p in polar if p.source == "verdict" for s in p.statements} <= {"Yes", "No"}


def test_another_year_than_the_one_asked_for_is_seen(qa: ArticleQA) -> None:
    _, proposals, rows = proposed(qa, "Who took command of the ferry in 1999?")
    years = [
        row["contradicted"] for p, row in zip(proposals, rows, strict=True) if "2015" in _cited(p)
    ]
    assert years and all(years)
    _, proposals, rows = proposed(qa, "Who took command of the ferry in 2015?")
    assert not any(
        row["contradicted"] for p, row in zip(proposals, rows, strict=True) if "2015" in _cited(p)
    )


def test_who_speaks_counts_for_what_somebody_said(qa: ArticleQA) -> None:
    _, proposals, rows = proposed(qa, "What did Lena Marsh say about the sea?")
    hers = [r["speaker"] for p, r in zip(proposals, rows, strict=True) if "she said" in _cited(p)]
    others = [r["speaker"] for p, r in zip(proposals, rows, strict=True) if "ritic" in _cited(p)]
    assert max(hers) == 1.0 and max(others, default=-1.0) <= 0.0


def test_proposals_agree_on_place_or_words(qa: ArticleQA) -> None:
    _, proposals, _ = proposed(qa, "Who steers the ferry?")
    first = proposals[0]
    assert says_the_same(first, first)
    assert not all(says_the_same(first, other) for other in proposals)


def _cited(proposal: Proposal) -> str:
    return proposal.article.text[proposal.cited.start : proposal.cited.end]


MILL = parse_article(
    "The Old Mill\n\nBy Dora Quill\n\n"
    "Anna Brandt built the mill in 1901. Ben Okafor burned the mill in 1950.\n\n"
    '"It was an accident," Ben Okafor said. The council bought the ruin for 300 crowns.',
    id="mill",
)


def place(words: str) -> Span:
    start = MILL.text.index(words)
    return Span(start, start + len(words))


def sentence(words: str) -> Span:
    return next(s for s in MILL.sentences if s.contains(place(words)))


def hit(first: str, last: str, score: float, dense: float, sentence_dense: float) -> Hit:
    """Make the hit of a passage of two sentences, of which the last fits best."""
    parts = (sentence(first), sentence(last))
    span = Span(parts[0].start, parts[1].end)
    passage = Passage("mill", span, MILL.text[span.start : span.end], parts, span)
    scored = (ScoredSentence(parts[1], 1.5, sentence_dense), ScoredSentence(parts[0], 0.5, dense))
    return Hit(passage, score, dense, 0.0, parts[1], 1.5, sentence_dense, scored)


def proposal(words: str, window: Window | None = None, source: Source = "reader") -> Proposal:
    cited, focus = sentence(words), place(words)
    statement = Statement((Evidence("mill", cited, (focus,)),))
    return Proposal(source, MILL, focus, cited, (statement,), window)


FIRST = hit("1901", "1950", score=1.25, dense=0.6, sentence_dense=0.7)
SECOND = hit("accident", "ruin", score=-0.5, dense=0.3, sentence_dense=0.2)


def test_the_features_of_three_spans_by_hand() -> None:
    question, articles = analyse("Who burned the mill in 1950?"), {"mill": MILL}
    yes = Window(MILL, FIRST.passage.span, 0, FIRST, Verdict(0.2, 0.8, 0.0, 0.0))
    no = Window(MILL, SECOND.passage.span, 1, SECOND, Verdict(0.9, 0.06, 0.03, 0.01))
    read = (
        Candidate(yes, place("Ben Okafor"), margin=5.0, log_p=-0.5, agreement=1.0),
        Candidate(yes, place("Anna Brandt"), margin=3.0, log_p=-2.0, agreement=0.5),
        Candidate(no, place("The council"), margin=-4.0, log_p=-6.0, agreement=1.0),
    )
    cover = Cover(question, (FIRST, SECOND), articles)
    answering = {("mill", sentence("1950")): 3.0, ("mill", sentence("1901")): -2.0}
    found = Findings(question, (FIRST, SECOND), articles, (yes, no), read, answering, cover)
    spans = [proposal("Ben Okafor", yes), proposal("Anna Brandt", yes), proposal("The council", no)]
    verified = {("mill", sentence("1950")): 2.0, ("mill", sentence("1901")): -1.0}
    rows = features_of(found, spans, verified)
    shared = {"type_person": 1.0, "stems": log(4), "in_article": 1.0, "absent": 0.0,
              "names_missing": 0.0, "words_missing": 0.0, "best_margin": 5.0,
              "best_verdict": log(4), "best_dense": 0.7, "yes_no": 0.0, "plural": 0.0,
              "source_reader": 1.0, "source_sentence": 0.0}  # fmt: skip
    for name, value in shared.items():
        assert [row[name] for row in rows] == pytest.approx([value] * 3), name
    each = {
        "margin": (5, 3, -4),
        "cited_margin": (5, 3, -4),
        "behind": (0, -2, -9),
        "log_p": (-0.5, -2, -6),
        "agreement": (1, 0.5, 1),
        "verdict": (log(4), log(4), -log(9)),  # the odds of 0.8 and of 0.1
        "polar_sure": (0, 0, 0.02),
        "rank": (0, 0, 1),
        "score": (1.25, 1.25, -0.5),
        "dense": (0.6, 0.6, 0.3),
        "sentence_score": (1.5, 0.5, 1.5),
        "sentence_dense": (0.7, 0.6, 0.2),
        "read": (3, -2, -8),  # the last was not read
        "read_behind": (0, -5, -11),
        "read_best": (3, 3, 3),
        "answers": (2, -1, -8),  # the last was not verified
        "answers_behind": (0, -3, -10),
        "answers_best": (2, 2, 2),
        "answers_least": (2, -1, -8),
        "best_sentence": (1, 0, 1),
        "in_cited": (1, 1 / 3, 0),  # of burn, mill, 1950
        "in_context": (1, 1, 1),
        "names_in_cited": (1, 0, 0),
        "names_in_context": (1, 1, 1),
        "fits": (1, 1, 1),
        "words": (log(3), log(3), log(3)),
        "contradicted": (0, 1, 0),  # 1901 is not 1950
        "agreeing": (0, 0, 0),
    }
    for name, values in each.items():
        assert [row[name] for row in rows] == pytest.approx(values), name
    assert rows[2]["polar"] == pytest.approx(log(0.04 / 0.96))
    assert rows[0]["cover"] == 1 > rows[1]["cover"] > rows[2]["cover"] == 0


def test_the_features_of_what_the_article_does_not_say_by_hand() -> None:
    question, articles = analyse("When was the mill sold to Zelda Voss?"), {"mill": MILL}
    cover = Cover(question, (FIRST,), articles)
    found = Findings(question, (FIRST,), articles, (), (), {}, cover)
    year = proposal("1950", source="sentence")
    title, byline = proposal("The Old Mill", source="front"), proposal("Dora Quill", source="front")
    rows = features_of(found, [year, year, title, byline], {})
    assert {rows[0][name] for name in ("margin", "cited_margin", "best_margin", "log_p")} == {-12}
    each = {
        "type_time": (1, 1, 1, 1),
        "in_article": (0.25, 0.25, 0.25, 0.25),  # of mill, sell, Zelda, Voss
        "words_missing": (3, 3, 3, 3),
        "names_missing": (2, 2, 2, 2),
        "absent": (2, 2, 2, 2),
        "fits": (1, 1, 0, 0),
        "misfit": (0, 0, 1, 1),
        "echo": (0, 0, 0.5, 0),  # 'mill' of 'old mill'
        "heading": (0, 0, 1, 0),
        "front_matter": (0, 0, 0, 1),
        "retrieved": (1, 1, 0, 0),
        "rank": (0, 0, 1, 1),
        "agreeing": (1, 1, 0, 0),
    }
    for name, values in each.items():
        assert [row[name] for row in rows] == pytest.approx(values), name


def test_only_so_many_windows_are_read(qa: ArticleQA) -> None:
    town = "\n\n".join(
        f"The ferry to pier {n} is steered by captain number {n}, who has done so since the year "
        f"{1900 + n} in all weathers, and carries {n} cars, {2 * n} bicycles and {10 * n} people a "
        "day across the wide strait between the old harbour and the new one beyond the cape."
        for n in range(30)
    )
    qa = qa.with_articles([parse_article(town, id="town")])
    question = analyse("Who steers the ferry?")
    hits, articles = qa.as_retriever().hits(question.text), qa.store.articles_by_id
    counts = {}
    for most in (1, 2, 4):
        settings = Settings(read_windows=most, clear_margin=1000.0)
        windows = gather(question, hits, articles, qa.reader, settings).windows
        counts[most] = sum(w.hit is not None for w in windows)
    assert counts[1] == 1 < counts[2] == 2 <= counts[4]
    doubtful = gather(question, hits, articles, qa.reader, Settings(clear_margin=1000.0))
    assert sum(w.hit is not None for w in doubtful.windows) >= 3  # as shipped
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
    cover = Cover(question, qa.as_retriever().hits(question.text), qa.store.articles_by_id)
    article = qa.articles[0]
    shares = {s: cover.at(article, s) for s in article.quotable}
    assert all(0 <= share <= 1 for share in shares.values())
    best = max(shares, key=lambda s: shares[s])
    assert "command" in article.text[best.start : best.end]
