from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from article_qa import Settings
from article_qa.cli import app
from article_qa.retrieval.embeddings import load_embeddings

pytest.importorskip("milvus_lite", reason="a store in Milvus needs the extra: article-qa[milvus]")

from article_qa.retrieval import indexing
from article_qa.retrieval.indexing import Prepared, index_files, prepare
from article_qa.retrieval.store_milvus import MilvusStore

SETTINGS = Settings()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"milvus+file://{tmp_path_factory.mktemp('milvus')}/library.db"


@pytest.fixture
def store(library: str) -> Iterator[MilvusStore]:
    made = MilvusStore(library, SETTINGS, load_embeddings(SETTINGS), create=True)
    yield made
    for name in (made.address.collection, made.address.articles):
        made._client.drop_collection(name)


@pytest.fixture
def files(tmp_path: Path) -> list[tuple[Path, str]]:
    """Twelve short articles, and one file that is none."""
    for n in range(12):
        (tmp_path / f"mill{n}.txt").write_text(f"Mill {n} was built in {1800 + n}.", "utf-8")
    (tmp_path / "noise.txt").write_bytes(bytes(range(256)) * 4)
    return [(path, path.stem) for path in sorted(tmp_path.iterdir())]


def test_a_second_run_does_only_what_is_new(
    store: MilvusStore, files: list[tuple[Path, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "FILES", 5)
    first = index_files(files, store)
    assert (first.articles, first.passages, first.unchanged) == (12, 12, 0)
    ((path, reason),) = first.failed
    assert path.name == "noise.txt" and "binary" in reason
    files[0][0].write_text("Mill 0 burnt down.", "utf-8")
    second = index_files(files, store)
    assert (second.articles, second.unchanged, len(second.failed)) == (1, 11, 1)
    assert store.articles_by_id["mill0"].text == "Mill 0 burnt down."


def kill_at_seven(batch: indexing.Batch, settings: Settings) -> Prepared:
    """Do what ``prepare`` does; a process that comes to mill7 dies on the spot."""
    if any(wanted.id == "mill7" for wanted in batch):
        os.kill(os.getpid(), signal.SIGKILL)
    return prepare(batch, settings)


def test_a_process_that_dies_costs_its_file_alone(
    store: MilvusStore, files: list[tuple[Path, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "FILES", 4)
    monkeypatch.setattr(indexing, "prepare", kill_at_seven)
    done = index_files(files, store, workers=2)
    assert done.articles == 11
    assert sorted(path.name for path, _ in done.failed) == ["mill7.txt", "noise.txt"]
    assert "mill7" not in store.articles_by_id and store.counts().articles == 11


def test_the_command_line_fills_a_store_and_asks_it(
    library: str, store: MilvusStore, files: list[tuple[Path, str]]
) -> None:
    folder = str(files[0][0].parent)
    built = CliRunner().invoke(app, ["index", folder, "--store", library])
    assert built.exit_code == 0, built.output
    assert "12 articles written" in built.output and "noise.txt" in built.output
    question = ["ask", "When was mill 3 built?"]
    asked = CliRunner().invoke(app, question, env={"ARTICLE_QA_STORE": library})
    assert "1803" in asked.output and "mill3, characters" in asked.output
    wrong = CliRunner().invoke(app, [*question, "--store", "milvus+http://nowhere"])
    assert wrong.exit_code == 1 and "milvus+http://host:19530/collection" in wrong.output


def test_workers_go_with_a_store(files: list[tuple[Path, str]]) -> None:
    done = CliRunner().invoke(app, ["index", str(files[0][0]), "--workers", "2"])
    assert done.exit_code == 2 and "--store" in done.output
