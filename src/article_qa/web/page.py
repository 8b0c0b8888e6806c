"""The page and its named API, wired: layout from files, logic from the engine.

One ``gr.HTML`` component holds the whole page. Its script triggers Gradio events (``ask``,
``bring``, ``stop``) and calls a server function; answers come back as properties that the script
watches. Each property carries the full state of what it shows, so a lost update does no harm.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import importlib.util
import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from article_qa.config import Settings
from article_qa.errors import ArticleError, ArticleQAError
from article_qa.reading.article import parse_article, read_article, read_articles
from article_qa.types import Answer, Article, Citation, Span, Turn
from article_qa.web import render
from article_qa.web.feedback import Feedback
from article_qa.web.sessions import MAX_OWN_CHARS, Library, Session, Sessions
from article_qa.web.suggest import Suggestions

if TYPE_CHECKING:
    from article_qa.bot import ArticleQA

MAX_FILE_BYTES = 10_000_000
"""A file a visitor may bring: a long PDF; its text is limited again by ``MAX_OWN_CHARS``."""
PAINT_SECONDS = 0.06
"""Streamed words are sent this often; more is not seen."""
ANSWERS_AT_ONCE = 16
"""Questions answered at the same time: enough that some slow chat answers do not hold up others."""
SUGGESTED = 4
FOLLOW_UPS = 3

log = logging.getLogger(__name__)


class Page:
    """What the page's events call; every method returns what the script understands."""

    def __init__(
        self,
        library: Library,
        *,
        settings: Settings | None = None,
        feedback: Feedback | None = None,
    ) -> None:
        self.library = library
        self.settings = settings or Settings()
        self.feedback = feedback or Feedback()
        self.sessions = Sessions()
        self.suggestions = Suggestions()

    # Opening and closing

    async def opened(self, request: gr.Request) -> dict[str, Any]:
        """Start a session as soon as there is an article to show."""
        try:
            qa = await asyncio.shield(asyncio.wrap_future(self.library.opened))
        except Exception as error:
            return _show(opened={"error": _calm(error)})
        session = self.sessions.open(request.session_hash or "")
        articles = qa.articles
        return _show(
            opened={
                "session": session.key,
                "articles": _choices(qa, session),
                "chosen": articles[0].id if len(articles) == 1 else "",
                "article": _article(articles[0]) if articles else None,
                "limits": {
                    "question": self.settings.max_question_chars,
                    "file": MAX_FILE_BYTES,
                    "text": MAX_OWN_CHARS,
                },
            }
        )

    def closed(self, request: gr.Request) -> None:
        """Forget a visitor whose window is closed."""
        for article in self.sessions.close(request.session_hash or ""):
            self.suggestions.forget(article)

    # Asking

    def ask(self, event: gr.EventData) -> Iterator[dict[str, Any]]:
        """Answer a question, showing words as they come."""
        data = event._data or {}
        number = int(data.get("turn") or 0)

        def turn(html: str, **more: Any) -> dict[str, Any]:
            return _show(turn={"turn": number, "html": html, "done": False} | more)

        def failed(error: Exception) -> dict[str, Any]:
            line = _calm(error)
            html = f'<p class="reason">{render.escape(line)}</p>'
            return turn(html, done=True, copy=line, say=line, cited=False)

        try:
            session = self.sessions.get(data.get("session"))
            if not self.library.ready.done():
                yield turn(_WAITING)
            qa, articles = self._scope(session, data.get("scope"))
            question = str(data.get("question", ""))
            history = list(session.turns.values())
            said, painted, answer = "", 0.0, None
            for step in qa.stream(question, history=history, article_ids=articles):
                if step.answer is not None:
                    answer = step.answer
                    continue
                said += step.text
                if time.monotonic() - painted > PAINT_SECONDS:
                    painted = time.monotonic()
                    yield turn(f'<p class="said draft" dir="auto">{render.escape(said)}</p>')
            if answer is None:
                raise RuntimeError("the engine ended its stream without an answer")
            private = data.get("scope") in session.own
            session.remember(number, Turn(question, answer), private=private)
            titles = {a.id: a.title for a in qa.articles if articles is None or a.id in articles}
            yield turn(
                render.answer_html(answer, titles, rateable=not private),
                done=True,
                copy=render.answer_text(answer, titles),
                say=_spoken(answer),
                cited=bool(answer.citations),
            )
        except Exception as error:
            yield failed(error)

    def _scope(self, session: Session, scope: object) -> tuple[ArticleQA, list[str] | None]:
        """Return whom to ask: the visitor's own article, or the library or one article of it."""
        if isinstance(scope, str) and scope in session.own:
            return session.own[scope], None
        qa = self.library.ready.result()
        if not scope:
            return qa, None
        if scope not in {article.id for article in qa.articles}:
            raise ArticleError("This article is no longer open. Choose one above.")
        return qa, [str(scope)]

    # A visitor's own article

    def bring(self, event: gr.EventData) -> Iterator[dict[str, Any]]:
        """Read and index a visitor's text or file, saying what is being done."""
        data = event._data or {}
        try:
            session = self.sessions.get(data.get("session"))
            yield _show(brought={"work": "Reading"})
            taken = {a.id for a in self.library.opened.result().articles} | set(session.own)
            article = _own_article(data, taken)
            self.sessions.make_room(len(article.text))
            yield _show(brought={"work": f"Indexing {len(article.sentences):,} sentences"})
            qa = self.library.ready.result()
            session.bring(qa.with_articles([article]))
            yield _show(
                brought={
                    "articles": _choices(qa, session),
                    "article": _article(article),
                    "note": " ".join(article.notes),
                }
            )
        except Exception as error:
            yield _show(brought={"error": _calm(error)})

    # Calls that return at once

    def article(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return an article typeset."""
        return _article(self._find(data)[1])

    def suggest(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return questions to start with."""
        qa, article = self._find(data)
        several = bool(data.get("all"))
        return {"questions": self.suggestions.first(qa, article, SUGGESTED, among_others=several)}

    def follow(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return questions that lead on from an answer."""
        session = self.sessions.get(data.get("session"))
        turn = session.turns[data["turn"]]
        if not turn.answer.citations:
            return {"questions": []}
        cited = turn.answer.citations[0]
        qa, article = self._find(data | {"id": cited.article_id})
        asked = [t.question for t in session.turns.values()]
        span = Span(cited.start, cited.end)
        several = bool(data.get("all"))
        following = self.suggestions.after(
            qa, article, span, asked, FOLLOW_UPS, among_others=several
        )
        return {"questions": following}

    def rate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Store a thumb up or down."""
        session = self.sessions.get(data.get("session"))
        number = data["turn"]
        if number in session.private:
            raise ArticleError("Answers from your own article are not stored.")
        turns = [t for n, t in session.turns.items() if n <= number and n not in session.private]
        library = self.library.ready.result().articles
        cited = [c.article_id for c in turns[-1].answer.citations]
        article_id = next(iter(cited), library[0].id if library else "")
        self.feedback.store(turns, article_id, str(data.get("verdict")))
        return {}

    def export(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return the conversation as a file."""
        session = self.sessions.get(data.get("session"))
        articles = [*self.library.opened.result().articles, *session.own_articles()]
        turns = list(session.turns.values())
        if data.get("format") == "json":
            text = render.conversation_json(turns, articles)
            return {"name": "conversation.json", "type": "application/json", "text": text}
        text = render.conversation_markdown(turns, {a.id: a.title for a in articles})
        return {"name": "conversation.md", "type": "text/markdown", "text": text}

    def _find(self, data: dict[str, Any]) -> tuple[ArticleQA, Article]:
        """Return an article that this visitor may see, and whom to ask about it."""
        session = self.sessions.get(data.get("session"))
        wanted = data.get("id")
        qa = session.own.get(str(wanted)) or self.library.opened.result()
        for article in qa.articles:
            if article.id == wanted:
                return qa, article
        raise ArticleError("This article is no longer open. Choose one above.")

    # The named API

    def api_ask(self, question: str, history: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """Answer a question about the articles; every statement cites an exact passage.

        Args:
            question: what to answer, up to 2,000 characters.
            history: earlier results of this endpoint, oldest first, so that 'Who is he?' is
                understood; leave it out for a first question.

        Returns:
            question, text (with markers such as [1]), plain (without), refused, reason, confidence
            (0 to 1), citations (number, article_id, start, end, quote), nearest, hits,
            understood_as, notice, usage, engine.
        """
        try:
            qa = self.library.ready.result()
            articles = {article.id: article for article in qa.articles}
            turns = [_turn(item, articles) for item in history or ()]
            return qa.ask(str(question or ""), history=turns).to_dict()
        except ArticleQAError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def api_articles(self) -> list[dict[str, Any]]:
        """List the articles that can be asked.

        Returns:
            For each article its id, title, number of characters and sha256 of its text.
        """
        return [
            {"id": a.id, "title": a.title, "characters": len(a.text), "sha256": a.sha256}
            for a in self.library.opened.result().articles
        ]


_WAITING = '<p class="wait"><span></span>The models are still loading; your question is next.</p>'


def _show(**properties: Any) -> dict[str, Any]:
    """Return an update of what the script watches."""
    return dict(gr.update(**properties))


def _calm(error: Exception) -> str:
    """Return an error as one line for a person; what is not on purpose goes to the log."""
    if isinstance(error, ArticleQAError):
        return " ".join(str(error).split())
    log.error("unexpected error on the page", exc_info=error)
    return "Something went wrong here. The server's log has the details; try again."


def _guarded(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return work()
    except Exception as error:
        return {"error": _calm(error)}


def _article(article: Article) -> dict[str, str]:
    return {"id": article.id, "title": article.title, "html": render.article_html(article)}


def _choices(qa: ArticleQA, session: Session) -> list[dict[str, Any]]:
    library = [{"id": a.id, "title": a.title} for a in qa.articles]
    return library + [{"id": a.id, "title": a.title, "own": True} for a in session.own_articles()]


def _spoken(answer: Answer) -> str:
    """Return an answer as a screen reader should announce it."""
    if answer.refused:
        return "The article does not say."
    count = len(answer.citations)
    return f"{answer.plain} ({count} citation{'' if count == 1 else 's'})"


def _own_article(data: dict[str, Any], taken: set[str]) -> Article:
    """Read what a visitor sent, under an id that nothing else has.

    The file's bytes come with the event and are never written to the disk.

    Raises:
        ArticleError: too large, or not readable as an article.
    """
    name = Path(str(data.get("name") or "your text"))
    slug = re.sub(r"[^a-z0-9]+", "-", name.stem.casefold()).strip("-")[:40] or "article"
    id = next(f"own-{slug}-{n}" for n in range(1, len(taken) + 2) if f"own-{slug}-{n}" not in taken)
    if data.get("data") is None:
        text = str(data.get("text", ""))
        if len(text) > MAX_OWN_CHARS:
            raise ArticleError(
                f"A text may have up to {MAX_OWN_CHARS:,} characters; this one has {len(text):,}."
            )
        return parse_article(text.replace("\r\n", "\n").replace("\r", "\n"), id=id)
    try:
        content = base64.b64decode(str(data["data"]), validate=True)
    except binascii.Error:
        raise ArticleError("The file did not arrive whole. Send it again.") from None
    if len(content) > MAX_FILE_BYTES:
        raise ArticleError(
            f"A file may have up to {MAX_FILE_BYTES // 1_000_000} MB; this one has "
            f"{len(content) / 1e6:.1f} MB."
        )
    return replace(read_article((name.name, content), id=id), source=None)


def _turn(item: dict[str, Any], articles: dict[str, Article]) -> Turn:
    """Return an earlier exchange as sent by an API client; its citations are cut anew.

    Raises:
        ArticleError: it is not what ``/ask`` returned.
    """
    try:
        citations = []
        for c in item.get("citations", ()):
            text, start, end = articles[c["article_id"]].text, int(c["start"]), int(c["end"])
            if not 0 <= start < end <= len(text):
                raise ValueError(f"offsets {start}..{end} outside the article")
            focus = tuple(Span(int(a), int(b)) for a, b in c.get("focus", ()))
            citations.append(
                Citation(int(c["number"]), c["article_id"], start, end, text[start:end], focus)
            )
        answer = Answer(
            question=str(item["question"]),
            text=str(item["text"]),
            plain=str(item["plain"]),
            refused=bool(item["refused"]),
            reason=None,
            confidence=0.0,
            citations=tuple(citations),
            hits=(),
            understood_as=item.get("understood_as"),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ArticleError(
            f"history must hold earlier results of /ask, as they were returned: {error!r}"
        ) from error
    return Turn(answer.question, answer)


class _Blocks(gr.Blocks):  # type: ignore[misc]
    """Blocks whose endpoints may be called over plain HTTP without their optional arguments."""

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], *args: Any, **more: Any
    ) -> list[Any]:
        """Fill up missing arguments with None, as gradio's own clients do with defaults."""
        inputs = [*inputs, *[None] * (len(block_fn.inputs) - len(inputs))]
        return list(await super().preprocess_data(block_fn, inputs, *args, **more))


def build(
    source: ArticleQA | Callable[[], ArticleQA],
    *,
    settings: Settings | None = None,
    feedback: str | Path | None = "feedback/feedback.jsonl",
) -> gr.Blocks:
    """Return the page as a Gradio app, not yet served.

    Args:
        source: an ``ArticleQA``, or a function that loads one; it runs in a thread of its own while
            the page is already up, and a question asked meanwhile waits.
        settings: for the limits shown; None for the defaults.
        feedback: file that thumbs up and down are appended to; None to store none.
    """
    page = Page(Library(source), settings=settings, feedback=Feedback(feedback))
    offered = (page.article, page.suggest, page.follow, page.rate, page.export)
    calls = {method.__name__: method for method in offered}

    def call(data: dict[str, Any]) -> dict[str, Any]:
        """Do what the page's script asks for outside the queue."""
        return _guarded(lambda: calls[data["do"]](data))

    with _Blocks(title="Article QA", analytics_enabled=False, fill_width=True) as blocks:
        whole = gr.HTML(
            html_template=_asset("page.html"),
            js_on_load=_asset("page.js"),
            apply_default_css=False,
            server_functions=[call],
            opened=None,
            turn=None,
            brought=None,
        )
        quiet: dict[str, Any] = {
            "show_progress": "hidden",
            "api_visibility": "private",
            "trigger_mode": "multiple",  # or gradio drops a question asked as the last one ends
        }
        blocks.load(page.opened, None, whole, concurrency_limit=None, **quiet)
        asking = whole.ask(
            page.ask, None, whole, concurrency_limit=ANSWERS_AT_ONCE, api_name="page_ask", **quiet
        )
        whole.bring(page.bring, None, whole, concurrency_limit=2, **quiet)
        whole.stop(None, None, None, cancels=[asking], **quiet)
        blocks.unload(page.closed)
        gr.api(page.api_ask, api_name="ask", concurrency_limit=ANSWERS_AT_ONCE)
        gr.api(page.api_articles, api_name="articles")
    return blocks


def launch(
    index_dir: str | Path = "index",
    host: str = "127.0.0.1",
    port: int | None = None,
    chat_model: Any = None,
    open_browser: bool = True,
    *,
    settings: Settings | None = None,
    feedback: str | Path | None = "feedback/feedback.jsonl",
    seeds: str | Path | None = None,
    wait: bool = True,
) -> tuple[gr.Blocks, str]:
    """Serve the page.

    Args:
        index_dir: the built index.
        host: address to listen on; "0.0.0.0" for other machines.
        port: None for 7860 or the next that is free.
        chat_model: name or model for LangChain; None for the built-in reader.
        open_browser: show the page in the default browser.
        settings: None for the defaults.
        feedback: file for thumbs up and down; None to store none.
        seeds: the folder the index is made of; where they differ, the log says so.
        wait: serve until interrupted; False returns at once.

    Returns:
        The app and its address, when it no longer serves (or at once, with ``wait`` False).
    """

    def load() -> ArticleQA:
        from article_qa.bot import ArticleQA

        qa = ArticleQA.load(index_dir, settings, chat_model=chat_model)
        if seeds is not None and Path(seeds).is_dir():
            compare(qa, index_dir, seeds)
        return qa

    blocks = build(load, settings=settings, feedback=feedback)
    return blocks, serve(blocks, host=host, port=port, open_browser=open_browser, wait=wait)


def compare(qa: ArticleQA, index_dir: str | Path, seeds: str | Path) -> None:
    """Warn, in the log, of an index that does not hold what the folder of its articles holds."""
    try:
        there = {(article.id, article.sha256) for article in read_articles([seeds])}
    except ArticleQAError as error:
        log.warning("%s", error)
        return
    if there != {(article.id, article.sha256) for article in qa.articles}:
        log.warning(
            "%s does not hold what %s holds; to make it anew: article-qa index", index_dir, seeds
        )


def serve(
    blocks: gr.Blocks,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    open_browser: bool = False,
    wait: bool = True,
) -> str:
    """Serve a page that ``build`` made; return its address.

    The MCP server is on where the package ``mcp`` is installed.
    """
    _, address, _ = blocks.queue(default_concurrency_limit=8, max_size=500).launch(
        server_name=host,
        server_port=port,
        inbrowser=open_browser,
        prevent_thread_lock=True,
        footer_links=[],
        quiet=True,
        share=False,
        ssr_mode=False,
        mcp_server=importlib.util.find_spec("mcp") is not None,
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        head=f"{_OWN_HOST_ONLY}<style>{_asset('page.css')}</style>",  # css= would be rewritten
        favicon_path=str(files("article_qa.web") / "favicon.svg"),
    )
    print(f"The page is at {address} (stop it with Ctrl+C)", flush=True)
    if wait:
        blocks.block_thread()
    return str(address)


_OWN_HOST_ONLY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'self\' '
    "'unsafe-inline' 'unsafe-eval' data: blob:\">"
)
"""Lets the browser itself refuse requests to other hosts; gradio needs the two 'unsafe' words."""


def _asset(name: str) -> str:
    return (files("article_qa.web") / name).read_text(encoding="utf-8")
