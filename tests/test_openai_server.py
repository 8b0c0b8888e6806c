"""A chat model as a user would configure it: ``openai:...`` and an OpenAI-compatible server.

The server is a small program of this file that speaks the protocol on loopback, streaming
included. What it says is chosen by the path of its address, so that one server plays all parts.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

pytest.importorskip("langchain_openai")

from article_qa.answering import citations
from article_qa.chat.engine import ChatEngine
from article_qa.config import Settings
from article_qa.reading.article import parse_article
from article_qa.reading.passages import cut_passages
from article_qa.types import Draft, Evidence, Hit, Statement, Usage

TEXT = "\n\n".join(
    [
        "Ferry Sails Again After Winter Repairs",
        (
            "The ferry Aurora sails again from Sund on 3 April, the harbour master, Nils "
            "Borg, said on Monday. Its repair cost 4.2 million kroner and took eleven weeks."
        ),
        "The old engine was sold to a museum in Bergen.",
    ]
)
ARTICLE = parse_article(TEXT, id="ferry")
HITS = tuple(Hit(p, 1.0, 0.5, 1.0, p.sentences[0], 1.0) for p in cut_passages(ARTICLE, Settings()))
SAYS = "The repair cost 4.2 million kroner. [1]\nThe engine was sold to a school in Bergen. [1]"
CHUNKS = [SAYS[i : i + 9] for i in range(0, len(SAYS), 9)]


class Server(BaseHTTPRequestHandler):
    """Speaks as much of the protocol as a chat completion needs."""

    protocol_version = "HTTP/1.1"
    requests: list[dict[str, Any]] = []
    release = threading.Event()

    def log_message(self, *args: Any) -> None:
        """Keep the tests' output quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        part = self.path.split("/")[1]
        self.requests.append({"part": part, "key": self.headers["Authorization"], "body": body})
        if part.isdigit():
            error = {"error": {"message": "key sk-loopback is wrong", "type": "x", "code": None}}
            self._send(int(part), json.dumps(error).encode())
        elif part == "hang":
            self.release.wait(20)
            self._send(200, b"{}")
        elif part == "garbage":
            self._send(200, b"<html>It works!</html>", "text/html")
        elif part == "broken":
            self._events(['{"choices": [{"delta": ', "not json"])
        else:
            self._events([json.dumps(self._chunk(text)) for text in CHUNKS], end=part != "cut")

    def _chunk(self, text: str) -> dict[str, Any]:
        delta = {"role": "assistant", "content": text}
        choice = {"index": 0, "delta": delta, "finish_reason": None}
        return {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [choice]}  # fmt: skip

    def _events(self, datas: list[str], *, end: bool = True) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        usage = {"prompt_tokens": 321, "completion_tokens": 21, "total_tokens": 342}
        last = json.dumps(self._chunk("") | {"choices": [], "usage": usage})
        for data in [*datas, last, "[DONE]"] if end else datas[:3]:
            self.wfile.write(f"data: {data}\n\n".encode())
            self.wfile.flush()
        self.close_connection = True

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-should-retry", "false")
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # the client has gone away, as it should
            self.close_connection = True


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        Server.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


class Fallback:
    """Stands in for the extractive engine."""

    name = "extractive"

    def draft(self, question: str, hits: Any, articles: Any) -> Draft:
        return Draft((Statement((Evidence("ferry", hits[0].sentence),)),), 0.7)

    def stream(self, question: str, hits: Any, articles: Any) -> Iterator[str | Draft]:
        yield self.draft(question, hits, articles)


def make_engine(
    address: str, part: str, monkeypatch: pytest.MonkeyPatch, timeout: float = 10
) -> ChatEngine:
    """An engine as a user would have it: a model's name, the rest in the environment."""
    monkeypatch.setenv("OPENAI_BASE_URL", f"{address}/{part}")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings(chat_timeout=timeout)
    return ChatEngine("openai:test-model", settings, fallback=Fallback())


def test_an_answer_streams_and_only_what_is_borne_out_is_shown(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(address, "v1", monkeypatch)
    *texts, draft = engine.stream("What did the repair cost?", HITS, {"ferry": ARTICLE})
    assert len(texts) > 3
    assert "".join(map(str, texts)) == SAYS
    assert isinstance(draft, Draft)
    answer = citations.verify(draft, "What did the repair cost?", HITS, {"ferry": ARTICLE})
    assert answer.text == "The repair cost 4.2 million kroner. [1]"
    assert [c.quote for c in answer.citations] == [
        "Its repair cost 4.2 million kroner and took eleven weeks."
    ]
    assert answer.engine == "chat"
    assert answer.notice is not None
    assert "left out" in answer.notice
    again = engine.draft("What did the repair cost?", HITS, {"ferry": ARTICLE})
    assert again == draft


def test_the_model_gets_the_key_the_passages_and_the_question(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Server.requests.clear()
    make_engine(address, "v1", monkeypatch).draft("What did it cost?", HITS, {"ferry": ARTICLE})
    (request,) = Server.requests
    assert request["key"] == "Bearer sk-loopback"
    assert request["body"]["model"] == "test-model"
    assert request["body"]["stream"] is True
    system, user = request["body"]["messages"]
    assert system["role"] == "system"
    assert "4.2 million kroner" in user["content"]
    assert user["content"].endswith("Question: What did it cost?")


def test_token_use_is_reported(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = make_engine(address, "v1", monkeypatch).draft("q?", HITS, {"ferry": ARTICLE})
    assert draft.usage == Usage(321, 21)


@pytest.mark.parametrize(
    ("part", "notice"),
    [
        ("401", "refused the key"),
        ("403", "refused the key"),
        ("404", "refused the request (status 404)"),
        ("429", "is busy (rate limit)"),
        ("500", "has an error"),
        ("503", "has an error"),
        ("garbage", ""),
        ("broken", ""),
    ],
)
def test_a_server_that_fails_is_replaced_with_a_plain_notice(
    part: str, notice: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.perf_counter()
    draft = make_engine(address, part, monkeypatch).draft("q?", HITS, {"ferry": ARTICLE})
    assert draft.engine == "extractive"
    assert draft.notice is not None
    assert notice in draft.notice
    assert draft.notice.endswith("this answer was found without it.")
    assert "sk-loopback" not in draft.notice
    assert time.perf_counter() - began < 15


def test_a_server_that_hangs_is_given_up_in_time(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(address, "hang", monkeypatch, timeout=1)
    began = time.perf_counter()
    draft = engine.draft("q?", HITS, {"ferry": ARTICLE})
    assert time.perf_counter() - began < 4
    assert draft.notice is not None
    assert "did not answer" in draft.notice


def test_an_unreachable_server_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    draft = make_engine("http://127.0.0.1:9", "v1", monkeypatch).draft(
        "q?", HITS, {"ferry": ARTICLE}
    )
    assert draft.notice == "The chat model cannot be reached; this answer was found without it."


def test_an_answer_cut_off_by_the_server_shows_nothing_unsupported(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = make_engine(address, "cut", monkeypatch).draft("q?", HITS, {"ferry": ARTICLE})
    assert all(statement.evidence for statement in draft.statements)
