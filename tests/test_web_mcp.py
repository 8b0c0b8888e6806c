"""The tools for assistants, called by the official client: in process, and over stdio."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from ferry import FERRY

from article_qa import ArticleQA
from article_qa.web.service import Service
from article_qa.web.sessions import Library

pytest.importorskip("mcp", reason="needs article-qa[mcp]")

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.memory import create_connected_server_and_client_session as connect

QUESTION = "Who took command in 2015?"


async def call(qa: ArticleQA, tool: str, **arguments: Any) -> Any:
    from article_qa.web.mcp import server

    async with connect(server(Service(Library(qa)))) as client:
        return await client.call_tool(tool, arguments)


async def test_tools_are_read_only_and_have_schemas(qa: ArticleQA) -> None:
    from article_qa.web.mcp import server

    async with connect(server(Service(Library(qa)))) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert sorted(tools) == ["ask_article", "ask_text", "list_articles", "read_article"]
    for tool in tools.values():
        assert tool.annotations is not None and tool.annotations.readOnlyHint
        assert tool.outputSchema and tool.description


async def test_an_answer_is_structured_and_its_quotes_are_slices(qa: ArticleQA) -> None:
    answer = (await call(qa, "ask_article", question=QUESTION)).structuredContent
    read = (await call(qa, "read_article", article_id="ferry")).structuredContent
    assert "Lena Marsh" in answer["plain"] and answer["hits"] == []
    for citation in answer["citations"]:
        assert read["text"][citation["start"] : citation["end"]] == citation["quote"]


async def test_a_result_can_be_given_back_as_history(qa: ArticleQA) -> None:
    first = (await call(qa, "ask_article", question=QUESTION)).structuredContent
    then = await call(
        qa, "ask_article", question="When did she take command?", history=[first], with_hits=True
    )
    assert "Marsh" in then.structuredContent["understood_as"]
    assert then.structuredContent["hits"]


async def test_a_text_can_be_asked(qa: ArticleQA) -> None:
    text = "The Old Mill\n\nThe mill was built by Ida Roth in 1911. It grinds rye."
    answer = await call(qa, "ask_text", text=text, question="Who built the mill?")
    assert "Ida Roth" in answer.structuredContent["plain"]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("ask_article", {"question": " "}),
        ("ask_article", {"question": "Who?", "article_ids": ["zoo"]}),
        ("ask_article", {"question": "Who?", "history": ["text"]}),
        ("ask_text", {"question": "Who?", "text": " "}),
        ("read_article", {"article_id": "zoo"}),
    ],
)
async def test_an_error_is_said_to_be_one(qa: ArticleQA, tool: str, arguments: Any) -> None:
    result = await call(qa, tool, **arguments)
    assert result.isError
    assert "Traceback" not in str(result.content)


async def test_an_assistant_can_start_it_over_stdio(tmp_path: Path) -> None:
    path = tmp_path / "ferry.txt"
    path.write_text(FERRY, "utf-8")
    code = "from article_qa.cli import app; app()"
    started = StdioServerParameters(
        command=sys.executable, args=["-c", code, "mcp", "--article", str(path)]
    )
    async with stdio_client(started) as (read, write), ClientSession(read, write) as client:
        await client.initialize()
        articles = (await client.call_tool("list_articles", {})).structuredContent
    assert articles is not None
    assert [a["id"] for a in articles["articles"]] == ["ferry"]
