from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from ferry import ROOT

import article_qa


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)


def test_the_python_example_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "seeds").symlink_to(ROOT / "seeds")
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    exec(next(block for block in blocks("python") if "from_files" in block), scope)
    answer = scope["answer"]
    assert isinstance(answer, article_qa.Answer) and answer.text == "Russia and Iran [1]"


def test_the_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == article_qa.__version__
    assert f"## {article_qa.__version__} " in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_nothing_is_left_to_fill_in() -> None:
    for page in ("README.md", "src/article_qa/models/reader/README.md"):
        assert "@@" not in (ROOT / page).read_text("utf-8")
