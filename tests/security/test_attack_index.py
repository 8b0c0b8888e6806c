"""Indexes with right digests and hostile content are refused when they are loaded."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from article_qa import ArticleQA, Settings
from article_qa.errors import IndexCorruptError
from article_qa.retrieval.embeddings import load_embeddings
from article_qa.retrieval.store_local import LocalStore


def header(shape: str) -> bytes:
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def narrow(content: bytes) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.load(io.BytesIO(content))[:, :3].copy())
    return buffer.getvalue()


def on_line(change: Callable[[Any], None]) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        first, *rest = content.split(b"\n")
        record = json.loads(first)
        change(record)
        text = json.dumps(record).replace('"HUGE"', "1e400")
        return b"\n".join([text.encode(), *rest])

    return changed


def put(*path: Any, value: Any) -> Callable[[bytes], bytes]:
    def change(record: Any) -> None:
        for step in path[:-1]:
            record = record[step]
        record[path[-1]] = value

    return on_line(change)


def manifest(**values: Any) -> Callable[[bytes], bytes]:
    def changed(content: bytes) -> bytes:
        record = json.loads(content)
        record["articles"][0].update(values)
        return json.dumps(record).replace('"HUGE"', "1e400").encode()

    return changed


ATTACKS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "wrong width of sentences": ("sentence_vectors.npy", narrow),
    "15 TB in a header": ("passage_vectors.npy", lambda _: header("(10000000000, 384)")),
    "a negative shape": ("passage_vectors.npy", lambda _: header("(-1, 384)")),
    "a header of brackets": ("passage_vectors.npy", lambda _: header("(" * 90)),
    "an offset with a fraction": ("passages.jsonl", put("span", 0, value=0.0)),
    "a true offset": ("passages.jsonl", put("span", 0, value=True)),
    "an endless offset": ("passages.jsonl", put("context", 1, value="HUGE")),
    "a block of another kind": ("articles.jsonl", put("blocks", 0, 0, value="<script>")),
    "a block with a fraction": ("articles.jsonl", put("blocks", 0, 1, value=0.5)),
    "a text that is none": ("articles.jsonl", put("text", value=["x"])),
    "a title that is none": ("articles.jsonl", put("title", value={"a": 1})),
    "brackets in brackets": ("articles.jsonl", lambda _: b"[" * 200_000),
    "an endless count": ("manifest.json", manifest(passages="HUGE")),
    "a negative count": ("manifest.json", manifest(passages=-1)),
    "a manifest of brackets": ("manifest.json", lambda _: b"[" * 200_000),
    "an endless schema": ("manifest.json", lambda _: b'{"schema": 1e400}'),
}


@pytest.fixture
def saved(qa: ArticleQA, tmp_path: Path) -> Path:
    qa.save(tmp_path / "index")
    return tmp_path / "index"


def rewrite(directory: Path, changes: dict[str, Callable[[bytes], bytes]]) -> None:
    for name, change in changes.items():
        (directory / name).write_bytes(change((directory / name).read_bytes()))
    names = [line.split("  ")[1] for line in (directory / "SHA256SUMS").read_text().splitlines()]
    sums = [f"{hashlib.sha256((directory / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
    (directory / "SHA256SUMS").write_text("".join(sums))


def load(directory: Path) -> LocalStore:
    return LocalStore.load(directory, Settings(), load_embeddings(Settings()))


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_content_is_refused_at_load(saved: Path, attack: str) -> None:
    name, change = ATTACKS[attack]
    rewrite(saved, {name: change})
    with pytest.raises(IndexCorruptError, match="article-qa index"):
        load(saved)


def test_vectors_of_another_width_are_refused_at_load(saved: Path) -> None:
    rewrite(saved, {"passage_vectors.npy": narrow, "sentence_vectors.npy": narrow})
    with pytest.raises(IndexCorruptError, match="384"):
        load(saved)


@pytest.mark.parametrize("junk", ["file", "folder"])
def test_junk_where_a_save_was_is_mended(qa: ArticleQA, saved: Path, junk: str) -> None:
    if junk == "file":
        (saved / ".saved").write_text("junk")
    else:
        (saved / ".saved" / "deep").mkdir(parents=True)
        (saved / ".saved" / "deep" / "junk").write_text("junk")
    assert load(saved).articles == qa.articles
    qa.save(saved)
    assert load(saved).articles == qa.articles
    assert not (saved / ".saved").exists()
