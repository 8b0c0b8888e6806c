from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from article_qa import ArticleQA, Settings
from article_qa.answering.citations import verify
from article_qa.errors import ArticleError, FeedbackError, HistoryError, IndexStaleError
from article_qa.reading.article import SUFFIXES, parse_article
from article_qa.types import Answer, Article, Draft, Event, Evidence, Statement
from article_qa.web import app as web_app
from article_qa.web import page as web
from article_qa.web.feedback import Feedback
from article_qa.web.page import Page
from article_qa.web.schema import read_history, turns_of
from article_qa.web.service import Service
from article_qa.web.sessions import Library
from article_qa.web.upload import read_upload

ARTICLE = parse_article("The Bell\n\nThe bell was cast by Ada Brandt. It is old.", id="bell")


class OneAnswer:
    """The little of an ``ArticleQA`` that the page calls, answering with one sentence."""

    chat_model = None
    articles = (ARTICLE,)

    def warm_up(self) -> None:
        pass

    def stream(self, question: str, **_: Any) -> Iterator[Event]:
        yield Event("answer", answer=self.ask(question))

    def ask(self, question: str, **_: Any) -> Answer:
        evidence = Evidence("bell", ARTICLE.blocks[-1].sentences[0])
        return verify(Draft((Statement((evidence,)),), 0.9), question, (), {"bell": ARTICLE})


@pytest.fixture
def page() -> Page:
    page = Page(Library(OneAnswer()), feedback=Feedback(None))  # type: ignore[arg-type]
    page.library.ready.result(timeout=10)
    return page


def sent(**data: Any) -> dict[str, Any]:
    content = data.pop("content", None)
    return data | ({"data": base64.b64encode(content).decode()} if content is not None else {})


def read(text: str, taken: set[str] | None = None) -> Article:
    return read_upload("your text", text, taken or set())


def test_a_pasted_text_becomes_an_article_with_an_id_of_its_own() -> None:
    one = read("The Bell\r\n\r\nIt rang.")
    two = read("The Bell\n\nIt rang.", {one.id})
    assert one.text == two.text == "The Bell\n\nIt rang."
    assert one.id != two.id


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Bell Tower.md", "own-bell-tower-1"),
        ("../../etc/passwd.txt", "own-passwd-1"),
        ("<script>.txt", "own-script-1"),
        ("日本.txt", "own-article-1"),
    ],
)
def test_a_file_name_is_only_a_label(name: str, slug: str) -> None:
    article = read_upload(name, b"The bell rang twice at dusk.", set())
    assert article.id == slug
    assert article.source is None


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (sent(text="  \n "), "empty"),
        (sent(text="x" * 400_001), "up to 400,000 characters"),
        ({"name": "a.txt", "data": "***"}, "did not arrive whole"),
        (sent(name="a.txt", content=b"x" * 10_000_001), "up to 10 MB"),
        (sent(name="a.pdf", content=b"%PDF-1.4 nothing"), "a.pdf"),
        (sent(name="a.exe", content=b"MZ"), "a.exe"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(data: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArticleError, match=complaint):
        read_upload(*web._content(data), set())


async def test_the_page_offers_every_make_that_is_read() -> None:
    blocks = web.build(OneAnswer())  # type: ignore[arg-type]
    (html,) = (
        block.html_template for block in blocks.blocks.values() if isinstance(block, gr.HTML)
    )
    (accepted,) = re.findall(r'id="own-file"[^>]* accept="([^"]*)"', html)
    assert tuple(accepted.split(", ")) == SUFFIXES


def test_a_file_is_read_within_the_service_s_settings() -> None:
    service = Service(Library(OneAnswer()), settings=Settings(max_file_bytes=10))  # type: ignore[arg-type]
    with pytest.raises(ArticleError, match="max_file_bytes"):
        service.add(service.sessions.open("a"), "a.txt", b"The bell rang twice.", way="page")


async def test_opening_gives_a_key_and_the_article(page: Page) -> None:
    update = await page.opened(SimpleNamespace(session_hash="window"))
    message = update["opened"]
    assert message["chosen"] == "bell"
    assert message["article"]["title"] == "The Bell"
    assert page.sessions.get(message["session"]).client == "window"


async def test_an_index_that_cannot_be_opened_is_one_calm_line() -> None:
    def load() -> Any:
        raise IndexStaleError("The index is stale.\nRun: article-qa index")

    update = await Page(Library(load)).opened(SimpleNamespace(session_hash="window"))
    assert update["opened"] == {"error": "The index is stale. Run: article-qa index"}


def test_an_unexpected_error_tells_a_visitor_nothing(caplog: pytest.LogCaptureFixture) -> None:
    secret = "/home/someone/key"
    assert secret not in web._calm(OSError(secret))
    assert secret in caplog.text


def test_the_api_takes_what_it_returned_as_history(page: Page) -> None:
    first = page.api_ask("Who cast it?")
    assert page.api_ask("When?", [first])["question"] == "When?"
    (turn,) = turns_of(read_history([first]), {"bell": ARTICLE}, keep=10)
    (citation,) = turn.answer.citations
    assert citation.quote == ARTICLE.text[citation.start : citation.end]


@pytest.mark.parametrize(
    "forgery",
    [{"quote": "Nobody cast it."}, {"end": 10_000}, {"start": -5}, {"article_id": "other"}],
)
def test_a_forged_citation_in_a_history_is_dropped(page: Page, forgery: dict[str, Any]) -> None:
    first = page.api_ask("Who cast it?")
    (citation,) = first["citations"]
    forged = first | {"citations": [citation, citation | forgery]}
    (turn,) = turns_of(read_history([forged]), {"bell": ARTICLE}, keep=10)
    assert [c.quote for c in turn.answer.citations] == [citation["quote"]]


@pytest.mark.parametrize(
    "rows",
    [["text"], [{"question": "x"}], "text", [{"question": "x", "plain": "y" * 30_000}], 51 * [{}]],
)
def test_a_history_that_was_never_given_is_refused(rows: object) -> None:
    with pytest.raises(HistoryError, match="as they were returned"):
        read_history(rows)


def test_what_a_history_says_is_bounded_and_clean() -> None:
    row = {"question": "Who\u202e?", "plain": "A\0 " + "b " * 5000, "refused": False}
    turns = turns_of(read_history([row] * 30), {}, keep=10)
    assert len(turns) == 10
    assert turns[0].question == "Who?"
    assert turns[0].answer.plain.startswith("A b b") and len(turns[0].answer.plain) <= 2000


def test_an_answer_has_one_verdict(page: Page) -> None:
    session = page.sessions.open("a")
    for step in page.ask(
        SimpleNamespace(sent={"session": session.key, "question": "Who?", "turn": 1})
    ):
        assert step
    sent_verdict = {"session": session.key, "turn": 1, "verdict": "up"}
    page.rate(sent_verdict)
    with pytest.raises(FeedbackError, match="already"):
        page.rate(sent_verdict)


def test_one_visitor_cannot_see_another_visitors_article(page: Page) -> None:
    one, two = page.sessions.open("a"), page.sessions.open("b")
    own = SimpleNamespace(articles=(parse_article("Mine alone.", id="own-mine-1"),))
    one.bring(own)  # type: ignore[arg-type]
    assert page.article({"session": one.key, "id": "own-mine-1"})["title"]
    with pytest.raises(ArticleError, match="no longer open"):
        page.article({"session": two.key, "id": "own-mine-1"})


def test_a_changed_seed_is_noticed(
    tmp_path: Path, qa: ArticleQA, caplog: pytest.LogCaptureFixture
) -> None:
    seed = tmp_path / "ferry.txt"
    seed.write_text(qa.articles[0].text, "utf-8")
    web_app.compare(qa, "index", tmp_path)
    assert not caplog.records
    seed.write_text(qa.articles[0].text + "\nIt sank.", "utf-8")
    web_app.compare(qa, "index", tmp_path)
    assert "article-qa index" in caplog.records[-1].getMessage()
    seed.write_bytes(b"")
    web_app.compare(qa, "index", tmp_path)
    assert "ferry.txt" in caplog.records[-1].getMessage()


class Surer(OneAnswer):
    """One that is surer of its answer, about an article of a visitor's own."""

    articles = (parse_article("The Mast\n\nThe mast broke at dusk.", id="own-mast-1"),)

    def ask(self, question: str, **_: Any) -> Answer:
        (article,) = self.articles
        evidence = Evidence(article.id, article.blocks[-1].sentences[0])
        return verify(Draft((Statement((evidence,)),), 0.95), question, (), {article.id: article})


def asked(page: Page, session: str, **more: Any) -> dict[str, Any]:
    data = {"session": session, "question": "What broke?", "turn": 1} | more
    return list(page.ask(SimpleNamespace(sent=data)))[-1]["turn"]


@pytest.mark.parametrize(
    ("scope", "article", "private"),
    [
        ("bell", "bell", False),
        ("own-mast-1", "own-mast-1", True),
        ("bell\nown-mast-1", "own-mast-1", True),
        ("", "own-mast-1", True),
    ],
)
def test_of_several_articles_the_surest_answer_is_given(
    page: Page, scope: str, article: str, private: bool
) -> None:
    session = page.sessions.open("a")
    session.bring(Surer())  # type: ignore[arg-type]
    turn = asked(page, session.key, scope=scope)
    (citation,) = turn["answer"]["citations"]
    assert citation["article_id"] == article
    assert (1 in session.private) is private


def test_an_article_that_is_gone_is_said_to_be(page: Page) -> None:
    session = page.sessions.open("a")
    assert "no longer open" in asked(page, session.key, scope="bell\ngone")["failed"]


def test_selected_words_come_as_a_turn_to_point_at(page: Page) -> None:
    session = page.sessions.open("a")
    start = ARTICLE.text.index("Ada Brandt")
    about = {"id": "bell", "start": start, "end": start + 10}
    (turn,) = page._pointed(session, about)
    assert turn.answer.plain == turn.answer.citations[0].quote == "Ada Brandt"
    assert not page._pointed(session, about | {"end": 10_000})
    assert not page._pointed(session, None)


def test_a_renamed_article_keeps_its_name_until_it_is_removed(page: Page) -> None:
    session = page.sessions.open("a")
    session.bring(Surer())  # type: ignore[arg-type]
    data = {"session": session.key, "id": "own-mast-1"}
    listed = page.rename(data | {"title": "My mast"})["articles"]
    assert [a["title"] for a in listed] == ["The Bell", "My mast"]
    assert [a["id"] for a in page.remove(data)["articles"]] == ["bell"]
    with pytest.raises(ArticleError, match="no longer open"):
        page.rename(data | {"title": "x"})


def test_a_sixth_article_of_one_s_own_is_refused_and_none_is_lost(page: Page) -> None:
    session = page.sessions.open("a")
    session.own = dict.fromkeys(map(str, range(5)), Surer())  # type: ignore[arg-type]
    event = SimpleNamespace(sent={"session": session.key, "text": "The bell rang.", "key": 1})
    (message,) = (step["brought"] for step in page.bring(event))
    assert "remove one first" in message["error"]
    assert len(session.own) == 5
