"""The page and its named API, wired: layout from files, logic from the engine.

One ``gr.HTML`` component holds the whole page. Its script triggers Gradio events (``ask``,
``bring``, ``stop``, ``renew``) and calls a server function; answers come back as properties that
the script watches. Each property carries the full state of what it shows, so a lost update does no
harm. What is asked comes as a string: "" for every article, else an id on each line.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from fastapi import FastAPI

from article_qa.config import Settings
from article_qa.errors import (
    ArticleError,
    ArticleQAError,
    FeedbackError,
    HistoryError,
    LimitError,
    SessionExpiredError,
    UnknownArticleError,
)
from article_qa.reading.article import SUFFIXES
from article_qa.types import Answer, Article, Citation, Event, Span, Turn
from article_qa.web import render
from article_qa.web.arrivals import Arrival
from article_qa.web.feedback import Feedback
from article_qa.web.glance import glance
from article_qa.web.pictures import Pictures
from article_qa.web.schema import read_history, turns_of
from article_qa.web.service import ANSWERS_AT_ONCE, Asked, Service
from article_qa.web.sessions import (
    MAX_OWN_ARTICLES,
    MAX_OWN_CHARS,
    MAX_TURNS,
    Library,
    Session,
)
from article_qa.web.suggest import Suggestions
from article_qa.web.upload import MAX_FILE_BYTES
from article_qa.web.words import Words, languages, words_in

if TYPE_CHECKING:
    from article_qa.bot import ArticleQA

MAX_VERDICTS = 100
"""Verdicts stored of one visitor."""
PAINT_SECONDS = 0.06
"""Streamed words are sent this often; more is not seen."""
SUGGESTED = 4
FOLLOW_UPS = 3
FOLLOW_SECONDS = 3.0
"""Longest wait for them; an answer is read meanwhile."""
MAX_SELECTED = 2000
"""Characters of selected words that a question may be about."""
MAX_NAME = 200
SCRIPTS = ("base.js", "kept.js", "article.js", "sources.js", "talks.js", "page.js")
"""The page's script, in the order in which its parts need each other."""

log = logging.getLogger(__name__)


class Page:
    """What the page's events call; every method returns what the script understands."""

    def __init__(
        self,
        library: Library,
        *,
        settings: Settings | None = None,
        feedback: Feedback | None = None,
        service: Service | None = None,
        sources: str | Path | None = None,
    ) -> None:
        self.service = service or Service(library, settings=settings)
        self.library = self.service.library
        self.settings = self.service.settings
        self.sessions = self.service.sessions
        self.telemetry = self.service.telemetry
        self.feedback = feedback or Feedback()
        self.suggestions = Suggestions()
        self.pictures = Pictures(sources, self.settings)
        self._busy: set[tuple[str, int]] = set()
        self._arrivals: dict[tuple[str, object], Arrival] = {}

    # Opening and closing

    async def opened(self, request: gr.Request) -> dict[str, Any]:
        """Start a session as soon as there is an article to show."""
        try:
            qa = await asyncio.shield(asyncio.wrap_future(self.library.opened))
        except Exception as error:
            return _show(opened={"error": _calm(error)})
        client = getattr(request, "client", None)
        try:
            session = self.sessions.open(request.session_hash or "", client.host if client else "")
        except LimitError as error:
            return _show(opened={"error": _calm(error)})
        articles = qa.articles
        return _show(
            opened={
                "session": session.key,
                "articles": self._choices(session),
                "chosen": articles[0].id if len(articles) == 1 else "",
                "article": self._shown(session, articles[0]) if articles else None,
                "limits": {
                    "question": self.settings.max_question_chars,
                    "file": MAX_FILE_BYTES,
                    "text": MAX_OWN_CHARS,
                },
            }
        )

    def closed(self, request: gr.Request) -> None:
        """Forget a visitor whose window is closed."""
        for key, article in self.sessions.close(request.session_hash or ""):
            self.suggestions.forget(article)
            self.pictures.forget(key, article.id)

    # Asking

    def ask(self, event: gr.EventData) -> Iterator[dict[str, Any]]:
        """Answer a question, showing words as they come.

        Something is said at once, so that the page can tell slow from lost.
        """
        data = _sent(event)
        number = int(data.get("turn") or 0)
        busy = (str(data.get("session")), number)
        words = words_in(data.get("language"))

        def turn(html: str, **more: Any) -> dict[str, Any]:
            return _show(turn={"turn": number, "html": html, "done": False} | more)

        def failed(error: Exception) -> dict[str, Any]:
            line = _calm(error)
            html = f'<p class="reason">{render.escape(line)}</p>'
            lost = isinstance(error, SessionExpiredError)
            return turn(html, done=True, failed=line, expired=lost)

        try:
            session = self.sessions.get(data.get("session"))
            self._busy.add(busy)
            yield turn(_wait(words["reading" if self.library.ready.done() else "loading"]))
            asked = self._scope(session, data.get("scope"))
            question = str(data.get("question", ""))
            history = [] if data.get("alone") else list(session.turns.values())
            history += self._pointed(session, data.get("about"))
            said, painted, answer = "", 0.0, None
            for step in self.telemetry.watch("page", _events(asked, question, history)):
                if step.answer is not None:
                    answer = step.answer
                    continue
                said += step.text
                if time.monotonic() - painted > PAINT_SECONDS:
                    painted = time.monotonic()
                    yield turn(f'<p class="said draft" dir="auto">{render.escape(said)}</p>')
            if answer is None:
                raise RuntimeError("the engine ended its stream without an answer")
            private = any(qa in session.own.values() for qa, _ in asked)
            session.remember(number, Turn(question, answer), private=private)
            titles = {
                a.id: session.title(a)
                for qa, ids in asked
                for a in qa.articles
                if ids is None or a.id in ids
            }
            yield turn(
                render.answer_html(answer, titles, rateable=not private, words=words),
                done=True,
                copy=render.answer_text(answer, titles),
                say=_spoken(answer, words),
                cited=bool(answer.citations),
                answer=_kept(answer),
            )
        except Exception as error:
            yield failed(error)
        finally:
            self._busy.discard(busy)

    def _scope(self, session: Session, scope: object) -> list[tuple[ArticleQA, list[str] | None]]:
        """Return whom to ask about what: each own article has an index of its own.

        Raises:
            UnknownArticleError: an article is not open any more.
        """
        qa = self.library.ready.result()
        library = [article.id for article in qa.articles]
        wanted = str(scope).split("\n") if scope else [*library, *session.own]
        if not set(wanted) <= {*library, *session.own}:
            raise UnknownArticleError(_CLOSED)
        shared = [id for id in library if id in wanted]
        own: list[tuple[ArticleQA, list[str] | None]] = [
            (session.own[id], None) for id in session.own if id in wanted
        ]
        if own and not shared:
            return own
        return [(qa, None if shared == library else shared), *own]

    def _pointed(self, session: Session, about: object) -> list[Turn]:
        """Return selected words as a turn, for 'he' and 'this' in the question to point at."""
        if not isinstance(about, dict):
            return []
        _, article = self._find({"session": session.key, "id": about.get("id")})
        start, end = int(about.get("start", 0)), int(about.get("end", 0))
        if not 0 <= start < end <= len(article.text):
            return []
        quote = article.text[start : min(end, start + MAX_SELECTED)]
        cited = Citation(1, article.id, start, start + len(quote), quote)
        return [Turn("", Answer("", quote, quote, "answered", None, 1.0, (cited,), ()))]

    # A visitor's own articles

    def bring(self, event: gr.EventData) -> Iterator[dict[str, Any]]:
        """Read and index a visitor's text or file, saying how far it is."""
        data = _sent(event)
        key = data.get("key")
        again = data.get("again")  # what it was called before the page was loaded anew

        def told(**more: Any) -> dict[str, Any]:
            return _show(brought={"key": key, "again": again} | more)

        mine: tuple[str, object] = ("", None)
        try:
            session = self.sessions.get(data.get("session"))
            if len(session.own) >= MAX_OWN_ARTICLES:
                raise LimitError(f"You have {MAX_OWN_ARTICLES} articles here: remove one first.")
            yield told(reading=True)
            name, content = _content(data)
            add = partial(self.service.add, session, name, content, way="page")
            mine = (session.key, key or again)
            self._arrivals[mine] = arrival = Arrival(add, lambda: bool(self._busy))
            for step in arrival.steps():
                if "readable" in step:
                    yield told(readable=self._shown(session, step["readable"]))
                elif "article" in step:
                    article = step["article"]
                else:
                    yield told(**step)
            if isinstance(content, bytes):
                self.pictures.keep(session.key, article, content)
            if data.get("title"):
                session.names[article.id] = str(data["title"])[:MAX_NAME]
            yield told(
                articles=self._choices(session),
                article=self._shown(session, article),
                note=" ".join(article.notes),
            )
        except Exception as error:
            yield told(error=_calm(error), expired=isinstance(error, SessionExpiredError))
        finally:
            self._arrivals.pop(mine, None)

    def cancel(self, data: dict[str, Any]) -> dict[str, Any]:
        """Stop reading and indexing an article."""
        session = self.sessions.get(data.get("session"))
        if arrival := self._arrivals.get((session.key, data.get("key"))):
            arrival.cancel()
        return {}

    def rename(self, data: dict[str, Any]) -> dict[str, Any]:
        """Give one of the visitor's own articles another name."""
        session = self.sessions.get(data.get("session"))
        if data.get("id") not in session.own:
            raise UnknownArticleError(_CLOSED)
        session.names[data["id"]] = str(data.get("title"))[:MAX_NAME]
        return {"articles": self._choices(session)}

    def remove(self, data: dict[str, Any]) -> dict[str, Any]:
        """Forget one of the visitor's own articles."""
        session = self.sessions.get(data.get("session"))
        _, article = self._find(data)
        self.service.remove(session, article.id)
        self.suggestions.forget(article)
        self.pictures.forget(session.key, article.id)
        return {"articles": self._choices(session)}

    # Calls that return at once

    def article(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return an article typeset."""
        session = self.sessions.get(data.get("session"))
        return self._shown(session, self._find(data)[1])

    def glance(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return what an article holds, kind by kind."""
        return {"kinds": list(glance(self._find(data)[1]).items())}

    def page(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return a page of a PDF as a picture, and where a passage stands on it."""
        session = self.sessions.get(data.get("session"))
        _, article = self._find(data)
        start, end = data.get("start"), data.get("end")
        passage = None if start is None or end is None else Span(int(start), int(end))
        return self.pictures.page(session.key, article, int(data["page"]), passage)

    def suggest(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return questions to start with."""
        qa, article = self._find(data)
        several = bool(data.get("all"))
        return {"questions": self.suggestions.first(qa, article, SUGGESTED, among_others=several)}

    def follow(self, data: dict[str, Any]) -> dict[str, Any]:
        """Return questions that lead on from an answer, or after a refusal some with an answer."""
        session = self.sessions.get(data.get("session"))
        turn = session.turns[data["turn"]]
        asked = [t.question for t in session.turns.values()]
        several = bool(data.get("all"))
        if not turn.answer.citations:
            qa, article = self._find(data)
            known = self.suggestions.first(
                qa, article, FOLLOW_UPS, asked=asked, among_others=several, timeout=FOLLOW_SECONDS
            )
            return {"questions": known}
        cited = turn.answer.citations[0]
        qa, article = self._find(data | {"id": cited.article_id})
        span = Span(cited.start, cited.end)
        following = self.suggestions.after(
            qa, article, span, asked, FOLLOW_UPS, among_others=several
        )
        return {"questions": following}

    def rate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Store a thumb up or down."""
        session = self.sessions.get(data.get("session"))
        number = data["turn"]
        if number in session.private:
            raise FeedbackError("Answers from your own article are not stored.")
        if number in session.rated or len(session.rated) >= MAX_VERDICTS:
            raise FeedbackError("A verdict on this answer is stored already.")
        turns = [t for n, t in session.turns.items() if n <= number and n not in session.private]
        library = self.library.ready.result().articles
        cited = [c.article_id for c in turns[-1].answer.citations]
        article_id = next(iter(cited), library[0].id if library else "")
        self.feedback.store(turns, article_id, str(data.get("verdict")))
        session.rated.add(number)
        return {}

    def remove_turn(self, data: dict[str, Any]) -> dict[str, Any]:
        """Forget a question and its answer."""
        session = self.sessions.get(data.get("session"))
        session.turns.pop(data.get("turn"), None)  # type: ignore[arg-type]
        return {}

    def alive(self, data: dict[str, Any]) -> dict[str, Any]:
        """Say whether a question is being worked on."""
        session = self.sessions.get(data.get("session"))
        return {"busy": (session.key, data.get("turn")) in self._busy}

    def restore(self, data: dict[str, Any]) -> dict[str, Any]:
        """Take back a conversation that the browser kept, so that it can be gone on with.

        What the browser sends is not believed: a citation that is no slice of its article is
        dropped, and no verdict on such an answer is stored.
        """
        session = self.sessions.get(data.get("session"))
        library = {a.id: a for a in self.library.opened.result().articles}
        articles = library | {a.id: a for a in session.own_articles()}
        for row in list(data.get("turns") or [])[-MAX_TURNS:]:
            try:
                turn = _restored(row["answer"], articles)
            except HistoryError:
                continue
            number, scope = int(row["turn"]), row.get("scope")
            asked = str(scope).split("\n") if scope else [*session.own]
            session.remember(number, turn, private=not set(asked) <= set(library))
            session.rated.add(number)
        return {}

    def _choices(self, session: Session) -> list[dict[str, Any]]:
        """List what this visitor can ask."""
        library = self.library.opened.result().articles
        return [{"id": a.id, "title": a.title, "sha256": a.sha256} for a in library] + [
            {"id": a.id, "title": session.title(a), "sha256": a.sha256, "own": True}
            for a in session.own_articles()
        ]

    def _shown(self, session: Session, article: Article) -> dict[str, Any]:
        """Return an article as the page shows it; its pages only if they can be drawn."""
        drawn = self.pictures.can_draw(session.key, article)
        language, direction = render.language_of(article)
        return {
            "id": article.id,
            "title": session.title(article),
            "html": render.article_html(article),
            "lang": language,
            "dir": direction,
            "pages": list(article.pages) if drawn else None,
        }

    def _find(self, data: dict[str, Any]) -> tuple[ArticleQA, Article]:
        """Return an article that this visitor may see, and whom to ask about it."""
        session = self.sessions.get(data.get("session"))
        wanted = data.get("id")
        qa = session.own.get(str(wanted)) or self.library.opened.result()
        for article in qa.articles:
            if article.id == wanted:
                return qa, article
        raise UnknownArticleError(_CLOSED)

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
            turns = read_history(history)
            asked = Asked(str(question or ""), way="gradio", history=turns)
            return self.service.ask(asked).to_dict()
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


_CLOSED = "This article is no longer open. Choose one above."
_RANKS = {"answered": 2, "unsure": 1}


def _events(
    asked: list[tuple[ArticleQA, list[str] | None]], question: str, history: list[Turn]
) -> Iterator[Event]:
    """Answer a question; of several answers from several indexes the surest is given."""
    if len(asked) == 1:
        qa, ids = asked[0]
        yield from qa.stream(question, history=history, article_ids=ids)
        return
    answers = [qa.ask(question, history=history, article_ids=ids) for qa, ids in asked]
    best = max(answers, key=lambda answer: (_RANKS.get(answer.status, 0), answer.confidence))
    yield Event("answer", answer=replace(best, seconds=sum(a.seconds for a in answers)))


def _wait(words: str) -> str:
    return f'<p class="wait"><span></span>{words}</p>'


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
    except SessionExpiredError as error:
        return {"error": _calm(error), "expired": True}
    except Exception as error:
        return {"error": _calm(error)}


def _sent(event: gr.EventData) -> dict[str, Any]:
    """Return what the script sent with an event."""
    try:
        return dict(event.sent)
    except (AttributeError, TypeError, ValueError):  # not sent by the page
        return {}


def _kept(answer: Answer) -> dict[str, Any]:
    """Return an answer as the browser keeps it and ``restore`` takes it back."""
    row = answer.to_dict()
    del row["hits"]
    return row


def _restored(row: object, articles: Mapping[str, Article]) -> Turn:
    """Make a turn of what the browser kept.

    Raises:
        HistoryError: it is not what was given.
    """
    (turn,) = turns_of(read_history([row]), articles, keep=1)
    given = row if isinstance(row, dict) else {}
    if given.get("status") == "unsure" and not turn.answer.refused:
        turn = replace(turn, answer=replace(turn.answer, status="unsure"))
    sure = given.get("confidence")
    if isinstance(sure, int | float) and 0 <= sure <= 1:
        turn = replace(turn, answer=replace(turn.answer, confidence=float(sure)))
    return turn


def _spoken(answer: Answer, words: Words) -> str:
    """Return an answer as a screen reader should announce it."""
    if answer.refused:
        return words["does not say"]
    return f"{answer.plain} ({words['count of citations'].format(len(answer.citations))})"


def _content(data: dict[str, Any]) -> tuple[str, str | bytes]:
    """Return the name and content of what a visitor sent.

    Raises:
        ArticleError: a file that is not whole.
    """
    name = str(data.get("name") or "your text")
    if data.get("data") is None:
        return name, str(data.get("text", ""))
    try:
        return name, base64.b64decode(str(data["data"]), validate=True)
    except binascii.Error:
        raise ArticleError("The file did not arrive whole. Send it again.") from None


def build(
    source: ArticleQA | Callable[[], ArticleQA] | Service,
    *,
    settings: Settings | None = None,
    feedback: str | Path | None = "feedback/feedback.jsonl",
    sources: str | Path | None = None,
) -> gr.Blocks:
    """Return the page as a Gradio app, not yet served.

    Args:
        source: an ``ArticleQA``, or a function that loads one; it runs in a thread of its own while
            the page is already up, and a question asked meanwhile waits. Or the service that the
            page shares with the other ways in.
        settings: for the limits shown; None for the defaults.
        feedback: file that thumbs up and down are appended to; None to store none.
        sources: folder of the library's files, for drawing the pages of its PDFs.
    """
    service = source if isinstance(source, Service) else Service(Library(source), settings=settings)
    page = Page(service.library, service=service, feedback=Feedback(feedback), sources=sources)
    offered = (
        page.article,
        page.glance,
        page.page,
        page.suggest,
        page.follow,
        page.rate,
        page.cancel,
        page.rename,
        page.remove,
        page.remove_turn,
        page.alive,
        page.restore,
    )
    calls = {method.__name__: method for method in offered}

    def call(data: dict[str, Any]) -> dict[str, Any]:
        """Do what the page's script asks for outside the queue."""
        return _guarded(lambda: calls[data["do"]](data))

    with gr.Blocks(title="Article QA", analytics_enabled=False, fill_width=True) as blocks:
        whole = gr.HTML(
            html_template=_asset("page.html").replace("@suffixes@", ", ".join(SUFFIXES)),
            js_on_load=_script(),
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
        whole.renew(page.opened, None, whole, concurrency_limit=None, **quiet)
        whole.bring(page.bring, None, whole, concurrency_limit=2, **quiet)
        whole.stop(None, None, None, cancels=[asking], **quiet)
        blocks.unload(page.closed)
        gr.api(page.api_ask, api_name="ask", concurrency_limit=ANSWERS_AT_ONCE)
        gr.api(page.api_articles, api_name="articles")
    return blocks


def mount(app: FastAPI, blocks: gr.Blocks) -> None:
    """Put the page into an app, at its root; what else the app serves must be in it already."""
    blocks.queue(default_concurrency_limit=8, max_size=500)
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        show_error=True,
        max_file_size=0,
        theme=gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
        head=f"<style>{_asset('page.css')}</style>",  # css= would be rewritten
        favicon_path=str(files("article_qa.web") / "favicon.svg"),
    )


def _script() -> str:
    """Return the page's script, with the interface's words before it."""
    return f"const WORDS = {json.dumps(languages())};\n" + "".join(map(_asset, SCRIPTS))


def _asset(name: str) -> str:
    return (files("article_qa.web") / name).read_text(encoding="utf-8")
