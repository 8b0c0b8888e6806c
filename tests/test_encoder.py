from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from article_qa.answering.reader import BUNDLED_READER, Reader
from article_qa.errors import ModelError
from article_qa.retrieval.embeddings import SentenceEmbeddings, bundled_folder
from article_qa.retrieval.encoder import Encoder

WINDOW = "The Heron ferry has crossed the strait since 1987. Captain Lena Marsh steers it."
QUESTIONS = ["Who steers the ferry?", "Since when?", "", "Was 'Fährverkehr' überall? 🚢 " * 60]


def test_texts_are_embedded_as_sentence_transformers_would() -> None:
    bundled = SentenceEmbeddings()
    reference = SentenceEmbeddings(str(bundled_folder())).embed_array(QUESTIONS)
    questions = np.array([bundled.embed_query(question) for question in QUESTIONS])
    assert questions == pytest.approx(reference, abs=1e-5)
    assert bundled.embed_array(QUESTIONS) == pytest.approx(reference, abs=1e-5)


def test_the_bundled_reader_reads_as_transformers_would(tmp_path: Path) -> None:
    copy = tmp_path / "reader"
    shutil.copytree(BUNDLED_READER, copy)
    fast, reference = Reader(), Reader(str(copy))
    for question in QUESTIONS:
        for window in (WINDOW, "", WINDOW * 40):
            one, other = (r.read(question, [window])[0].spans for r in (fast, reference))
            assert [s.span for s in one[:1]] == [s.span for s in other[:1]]
            assert [s.margin for s in one] == pytest.approx([s.margin for s in other], abs=1e-3)


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json"])
def test_a_broken_model_is_named(tmp_path: Path, file: str) -> None:
    for name in ("model.safetensors", "tokenizer.json"):
        shutil.copy(bundled_folder() / name, tmp_path)
    (tmp_path / file).write_bytes(b"{")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Encoder(tmp_path)


def test_a_model_of_another_shape_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    shutil.copy(bundled_folder() / "tokenizer.json", tmp_path)
    weights = load_file(bundled_folder() / "model.safetensors")
    name = "embeddings.LayerNorm.weight"
    save_file(weights | {name: weights[name][:-1]}, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Encoder(tmp_path)
