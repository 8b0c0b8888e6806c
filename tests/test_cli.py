from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ferry import FERRY, ROOT
from typer.testing import CliRunner, Result

from article_qa import ArticleQA
from article_qa.cli import app


def run(*args: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(a) for a in args], input=stdin)


@pytest.fixture
def ferry(tmp_path: Path) -> Path:
    path = tmp_path / "ferry.txt"
    path.write_text(FERRY, "utf-8")
    return path


def test_ask_prints_the_answer_the_quote_and_its_place(ferry: Path) -> None:
    result = run("ask", "Who took command in 2015?", "--article", ferry)
    assert result.exit_code == 0
    assert "Lena Marsh [1]" in result.stdout
    assert "[1] “Captain Lena Marsh took command in 2015" in result.stdout
    assert "characters " in result.stdout


def test_ask_in_json_from_stdin(ferry: Path) -> None:
    result = run("ask", "-", "--json", "--article", ferry, stdin="Who took command in 2015?")
    answer = json.loads(result.stdout)
    (citation,) = answer["citations"]
    text = ArticleQA.from_files([ferry]).articles[0].text
    assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_a_refusal_has_its_own_exit_code(ferry: Path) -> None:
    result = run("ask", "What is the capital of France?", "--article", ferry)
    assert result.exit_code == 3
    assert "The article does not say." in result.stdout


def test_index_then_ask(ferry: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    built = run("index", ferry, "--index", out)
    assert built.exit_code == 0 and "ferry" in built.stdout
    before = (out / "passage_vectors.npy").read_bytes()
    assert run("index", ferry, "--index", out).exit_code == 0
    assert (out / "passage_vectors.npy").read_bytes() == before
    assert run("ask", "Who took command in 2015?", "--index", out).exit_code == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "empty"), (b" \n\t", "empty"), (bytes(range(256)) * 8, "binary")],
)
def test_an_unreadable_article_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    result = run("ask", "Who?", "--article", path)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ") and len(result.stderr.splitlines()) == 1
    assert message in result.stderr.lower() or "text" in result.stderr.lower()


def test_no_index_names_the_command_that_makes_one(tmp_path: Path) -> None:
    result = run("ask", "Who?", "--index", tmp_path / "none")
    assert result.exit_code == 1 and "article-qa index" in result.stderr


def test_wrong_usage_is_exit_code_2() -> None:
    assert run("ask").exit_code == 2
    assert run("nonsense").exit_code == 2


def test_the_committed_index_is_what_the_seeds_give(tmp_path: Path) -> None:
    """Passages and settings to the byte, vectors to 1e-5."""
    import numpy as np

    out = tmp_path / "index"
    assert run("index", ROOT / "seeds", "--index", out).exit_code == 0
    for name in ("manifest.json", "articles.jsonl", "passages.jsonl"):
        assert (out / name).read_bytes() == (ROOT / "index" / name).read_bytes(), name
    for name in ("passage_vectors.npy", "sentence_vectors.npy"):
        built, committed = np.load(out / name), np.load(ROOT / "index" / name)
        np.testing.assert_allclose(built, committed, atol=1e-5)


def test_the_version_is_the_package_s() -> None:
    from importlib.metadata import version

    assert version("article-qa") in run("--version").stdout


def test_an_empty_question_is_wrong_usage(ferry: Path) -> None:
    result = run("ask", " ", "--article", ferry)
    assert result.exit_code == 2
    assert result.stderr == "Error: The question is empty.\n"
    too_long = run("ask", "x" * 3000, "--json")
    assert too_long.exit_code == 2
    assert "3,000 characters" in json.loads(too_long.stdout)["error"]["message"]


def test_an_error_in_json_is_an_object(tmp_path: Path) -> None:
    result = run("ask", "Who?", "--json", "--index", tmp_path / "none")
    error = json.loads(result.stdout)["error"]
    assert result.exit_code == 1
    assert error["type"] == "IndexCorruptError" and "article-qa index" in error["message"]


def test_a_streamed_answer_ends_in_the_same_answer(ferry: Path) -> None:
    result = run("ask", "Who took command in 2015?", "--stream", "--json", "--article", ferry)
    last = json.loads(result.stdout.splitlines()[-1])
    assert last["event"] == "answer"
    assert "Marsh" in last["answer"]["plain"]
    plain = run("ask", "Who took command in 2015?", "--stream", "--article", ferry)
    assert "Lena Marsh [1]" in plain.stdout


def test_a_conversation_shows_the_passage(ferry: Path) -> None:
    asked = "Who took command in 2015?\nWhen did she take command?\n\n"
    result = run("chat", "--article", ferry, stdin=asked)
    assert result.exit_code == 0
    assert "understood as" in result.stdout
    assert "after the death of her father" in " ".join(result.stdout.split())


def test_serving_what_is_no_index_is_an_error(tmp_path: Path) -> None:
    code = "from article_qa.cli import app; app()"
    command = [sys.executable, "-c", code, "serve", "--index", str(tmp_path / "none")]
    done = subprocess.run(
        [*command, "--no-browser", "--port", "0"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: No usable index")


def test_a_port_that_is_none_is_an_error() -> None:
    result = run("serve", "--port", "99999", "--no-browser")
    assert result.exit_code == 1 and "PORT" in result.stderr
