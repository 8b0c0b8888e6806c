"""What REST, MCP and the Gradio endpoint share: whom to ask, about what, for whom."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from article_qa.config import Settings
from article_qa.errors import ArticleQAError, UnknownArticleError
from article_qa.language.orders import orders_note
from article_qa.types import Answer, Article, Event, Turn
from article_qa.web.schema import TurnIn, turns_of
from article_qa.web.sessions import Library, Session, Sessions
from article_qa.web.telemetry import Telemetry
from article_qa.web.upload import read_upload

if TYPE_CHECKING:
    from article_qa.bot import ArticleQA
    from article_qa.retrieval.embeddings import Progress

READERS_AT_ONCE = 2
"""Articles of visitors that are indexed at the same time; ``Settings.children_at_once`` bounds how
many are read."""


ANSWERS_AT_ONCE = 16
"""Questions answered at the same time by each way in; others wait their turn. Enough that some slow
answers of a chat model do not hold up others."""


@dataclass(frozen=True)
class Asked:
    """A question as it came in.

    Args:
        question: what is asked.
        way: how it came in, for the log.
        article_ids: only in these articles, of the library or of the session; None for all.
        history: earlier answers; citations that are no slices of the articles are dropped.
        text: ask this text in place of the articles.
        session: whose own articles may be asked.
    """

    question: str
    way: str
    article_ids: Sequence[str] | None = None
    history: Sequence[TurnIn] = ()
    text: str | None = None
    session: Session | None = None


class Service:
    """The library and its visitors, behind every way in.

    Args:
        library: the shared articles.
        sessions: the visitors.
        settings: None for the defaults.
        telemetry: None counts for itself.
    """

    def __init__(
        self,
        library: Library,
        sessions: Sessions | None = None,
        *,
        settings: Settings | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        self.library = library
        self.sessions = Sessions() if sessions is None else sessions
        self.settings = settings or Settings()
        self.telemetry = telemetry or Telemetry(sessions=self.sessions.__len__)
        self._reading = threading.BoundedSemaphore(READERS_AT_ONCE)

    def ask(self, asked: Asked) -> Answer:
        """Answer a question.

        Raises:
            ArticleQAError: an unknown article, an unreadable text, models that cannot be loaded.
        """
        *_, last = self.stream(asked)
        return cast(Answer, last.answer)

    def stream(self, asked: Asked) -> Iterator[Event]:
        """Do what ``ask`` does, in events; errors of the request come before the first event."""
        began = time.perf_counter()
        try:
            qa, history, ids = self._resolved(asked)
        except Exception as error:
            self.telemetry.failed(asked.way, error, time.perf_counter() - began)
            raise
        events = qa.stream(asked.question, history=history, article_ids=ids)
        return self.telemetry.watch(asked.way, events)

    def articles(self, session: Session | None = None) -> list[tuple[Article, bool]]:
        """List what can be asked, and whether it is the session's own."""
        shared = [(article, False) for article in self.library.opened.result().articles]
        return (
            shared + [(article, True) for article in session.own_articles()] if session else shared
        )

    def article(self, id: str, session: Session | None = None) -> tuple[Article, bool]:
        """Return an article that this visitor may see.

        Raises:
            UnknownArticleError: there is none of this id.
        """
        for article, own in self.articles(session):
            if article.id == id:
                return article, own
        raise UnknownArticleError(f"No article {id[:100]!r} is open here; see /v1/articles.")

    def add(
        self,
        session: Session,
        name: str,
        content: str | bytes,
        *,
        way: str,
        progress: Progress | None = None,
        read: Callable[[Article], None] | None = None,
    ) -> Article:
        """Read and index an article for a session alone.

        Args:
            session: whose it will be.
            name: the file's name, a label only; its suffix says what it is.
            content: a text, or a file's bytes.
            way: how it came in, for the log.
            progress: called with (texts embedded, texts in all); what it raises ends the work.
            read: called with the article as soon as it can be read, before it is indexed.

        Raises:
            ArticleError: it cannot be read.
            LimitError: there is no room.
        """
        began = time.perf_counter()
        try:
            taken = {article.id for article, _ in self.articles(session)}
            article = read_upload(name, content, taken, self.settings)
            if note := orders_note(article):
                article = replace(article, notes=(*article.notes, note))
            with self._reading:
                self.sessions.make_room(len(article.text))
                if read:
                    read(article)
                session.bring(self.library.ready.result().with_articles([article], progress))
        except ArticleQAError:
            self.telemetry.uploaded(way, None, time.perf_counter() - began)
            raise
        self.telemetry.uploaded(way, len(article.text), time.perf_counter() - began)
        return article

    def remove(self, session: Session, id: str) -> None:
        """Forget one of a session's own articles.

        Raises:
            UnknownArticleError: the session has none of this id.
        """
        if session.own.pop(id, None) is None:
            raise UnknownArticleError(f"This session has no article {id[:100]!r} of its own.")

    def _resolved(self, asked: Asked) -> tuple[ArticleQA, tuple[Turn, ...], list[str] | None]:
        """Return whom to ask, in the light of which turns, and about which of its articles."""
        keep = self.settings.history_turns
        if asked.text is not None:
            article = read_upload("text", asked.text, set(), self.settings)
            with self._reading:
                qa = self.library.ready.result().with_articles([article])
            return qa, turns_of(asked.history, {article.id: article}, keep=keep), None
        known = {article.id: article for article, _ in self.articles(asked.session)}
        if unknown := [id for id in asked.article_ids or () if id not in known]:
            raise UnknownArticleError(
                f"No article {unknown[0][:100]!r} is open here; see /v1/articles."
            )
        qa, ids = self._scope(asked.article_ids, asked.session)
        return qa, turns_of(asked.history, known, keep=keep), ids

    def _scope(
        self, article_ids: Sequence[str] | None, session: Session | None
    ) -> tuple[ArticleQA, list[str] | None]:
        """Return whom to ask: each own article has an index of its own, the library shares one."""
        own = session.own if session else {}
        wanted = [id for id in article_ids or () if id in own]
        if len(wanted) > 1 or (wanted and len(wanted) < len(article_ids or ())):
            raise UnknownArticleError(
                "An article of your own is asked alone: name it as the only one of article_ids."
            )
        if wanted:
            return own[wanted[0]], None
        return self.library.ready.result(), None if article_ids is None else list(article_ids)
