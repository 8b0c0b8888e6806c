from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import faiss
import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from article_qa.config import Settings
from article_qa.errors import (
    ArticleError,
    IndexCorruptError,
    IndexSchemaError,
    IndexStaleError,
    IndexUnusableError,
)
from article_qa.reading.article import parse_article
from article_qa.retrieval import entries, files, records
from article_qa.retrieval import searcher as searcher_module
from article_qa.retrieval.embeddings import SentenceEmbeddings, load_embeddings
from article_qa.retrieval.store_local import LocalStore
from article_qa.types import Article

SETTINGS = Settings(passage_words=12, context_words=30)
TEXTS = {
    "harbour": (
        "Harbour reopens after storm\n\nBy Ann Lee\n\nThe harbour of Port Vell opened again on "
        "Monday. Divers had cleared two sunken boats. Fishermen cheered 🎣 at the quay.\n\n"
        "Repairs cost 2,000 crowns. The mayor said that the lighthouse would follow in May."
    ),
    "bakery": "The bakery sells rye bread. Its oven dates from 1890. It closes on Sundays.",
    "mixed": "שלום עולם. זה משפט שני.\n\nCafe\u0301 owners\u00a0met. Café owners\u00a0met.",
}
DATA_FILES = (*files.FILES, "SHA256SUMS")


def article(id: str, text: str | None = None) -> Article:
    return parse_article(TEXTS[id] if text is None else text, id=id, source=f"/some/place/{id}.txt")


ARTICLES = tuple(article(id) for id in TEXTS)


@pytest.fixture(scope="module")
def embeddings() -> SentenceEmbeddings:
    return load_embeddings(SETTINGS)


@pytest.fixture(scope="module")
def built(embeddings: SentenceEmbeddings) -> LocalStore:
    return LocalStore.build(ARTICLES, SETTINGS, embeddings)


@pytest.fixture
def saved(built: LocalStore, tmp_path: Path) -> Path:
    built.save(tmp_path / "index")
    return tmp_path / "index"


def unloaded() -> SentenceEmbeddings:
    """Embeddings that have not read their model, so that a test sees whether they do."""
    return load_embeddings(SETTINGS)


def load(directory: Path, sources: tuple[Article, ...] | None = None) -> LocalStore:
    return LocalStore.load(directory, SETTINGS, unloaded(), sources)


def assert_same(one: LocalStore, other: LocalStore) -> None:
    assert one.articles == other.articles
    assert one.passages == other.passages
    for question in ("What does the bakery sell?", "מה שלום"):
        ours, theirs = one.search(question), other.search(question)
        assert ours.sentences == theirs.sentences
        for name in ("dense", "lexical", "sentence_dense", "sentence_lexical"):
            assert getattr(ours, name) == pytest.approx(getattr(theirs, name), abs=1e-5)


def edit(directory: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change a file, and its digest with it, as someone would who means to be believed."""
    content = change((directory / name).read_bytes())
    (directory / name).write_bytes(content)
    sums = dict(
        line.split("  ")[::-1] for line in (directory / "SHA256SUMS").read_text().split("\n")[:-1]
    )
    sums[name] = hashlib.sha256(content).hexdigest()
    lines = (f"{digest}  {name}\n" for name, digest in sums.items())
    (directory / "SHA256SUMS").write_text("".join(lines))


def edit_manifest(directory: Path, **changes: object) -> None:
    edit(
        directory,
        "manifest.json",
        lambda content: json.dumps({**json.loads(content), **changes}).encode(),
    )


# Building and searching


def test_passages_are_slices_of_their_articles(built: LocalStore) -> None:
    assert len(built.passages) >= 5
    for passage in built.passages:
        text = built.articles_by_id[passage.article_id].text
        assert text[passage.span.start : passage.span.end] == passage.text


def test_each_candidate_knows_its_sentences(built: LocalStore) -> None:
    for ids in (None, ["bakery"], ["mixed", "harbour"]):
        found = built.search("Who cleared the boats?", ids)
        assert {p.article_id for p in found.passages} == set(ids or TEXTS)
        for passage, rows in zip(
            found.passages, np.split(found.members, found.first[1:]), strict=True
        ):
            assert tuple(found.sentences[row] for row in rows) == passage.sentences


def test_scores_do_not_depend_on_which_other_articles_are_searched(built: LocalStore) -> None:
    everything, some = built.search("rye bread"), built.search("rye bread", ["bakery"])
    rows = [i for i, p in enumerate(everything.passages) if p.article_id == "bakery"]
    assert everything.dense[rows].tolist() == some.dense.tolist()
    assert everything.lexical[rows].tolist() == some.lexical.tolist()
    assert some.dense.max() > everything.dense[0]


def test_dense_scores_are_the_cosine_similarities(
    built: LocalStore, embeddings: SentenceEmbeddings
) -> None:
    found = built.search("When was the oven made?")
    question = np.asarray(embeddings.embed_query("When was the oven made?"))
    passages = embeddings.embed_array([passage.text for passage in found.passages])
    assert found.dense == pytest.approx(passages @ question, abs=1e-5)


def test_an_unknown_article_is_named(built: LocalStore) -> None:
    with pytest.raises(ArticleError, match="No article 'zoo' in the index; it holds 'harbour'"):
        built.search("x", ["zoo"])


def test_no_articles_find_nothing(built: LocalStore, tmp_path: Path) -> None:
    assert built.search("x", []).passages == ()
    empty = LocalStore.build((), SETTINGS, unloaded())
    empty.save(tmp_path)
    for index in (empty, load(tmp_path)):
        assert index.articles == index.passages == index.search("x").passages == ()
        assert index.embeddings._bundled is None


def test_faiss_rows_that_are_not_found_score_nothing() -> None:
    index = faiss.IndexFlatIP(2)
    index.add(np.eye(2, dtype=np.float32))
    nowhere = np.full(2, np.nan, dtype=np.float32)  # the labels are -1
    assert index.search(nowhere[None, :], 2)[1].tolist() == [[-1, -1]]
    assert searcher_module._inner_products(index, nowhere).tolist() == [0, 0]


# Changing


def test_an_unchanged_article_costs_nothing(built: LocalStore) -> None:
    calls: list[tuple[int, int]] = []
    again = [parse_article(TEXTS[id], id=id, source="elsewhere.txt") for id in TEXTS]
    searcher = built._searcher
    assert built.add(again, lambda *call: calls.append(call)) == ()
    assert calls == []
    assert built._searcher is searcher


def test_a_changed_article_replaces_its_passages(embeddings: SentenceEmbeddings) -> None:
    index = LocalStore.build(ARTICLES, SETTINGS, embeddings)
    new = article("bakery", "The bakery burnt down. Nobody was hurt.")
    assert index.add([new, ARTICLES[0]]) == ("bakery",)
    assert [a.id for a in index.articles] == list(TEXTS)
    assert_same(index, LocalStore.build((ARTICLES[0], new, ARTICLES[2]), SETTINGS, embeddings))
    assert not any("rye" in passage.text for passage in index.passages)


def test_articles_are_added_removed_and_synchronised(embeddings: SentenceEmbeddings) -> None:
    index = LocalStore.build(ARTICLES[:1], SETTINGS, embeddings)
    assert index.add(ARTICLES[1:]) == ("bakery", "mixed")
    assert index.remove(["harbour", "zoo"]) == ("harbour",)
    assert [a.id for a in index.articles] == ["bakery", "mixed"]
    assert index.sync((ARTICLES[2], ARTICLES[0])) == ("harbour",)
    assert_same(index, LocalStore.build((ARTICLES[2], ARTICLES[0]), SETTINGS, embeddings))


def test_two_articles_of_one_id_are_refused(built: LocalStore) -> None:
    with pytest.raises(ArticleError, match="Two articles have the id 'bakery'"):
        built.add([article("bakery"), article("bakery", "Other words.")])
    assert len(built.articles) == len(TEXTS)


def test_searches_go_on_while_articles_change(embeddings: SentenceEmbeddings) -> None:
    index = LocalStore.build(ARTICLES, SETTINGS, embeddings)

    def change(turn: int) -> None:
        index.remove(["harbour"]) if turn % 2 else index.add(ARTICLES)

    def search(_: int) -> None:
        found = index.search("Who cheered?")
        assert len(found.dense) == len(found.lexical) == len(found.passages)
        assert len(found.members) == len(found.sentences) == len(found.sentence_dense)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda turn: change(turn) if turn % 3 else search(turn), range(24)))


# Saving and loading


def test_what_is_loaded_equals_what_was_saved(built: LocalStore, saved: Path) -> None:
    loaded = load(saved)
    assert loaded.embeddings._bundled is None  # nothing was embedded
    assert_same(loaded, built)


def test_a_save_names_no_folder_of_this_machine(saved: Path) -> None:
    assert sorted(path.name for path in saved.iterdir()) == sorted([*DATA_FILES, ".lock"])
    for path in saved.iterdir():
        assert b"/some/place" not in path.read_bytes()
    assert json.loads((saved / "manifest.json").read_text())["articles"][0]["source"] == (
        "harbour.txt"
    )


def test_building_twice_gives_the_same(saved: Path, tmp_path: Path) -> None:
    batches_of_one = SentenceEmbeddings(batch_size=1)
    LocalStore.build(ARTICLES, SETTINGS, batches_of_one).save(tmp_path / "again")
    for name in ("manifest.json", "articles.jsonl", "passages.jsonl"):
        assert (saved / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    for name in ("passage_vectors.npy", "sentence_vectors.npy"):
        one, other = np.load(saved / name), np.load(tmp_path / "again" / name)
        assert one == pytest.approx(other, abs=1e-5)


def test_the_digests_are_those_of_sha256sum(saved: Path) -> None:
    for line in (saved / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((saved / name).read_bytes()).hexdigest() == digest


def test_saving_again_replaces_and_leaves_other_files(
    saved: Path, embeddings: SentenceEmbeddings
) -> None:
    (saved / "README").write_text("mine")
    LocalStore.build(ARTICLES[:1], SETTINGS, embeddings).save(saved)
    assert [a.id for a in load(saved).articles] == ["harbour"]
    assert (saved / "README").read_text() == "mine"


@given(st.text(min_size=1).filter(str.strip), st.text(), st.text())
def test_any_article_comes_back_as_it_was(text: str, title: str, note: str) -> None:
    before = parse_article(text, id="x", source=None, notes=(note,))
    before = Article("x", title, before.text, before.blocks, None, before.notes)
    (record,) = records.read_lines(records.json_lines([records.article_record(before)]))
    assert records.read_article(record) == before


@pytest.mark.parametrize("name", DATA_FILES)
@pytest.mark.parametrize("damage", ["truncated", "emptied", "removed", "noise"])
def test_a_damaged_file_is_named_with_the_remedy(saved: Path, name: str, damage: str) -> None:
    content = (saved / name).read_bytes()
    if damage == "removed":
        (saved / name).unlink()
    else:
        short = content[: len(content) // 2]
        changes = {"truncated": short, "emptied": b"", "noise": bytes(range(256))}
        (saved / name).write_bytes(changes[damage])
    with pytest.raises(IndexCorruptError, match="article-qa index") as caught:
        load(saved)
    assert str(saved) in str(caught.value)


def test_one_flipped_bit_is_noticed(saved: Path) -> None:
    path = saved / "sentence_vectors.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(
        IndexCorruptError, match=r"sentence_vectors\.npy is truncated or was edited"
    ):
        load(saved)


@pytest.mark.parametrize("place", ["missing", "empty", "a file"])
def test_what_is_no_index_is_said_to_be_none(tmp_path: Path, place: str) -> None:
    directory = tmp_path / "x"
    if place == "empty":
        directory.mkdir()
    if place == "a file":
        directory.write_text("x")
    with pytest.raises(IndexCorruptError, match="Run `article-qa index`"):
        load(directory)


def a_pickle(content: bytes) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([print], dtype=object), allow_pickle=True)
    assert pickle.PROTO in buffer.getvalue()
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("articles.jsonl", lambda content: content.replace(b"rye bread", b"raw bread")),
        ("articles.jsonl", lambda content: content.splitlines()[0]),
        ("articles.jsonl", lambda content: b"[]\n"),
        ("passages.jsonl", lambda content: content.split(b"\n", 1)[1]),
        ("passages.jsonl", lambda content: content + content.splitlines()[0]),
        ("passages.jsonl", lambda content: content.replace(b'"span": [', b'"span": [-1', 1)),
        ("passages.jsonl", lambda content: content.replace(b'], "context"', b'0], "context"', 1)),
        ("passages.jsonl", lambda content: content.replace(b"bakery", b"beaker")),
        ("passages.jsonl", lambda content: content.replace(b'"kind"', b'"kin"', 1)),
        ("passage_vectors.npy", a_pickle),
        ("passage_vectors.npy", lambda content: content.replace(b"<f4", b"<i4")),
        ("sentence_vectors.npy", lambda content: content[:-4] + b"\xff" * 4),
    ],
)
def test_files_that_contradict_each_other_are_corrupt(
    saved: Path, name: str, change: Callable[[bytes], bytes]
) -> None:
    edit(saved, name, change)
    with pytest.raises(IndexCorruptError, match="contradict each other"):
        load(saved)


def test_a_newer_schema_asks_for_an_upgrade(saved: Path) -> None:
    edit_manifest(saved, schema=files.SCHEMA + 1)
    (saved / "passages.jsonl").unlink()  # a newer layout may well have none
    with pytest.raises(IndexSchemaError, match="Upgrade article-qa"):
        load(saved)
    with pytest.raises(IndexSchemaError):
        load(saved, ARTICLES)


STALE: list[dict[str, object]] = [
    {"schema": files.SCHEMA - 1},
    {"model_sha256": "0" * 64},
    {"settings": {**SETTINGS.index_dict(), "passage_words": 50}},
    {"settings": {}},
]


@pytest.mark.parametrize("changes", STALE)
def test_another_model_or_setting_is_stale(
    saved: Path, built: LocalStore, changes: dict[str, object]
) -> None:
    edit_manifest(saved, **changes)
    with pytest.raises(IndexStaleError, match="Run `article-qa index`"):
        load(saved)
    assert_same(load(saved, ARTICLES), built)


def test_changed_sources_are_read_again_and_nothing_else(
    saved: Path, embeddings: SentenceEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = load(saved, ARTICLES)
    assert same.embeddings._bundled is None

    cut: list[str] = []
    cutter = entries.cut_passages
    monkeypatch.setattr(entries, "cut_passages", lambda a, s: cut.append(a.id) or cutter(a, s))
    new = article("bakery", "The bakery burnt down. Nobody was hurt.")
    loaded = LocalStore.load(saved, SETTINGS, embeddings, (ARTICLES[0], new))
    assert cut == ["bakery"]
    assert_same(loaded, LocalStore.build((ARTICLES[0], new), SETTINGS, embeddings))


def test_a_folder_that_cannot_be_written_is_named(built: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(IndexUnusableError, match=r"cannot be written to .*file"):
        built.save(tmp_path / "file" / "index")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_folder_is_named(built: LocalStore, saved: Path) -> None:
    saved.chmod(0o555)
    with pytest.raises(IndexUnusableError, match="cannot be written"):
        built.save(saved)
    saved.chmod(0o755)


def test_loading_writes_nothing(saved: Path) -> None:
    (saved / ".lock").unlink()
    before = sorted(saved.iterdir())
    load(saved)
    assert sorted(saved.iterdir()) == before


def test_a_save_waits_for_another_and_gives_up(
    built: LocalStore, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LOCK_SECONDS", 0.05)
    with FileLock(saved / ".lock"), pytest.raises(IndexUnusableError, match="Another process"):
        built.save(saved)
    built.save(saved)


@pytest.mark.parametrize("writes_before_death", range(16))
def test_a_save_that_dies_leaves_the_old_index_or_the_new(
    saved: Path,
    embeddings: SentenceEmbeddings,
    monkeypatch: pytest.MonkeyPatch,
    writes_before_death: int,
) -> None:
    smaller = LocalStore.build(ARTICLES[:1], SETTINGS, embeddings)
    steps = iter(range(writes_before_death))

    def dying(method: Callable[..., Path]) -> Callable[..., Path]:
        def step(*args: object, **kwargs: object) -> Path:
            if next(steps, None) is None:
                raise KeyboardInterrupt
            return method(*args, **kwargs)

        return step

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", dying(Path.rename))
        patched.setattr(Path, "replace", dying(Path.replace))
        patched.setattr(os, "fsync", dying(os.fsync))
        try:
            smaller.save(saved)
        except KeyboardInterrupt:
            died = True
        else:
            died = False
    assert died == (writes_before_death < 16)
    new = writes_before_death > 7  # six files and their folder, then a rename makes them count
    assert len(load(saved).articles) == (1 if new else 3)
    LocalStore.build(ARTICLES[:2], SETTINGS, embeddings).save(saved)
    assert len(load(saved).articles) == 2


WRITER = """
import sys
from article_qa.config import Settings
from article_qa.retrieval.embeddings import load_embeddings
from article_qa.retrieval.store_local import LocalStore

settings = Settings(passage_words=12, context_words=30)
indexes = [LocalStore.load(path, settings, load_embeddings(settings)) for path in sys.argv[2:]]
print("ready", flush=True)
for turn in range(200):
    indexes[turn % 2].save(sys.argv[1])
"""


def test_a_reader_never_sees_half_of_another_process_save(
    saved: Path, built: LocalStore, embeddings: SentenceEmbeddings, tmp_path: Path
) -> None:
    built.save(tmp_path / "one")
    LocalStore.build(ARTICLES[:1], SETTINGS, embeddings).save(tmp_path / "other")
    command = [sys.executable, "-c", WRITER, saved, tmp_path / "one", tmp_path / "other"]
    seen = set()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        while writer.poll() is None:
            seen.add(tuple(a.id for a in load(saved).articles))
            built.save(saved)
    assert writer.returncode == 0
    assert seen <= {tuple(TEXTS), ("harbour",)}
