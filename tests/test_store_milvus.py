from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from article_qa import ArticleQA, Settings
from article_qa.errors import (
    ArticleError,
    IndexCorruptError,
    IndexSchemaError,
    IndexStaleError,
    IndexUnusableError,
)
from article_qa.reading.article import parse_article
from article_qa.retrieval.embeddings import SentenceEmbeddings, load_embeddings
from article_qa.retrieval.milvus import MANIFEST, Address
from article_qa.retrieval.retriever import HybridRetriever
from article_qa.retrieval.store_local import LocalStore
from article_qa.types import Article, Metadatum, Span, Store

pytest.importorskip("milvus_lite", reason="a store in Milvus needs the extra: article-qa[milvus]")

from article_qa.retrieval.store_milvus import MilvusStore

SETTINGS = Settings(passage_words=12, context_words=30)
TEXTS = {
    "harbour": (
        "Harbour reopens after storm\n\nBy Ann Lee\n\nThe harbour of Port Vell opened again on "
        "Monday. Divers had cleared two sunken boats. Fishermen cheered 🎣 at the quay.\n\n"
        "Repairs cost 2,000.5 crowns. The mayor said that the lighthouse would follow in May."
    ),
    "bakery": "The bakery sells rye bread. Its oven dates from 1890. It closes on Sundays.",
    'od"d\\ \ud83d': "שלום עולם. זה משפט שני.\n\nHalf a \ud83d character. A dog sleeps.",
}
BURNT = "The bakery burnt down. Nobody was hurt."


def article(id: str, text: str | None = None, published: str | None = None) -> Article:
    made = parse_article(TEXTS[id] if text is None else text, id=id, source=f"/some/place/{id}.txt")
    if published is not None:
        made.metadata["published"] = Metadatum(published, "meta")  # type: ignore[index]
    return made


ARTICLES = tuple(article(id) for id in TEXTS)


@pytest.fixture(scope="module")
def embeddings() -> SentenceEmbeddings:
    return load_embeddings(SETTINGS)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One file for all tests: each takes collections of its own out of it."""
    return f"milvus+file://{tmp_path_factory.mktemp('milvus')}/library.db"


@pytest.fixture
def store(library: str, embeddings: SentenceEmbeddings, tmp_path: Path) -> Iterator[MilvusStore]:
    objects = str(tmp_path / "objects")
    made = MilvusStore(library, SETTINGS, embeddings, objects=objects, create=True)
    made.add(ARTICLES)
    yield made
    for name in (made.address.collection, made.address.articles):
        made._client.drop_collection(name)
    made.close()


def reopened(store: MilvusStore, library: str) -> MilvusStore:
    return MilvusStore(library, SETTINGS, store.embeddings)


def seen(store: Store) -> Mapping[str, str]:
    """Return what a search that finds all can see, by article."""
    texts: dict[str, str] = {}
    for passage in store.search("bread boats dog").passages:
        texts[passage.article_id] = texts.get(passage.article_id, "") + passage.text
    return texts


def test_it_is_a_store(store: MilvusStore) -> None:
    assert isinstance(store, Store)
    assert store.counts().articles == 3


def test_hits_are_those_of_the_exact_store(
    store: MilvusStore, embeddings: SentenceEmbeddings
) -> None:
    exact = HybridRetriever(store=LocalStore.build(ARTICLES, SETTINGS, embeddings))
    ours = HybridRetriever(store=store)
    for question in ("What does the bakery sell?", "Who cheered?", "2,000.5 crowns", "מה שלום"):
        theirs = exact.hits(question, k=3)
        assert [hit.passage for hit in ours.hits(question, k=3)] == [hit.passage for hit in theirs]
        for hit, other in zip(ours.hits(question, k=3), theirs, strict=True):
            assert hit.dense == pytest.approx(other.dense, abs=2e-3)
            assert hit.sentence == other.sentence
            # Lucene's formula leaves out a factor, k1 + 1, that ranks nothing.
            assert hit.lexical == pytest.approx(2.2 * other.lexical, rel=0.01)


def test_an_article_comes_back_as_it_was(store: MilvusStore, library: str) -> None:
    other = reopened(store, library)
    assert set(other.articles_by_id) == set(TEXTS) and len(other.articles_by_id) == 3
    for made in ARTICLES:
        back = other.articles_by_id[made.id]
        assert (back.text, back.blocks, back.source) == (made.text, made.blocks, f"{made.id}.txt")
    assert other.articles_by_id.get("zoo") is None


def test_only_some_articles_and_days(store: MilvusStore) -> None:
    assert {p.article_id for p in store.search("bread", ["bakery"]).passages} == {"bakery"}
    assert store.search("bread", []).passages == ()
    with pytest.raises(ArticleError, match="No article 'zoo'"):
        store.search("bread", ["bakery", "zoo"])
    store.add([article("old", BURNT, "2019-05-01"), article("new", BURNT, "2021-08-05T10:00Z")])

    def found(**days: date) -> set[str]:
        return {p.article_id for p in store.search("bakery", **days).passages}

    assert found(since=date(2020, 1, 1)) == {"new"}
    assert found(until=date(2019, 5, 1)) == {"old"}
    assert found(since=date(2019, 5, 1), until=date(2021, 8, 5)) == {"old", "new"}


def test_an_unchanged_article_costs_nothing_and_a_changed_one_is_replaced(
    store: MilvusStore, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    passages = store.counts().passages
    texts = set(Path(store.objects.place).rglob("*.json"))
    monkeypatch.setattr(store.embeddings, "embed_array", None)
    assert store.add(ARTICLES) == ()
    monkeypatch.undo()
    reader = reopened(store, library)
    assert "rye" in seen(reader)["bakery"]
    assert store.add([article("bakery", BURNT), ARTICLES[0]]) == ("bakery",)
    for one in (store, reader):
        assert "burnt" in seen(one)["bakery"] and "rye" not in seen(one)["bakery"]
        assert one.articles_by_id["bakery"].text == BURNT
    assert store.add([ARTICLES[1]]) == ("bakery",)
    assert store.counts().passages == passages
    assert set(Path(store.objects.place).rglob("*.json")) == texts


def test_two_articles_of_one_id_are_refused(store: MilvusStore) -> None:
    with pytest.raises(ArticleError, match="Two articles have the id 'bakery'"):
        store.add([article("bakery"), article("bakery", BURNT)])


def test_removed_articles_are_gone(store: MilvusStore) -> None:
    assert store.remove(["bakery", "zoo"]) == ("bakery",)
    assert "bakery" not in seen(store)
    with pytest.raises(KeyError):
        store.articles_by_id["bakery"]
    assert not any("rye" in p.read_text() for p in Path(store.objects.place).rglob("*.json"))


@pytest.mark.parametrize("writes", [1, 2])
def test_a_change_that_dies_is_not_half_seen(
    store: MilvusStore, library: str, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """The first write is of passages, the second of the article's row, the third deletes."""
    left = iter(range(writes))
    client = type(store._client)

    def dying(method: object) -> object:
        def call(*args: object, **kwargs: object) -> object:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return method(*args, **kwargs)  # type: ignore[operator]

        return call

    with monkeypatch.context() as patched:
        patched.setattr(client, "upsert", dying(client.upsert))
        patched.setattr(client, "delete", dying(client.delete))
        with pytest.raises(KeyboardInterrupt):
            store.add([article("bakery", BURNT)])
    reader = reopened(store, library)
    shown, hidden = ("rye", "burnt") if writes == 1 else ("burnt", "rye")
    assert shown in seen(reader)["bakery"] and hidden not in seen(reader)["bakery"]
    assert shown in reader.articles_by_id["bakery"].text
    passages = len(store.search("bakery", ["bakery"]).passages)
    assert passages == (3 if writes == 1 else 2) or passages > 0
    store.add([article("bakery", BURNT)])
    assert "burnt" in seen(reader)["bakery"] and "rye" not in seen(reader)["bakery"]


def test_another_model_setting_or_schema_is_refused(
    store: MilvusStore, library: str, embeddings: SentenceEmbeddings
) -> None:
    import json

    with pytest.raises(IndexStaleError, match="passage_words"):
        MilvusStore(library, Settings(), embeddings)
    with pytest.raises(IndexStaleError, match="passage_words"):  # nor is anything added to it
        ArticleQA.from_texts({"x": BURNT}, Settings(), store=library)
    manifest = json.loads(
        store._client.describe_collection(store.address.articles)["properties"][MANIFEST]
    )
    for change, error in (
        ({"schema": 2}, IndexSchemaError),
        ({"schema": 0}, IndexStaleError),
        ({"model_sha256": "0"}, IndexStaleError),
    ):
        store._client.alter_collection_properties(
            store.address.articles, {MANIFEST: json.dumps(manifest | change)}
        )
        with pytest.raises(error, match="article-qa"):
            reopened(store, library)


def test_a_store_that_is_not_there_is_not_made_by_opening(
    tmp_path: Path, embeddings: SentenceEmbeddings
) -> None:
    with pytest.raises(IndexCorruptError, match="article-qa index"):
        ArticleQA.load(f"milvus+file://{tmp_path}/none.db", SETTINGS)


def test_an_edited_text_is_noticed(store: MilvusStore, library: str) -> None:
    for path in Path(store.objects.place).rglob("*.json"):
        path.write_text(path.read_text().replace("rye", "raw"))
    with pytest.raises(IndexCorruptError, match="truncated or was edited"):
        reopened(store, library).articles_by_id["bakery"]


@pytest.mark.parametrize(
    "address",
    [
        "milvus+file:///somewhere/library",
        "milvus+http://host:19530",
        "milvus+http://host:19530/a/b",
        "milvus+ftp://host/x",
        "milvus+http://root:secret@host:19530/x",
    ],
)
def test_what_is_no_address_is_said_to_be_none(address: str) -> None:
    with pytest.raises(IndexUnusableError) as caught:
        Address.parse(address)
    assert "milvus+file:///path/library.db" in str(caught.value) or "TOKEN" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_addresses() -> None:
    assert Address.parse("milvus+file:///a/b.db") == Address("/a/b.db", "passages", "/a/b.objects")
    assert Address.parse("milvus+https://h:1/x").uri == "https://h:1"


def test_a_library_answers_like_one_in_memory(
    store: MilvusStore, library: str, tmp_path: Path
) -> None:
    inside = ArticleQA(LocalStore.build(ARTICLES, SETTINGS, store.embeddings))
    qa = ArticleQA.load(library, SETTINGS)
    for question in ("When was the oven made?", "What did repairs cost?", "What is this about?"):
        ours, theirs = qa.ask(question), inside.ask(question)
        assert ours.status == theirs.status
        for citation in ours.citations:
            text = qa.store.articles_by_id[citation.article_id].text
            assert text[citation.start : citation.end] == citation.quote
    assert qa.ask("When was the oven made?").plain == "1890"
    assert qa.with_articles([article("bakery", BURNT)]).ask("What burnt down?").citations
    with pytest.raises(IndexUnusableError, match="kept in their store"):
        qa.save(tmp_path)


def test_searches_go_on_from_threads_while_articles_change(store: MilvusStore) -> None:
    def work(turn: int) -> None:
        if turn % 4 == 0:
            store.add([article("bakery", BURNT if turn % 8 else None)])
        else:
            found = store.search("Which bakery burnt?")
            texts = {p.text for p in found.passages if p.article_id == "bakery"}
            assert not ({"rye" in t for t in texts} & {"burnt" in t for t in texts} & {True})
            assert len(found.dense) == len(found.lexical) == len(found.passages)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(12)))


def test_a_passage_too_long_for_a_row_is_cut_from_its_article(store: MilvusStore) -> None:
    words = " ".join(f"word{n}" for n in range(9000)) + " the end."
    store.add([article("long", words)])
    passages = [p for p in store.search("word17 end", ["long"]).passages if len(p.text) > 65_535]
    text = store.articles_by_id["long"].text
    assert all(text[p.span.start : p.span.end] == p.text for p in passages)
    assert store.search("word17", ["long"]).passages


def test_spans_are_those_of_the_article(store: MilvusStore) -> None:
    found = store.search("Who?")
    for passage in found.passages:
        text = store.articles_by_id[passage.article_id].text
        assert text[passage.span.start : passage.span.end] == passage.text
        assert passage.span == Span(passage.sentences[0].start, passage.sentences[-1].end)
    ends = np.append(found.first[1:], len(found.members))
    for passage, first, end in zip(found.passages, found.first, ends, strict=True):
        rows = found.members[first:end]
        assert tuple(found.sentences[row] for row in rows) == passage.sentences


ASK = """
import sys
from article_qa import ArticleQA, Settings
qa = ArticleQA.load(sys.argv[1], Settings(passage_words=12, context_words=30), objects=sys.argv[2])
print(qa.ask("When was the oven made?").plain)
"""


def test_two_processes_share_a_server(store: MilvusStore) -> None:
    from milvus_lite.server_manager import server_manager_instance

    port = server_manager_instance.start_and_get_uri(store.address.uri).rpartition(":")[2]
    address = f"milvus+http://127.0.0.1:{port}/{store.address.collection}"
    command = [sys.executable, "-c", ASK, address, store.objects.place]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "1890\n", done.stderr
