from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_tests.integration_tests import RetrieversIntegrationTests

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.article import parse_article
from article_qa.retrieval.candidates import Candidates
from article_qa.retrieval.embeddings import SentenceEmbeddings, load_embeddings
from article_qa.retrieval.retriever import HybridRetriever, fuse, rank, standardise
from article_qa.retrieval.store_local import LocalStore
from article_qa.types import Passage, Span

SETTINGS = Settings(passage_words=10, context_words=30)
TEXTS = {
    "harbour": (
        "Harbour reopens after storm\n\nThe harbour of Port Vell opened again on Monday. "
        "Divers had cleared two sunken boats from the entrance.\n\n"
        "Repairs cost 2,000 crowns. The mayor, Ada Holm, hopes for help from the capital."
    ),
    "bakery": "The bakery sells rye bread. Its oven dates from 1890. It closes on Sundays.",
}


@pytest.fixture(scope="module")
def embeddings() -> SentenceEmbeddings:
    return load_embeddings(SETTINGS)


@pytest.fixture(scope="module")
def index(embeddings: SentenceEmbeddings) -> LocalStore:
    articles = [parse_article(text, id=id) for id, text in TEXTS.items()]
    return LocalStore.build(articles, SETTINGS, embeddings)


@pytest.fixture(scope="module")
def retriever(index: LocalStore) -> HybridRetriever:
    return HybridRetriever(store=index)


class TestLangChainStandard(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _index(self, index: LocalStore) -> None:
        self.index = index

    @property
    def retriever_constructor(self) -> type[HybridRetriever]:
        return HybridRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"store": self.index}

    @property
    def retriever_query_example(self) -> str:
        return "Who cleared the boats?"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who removed the wrecks?", "Divers had cleared two sunken boats from the entrance."),
        ("How much were the repairs?", "Repairs cost 2,000 crowns."),
        ("What did 2000 crowns pay?", "Repairs cost 2,000 crowns."),
        ("Ada Holm", "The mayor, Ada Holm, hopes for help from the capital."),
        ("How old is the oven?", "Its oven dates from 1890."),
    ],
)
def test_the_best_hit_and_its_best_sentence_answer(
    retriever: HybridRetriever, question: str, expected: str
) -> None:
    best = retriever.hits(question)[0]
    assert expected in best.passage.text
    assert TEXTS[best.passage.article_id][best.sentence.start : best.sentence.end] == expected


def test_hits_come_best_first_and_as_many_as_asked(
    index: LocalStore, retriever: HybridRetriever
) -> None:
    every = retriever.hits("Who is the mayor?", k=1000)
    assert {hit.passage for hit in every} == set(index.passages)
    assert [hit.score for hit in every] == sorted((hit.score for hit in every), reverse=True)
    for k in (1, 2, 5):
        assert retriever.hits("Who is the mayor?", k=k) == every[:k]
    assert retriever.hits("Who is the mayor?") == every[: SETTINGS.top_k]
    with pytest.raises(ValueError, match="k must be at least 1, not 0"):
        retriever.hits("x", k=0)


def test_hits_can_be_kept_to_some_articles(retriever: HybridRetriever) -> None:
    hits = retriever.hits("Who is the mayor?", article_ids=["bakery"])
    assert {hit.passage.article_id for hit in hits} == {"bakery"}
    assert retriever.hits("Who is the mayor?", article_ids=[]) == ()
    with pytest.raises(ArticleError, match="No article 'zoo'"):
        retriever.hits("Who is the mayor?", article_ids=["zoo"])


def test_the_fields_are_the_defaults(index: LocalStore) -> None:
    narrow = HybridRetriever(store=index, k=2, article_ids=("harbour",))
    assert len(narrow.hits("bread")) == 2
    assert {h.passage.article_id for h in narrow.hits("bread")} == {"harbour"}
    assert narrow.hits("bread", k=1, article_ids=["bakery"])[0].passage.article_id == "bakery"


def test_equals_stand_in_the_order_of_the_articles(embeddings: SentenceEmbeddings) -> None:
    ids = ["c", "a", "b"]
    articles = [parse_article(TEXTS["bakery"], id=id) for id in ids]
    hits = HybridRetriever(store=LocalStore.build(articles, SETTINGS, embeddings)).hits("oven")
    assert [hit.passage.article_id for hit in hits[:3]] == ids
    assert len({hit.score for hit in hits[:3]}) == 1


def test_the_same_question_gives_the_same_hits(
    index: LocalStore, retriever: HybridRetriever, tmp_path: Path
) -> None:
    index.save(tmp_path)
    loaded = HybridRetriever(store=LocalStore.load(tmp_path, SETTINGS, load_embeddings(SETTINGS)))
    for question in ("Who is the mayor?", "", "!!!", "the of and", "Qui est le maire ?", "雨"):
        assert loaded.hits(question) == retriever.hits(question)


def test_a_question_is_embedded_once(
    retriever: HybridRetriever, embeddings: SentenceEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    embed = embeddings.embed_query
    monkeypatch.setattr(embeddings, "embed_query", lambda text: asked.append(text) or embed(text))
    retriever.invoke("Who is the mayor?")
    assert asked == ["Who is the mayor?"]


def test_documents_say_where_they_stand(retriever: HybridRetriever) -> None:
    documents = retriever.invoke("Who is the mayor?", k=3, article_ids=["harbour"])
    assert len(documents) == 3
    for document, hit in zip(
        documents, retriever.hits("Who is the mayor?", 3, ["harbour"]), strict=True
    ):
        assert isinstance(document, Document)
        place = document.metadata
        assert place["score"] == hit.score
        assert document.hit == hit
        text = TEXTS[place["article_id"]]
        assert text[place["start"] : place["end"]] == document.page_content == hit.passage.text


async def test_the_asynchronous_twin_agrees(retriever: HybridRetriever) -> None:
    question = "Who is the mayor?"
    assert await retriever.ainvoke(question) == retriever.invoke(question)


@pytest.mark.parametrize("question", ["What is it?", "!!!", ""])
def test_one_passage_and_no_known_word_still_rank(
    embeddings: SentenceEmbeddings, question: str
) -> None:
    index = LocalStore.build([parse_article("Word.", id="one")], SETTINGS, embeddings)
    (hit,) = HybridRetriever(store=index).hits(question)
    assert (hit.score, hit.sentence_score) == (0, 0)
    assert hit.sentence == hit.passage.span


# The formula, by hand


def candidates(dense: list[float], lexical: list[float]) -> Candidates:
    """Make passages of one sentence each, whose sentences score as they do, reversed."""
    spans = tuple(Span(i, i + 1) for i in range(len(dense)))
    return Candidates(
        passages=tuple(Passage("a", span, "x", (span,), span) for span in spans),
        dense=np.array(dense, dtype=np.float32),
        lexical=np.array(lexical, dtype=np.float32),
        sentences=spans,
        sentence_dense=np.array(dense[::-1], dtype=np.float32),
        sentence_lexical=np.array(lexical[::-1], dtype=np.float32),
        members=np.arange(len(dense)),
        first=np.arange(len(dense)),
    )


def test_the_weights_share_out_the_score() -> None:
    found = candidates([1, 3], [5, 1])  # z-scores: -1, 1 and 1, -1
    for dense_weight, sentence_weight, first in [(1, 0, -1), (0, 0, 1), (1, 1, 1), (0.75, 0, -0.5)]:
        settings = Settings(dense_weight=dense_weight, sentence_weight=sentence_weight)
        scores = {hit.passage.span.start: hit.score for hit in rank(found, settings)}
        assert scores == {0: first, 1: -first}
    hits = rank(found, Settings(dense_weight=0.75, sentence_weight=0.5))
    assert [hit.passage.span.start for hit in hits] == [0, 1]  # all 0: position decides
    assert [hit.score for hit in hits] == [0, 0]
    assert [hit.sentence_score for hit in hits] == [0.5, -0.5]
    assert [hit.sentence_dense for hit in hits] == [3, 1]


def test_the_shipped_weights_let_every_kind_of_score_count() -> None:
    found = candidates([1, 3], [5, 1])  # z-scores: -1, 1 and 1, -1
    silent = np.zeros(2, dtype=np.float32)
    alone = replace(found, sentence_dense=silent, sentence_lexical=silent)
    assert sorted(hit.score for hit in rank(alone, Settings())) == [-0.15, 0.15]
    assert rank(alone, Settings())[0].passage.span.start == 1  # the dense score counts for more


def test_a_passage_counts_for_its_best_sentence() -> None:
    found = candidates([0, 0, 0], [0, 0, 0])
    found = replace(
        found,
        sentence_dense=np.array([0.0, 3.0, 0.0], dtype=np.float32),
        members=np.array([0, 2, 0, 1, 2]),
        first=np.array([0, 1, 2]),
    )
    best = rank(found, SETTINGS)[0]
    assert best.passage.span.start == 2
    assert best.sentence == Span(1, 2)


def test_differences_of_the_last_bits_do_not_decide() -> None:
    lexical = [0.0, 2.0, 2.0 + 2e-7, 1.0]
    starts = [
        hit.passage.span.start
        for hit in rank(candidates([0] * 4, lexical), replace(SETTINGS, sentence_weight=0.0))
    ]
    assert starts == [1, 2, 3, 0]


scores = st.lists(st.floats(-50, 50, width=32), max_size=8)


@given(scores, st.floats(0, 1))
def test_fused_scores_are_finite_and_centred(values: list[float], weight: float) -> None:
    array = np.array(values, dtype=np.float32)
    fused = fuse(array, array[::-1], weight)
    assert np.isfinite(fused).all()
    assert fused.sum() == pytest.approx(0, abs=1e-6)


def test_scores_that_are_all_alike_say_nothing() -> None:
    for values in ([], [7.0], [0.3, 0.3, 0.3]):
        assert standardise(np.array(values, dtype=np.float32)).tolist() == [0] * len(values)
