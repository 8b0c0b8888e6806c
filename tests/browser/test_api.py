"""The page's named endpoints, called as the README shows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from article_qa.types import Article

QUESTION = "Who wrote this article?"


def post(address: str, data: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        address, json.dumps(data).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def call(address: str, name: str, **data: Any) -> tuple[str, Any]:
    """What two curl commands do: post the arguments by name, then read the event."""
    event = post(f"{address}gradio_api/call/v2/{name}", data)["event_id"]
    url = f"{address}gradio_api/call/{name}/{event}"
    with urllib.request.urlopen(url, timeout=120) as response:
        lines = response.read().decode().split("\n")
    kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    last = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")][-1]
    return kinds[-1], json.loads(last)


def test_ask_over_http_returns_a_verified_answer(address: str, seed: Article) -> None:
    kind, (answer,) = call(address, "ask", question=QUESTION)
    assert kind == "complete"
    assert answer["plain"] == "Michael Crowley"
    for citation in answer["citations"]:
        assert seed.text[citation["start"] : citation["end"]] == citation["quote"]


def readme_block(language: str, holding: str) -> str:
    """Cut an example out of the README, for the page under test."""
    text = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    found = re.findall(rf"```{language}\n(.*?)```", text, re.S)
    return str(next(block for block in found if holding in block))


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_readme_s_curl_commands(address: str) -> None:
    commands = readme_block("sh", "curl").replace("http://127.0.0.1:7860/", address)
    done = subprocess.run(["bash", "-ec", commands], capture_output=True, text=True, check=True)
    assert "event: complete" in done.stdout
    assert "Michael Crowley" in done.stdout


def test_the_readme_s_python_client(address: str) -> None:
    scope: dict[str, Any] = {}
    exec(readme_block("python", "gradio_client").replace("http://127.0.0.1:7860", address), scope)
    assert scope["first"]["plain"] == "Zalmay Khalilzad"
    assert scope["then"]["understood_as"] is not None
    scope["client"].close()


def test_articles_are_listed(address: str, seed: Article) -> None:
    _, (articles,) = call(address, "articles")
    assert [(a["id"], a["sha256"]) for a in articles] == [(seed.id, seed.sha256)]


def test_the_same_question_gives_the_same_bytes(address: str) -> None:
    one, two = (call(address, "ask", question=QUESTION)[1] for _ in range(2))
    assert json.dumps(one) == json.dumps(two)


@pytest.mark.parametrize(
    "history", [[{"question": "x"}], [{"citations": [{"article_id": "none"}]}], ["text"]]
)
def test_a_made_up_history_is_refused(address: str, history: list[Any]) -> None:
    kind, _ = call(address, "ask", question=QUESTION, history=history)
    assert kind == "error"


def test_only_the_documented_endpoints_are_public(address: str) -> None:
    with urllib.request.urlopen(f"{address}gradio_api/info", timeout=30) as response:
        info = json.load(response)
    assert sorted(info["named_endpoints"]) == ["/articles", "/ask"]
    assert not info["unnamed_endpoints"]
