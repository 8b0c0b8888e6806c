"""The page's named endpoints, called as the README shows."""

from __future__ import annotations

import importlib.util
import json
import urllib.request
from typing import Any

import pytest
from gradio_client import Client

from article_qa.types import Article

QUESTION = "Who wrote this article?"


def post(address: str, data: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(
        address, json.dumps(data).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def call(address: str, name: str, *data: Any) -> tuple[str, Any]:
    """What two curl commands do: post the arguments, then read the event."""
    event = post(f"{address}gradio_api/call/{name}", {"data": list(data)})["event_id"]
    url = f"{address}gradio_api/call/{name}/{event}"
    with urllib.request.urlopen(url, timeout=120) as response:
        lines = response.read().decode().split("\n")
    kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    last = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")][-1]
    return kinds[-1], json.loads(last)


def test_ask_over_http_returns_a_verified_answer(address: str, seed: Article) -> None:
    kind, (answer,) = call(address, "ask", QUESTION)
    assert kind == "complete"
    assert answer["plain"] == "Michael Crowley"
    for citation in answer["citations"]:
        assert seed.text[citation["start"] : citation["end"]] == citation["quote"]


def test_articles_are_listed(address: str, seed: Article) -> None:
    _, (articles,) = call(address, "articles")
    assert [(a["id"], a["sha256"]) for a in articles] == [(seed.id, seed.sha256)]


def test_the_python_client_carries_a_conversation(address: str) -> None:
    client = Client(address, verbose=False)
    first = client.predict("Who is Zalmay Khalilzad?", api_name="/ask")
    then = client.predict("Who appointed him?", history=[first], api_name="/ask")
    assert then["question"] == "Who appointed him?"
    assert then["understood_as"] is not None
    client.close()


def test_the_same_question_gives_the_same_bytes(address: str) -> None:
    one, two = (call(address, "ask", QUESTION)[1] for _ in range(2))
    assert json.dumps(one) == json.dumps(two)


@pytest.mark.parametrize(
    "history", [[{"question": "x"}], [{"citations": [{"article_id": "none"}]}], ["text"]]
)
def test_a_made_up_history_is_refused(address: str, history: list[Any]) -> None:
    kind, _ = call(address, "ask", QUESTION, history)
    assert kind == "error"


def test_only_the_documented_endpoints_are_public(address: str) -> None:
    with urllib.request.urlopen(f"{address}gradio_api/info", timeout=30) as response:
        info = json.load(response)
    assert sorted(info["named_endpoints"]) == ["/articles", "/ask"]
    assert not info["unnamed_endpoints"]


@pytest.mark.skipif(importlib.util.find_spec("mcp") is None, reason="needs article-qa[mcp]")
async def test_an_assistant_can_ask_over_mcp(address: str) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async with (
        streamable_http_client(f"{address}gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        names = [tool.name for tool in (await session.list_tools()).tools]
        tool = next(name for name in names if name.endswith("ask"))
        result = await session.call_tool(tool, {"question": QUESTION})
    assert "Michael Crowley" in str(result.content)
