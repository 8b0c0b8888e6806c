"""The library that all visitors share, and what belongs to one visitor alone."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from article_qa.errors import ArticleError, ArticleQAError
from article_qa.types import Article, Turn
from article_qa.web.suggest import without_chat

if TYPE_CHECKING:
    from article_qa.bot import ArticleQA

log = logging.getLogger(__name__)

MAX_SESSIONS = 1000
"""Visitors remembered at once; the longest idle is forgotten first."""
MAX_OWN_ARTICLES = 5
"""Articles a visitor may bring; the oldest is dropped for a sixth."""
MAX_OWN_CHARS = 400_000
"""Characters of one visitor's article: a long book chapter, indexed in about half a minute."""
MAX_ALL_CHARS = 10_000_000
"""Characters of all visitors' articles together: with their vectors about 500 MB of memory."""
MAX_TURNS = 200
"""Answers kept of one conversation."""


class SessionExpiredError(ArticleQAError):
    """A visitor's session is not known here: too long idle, or the server was restarted."""

    def __init__(self) -> None:
        super().__init__("This conversation has expired. Reload the page to start a new one.")


class Library:
    """The shared articles, loaded by a thread of its own while the page is already up.

    ``opened`` is done when the articles can be shown, ``ready`` when questions can be answered.
    """

    def __init__(self, source: ArticleQA | Callable[[], ArticleQA]) -> None:
        self.opened: Future[ArticleQA] = Future()
        self.ready: Future[ArticleQA] = Future()
        threading.Thread(target=self._load, args=(source,), name="load", daemon=True).start()

    def _load(self, source: ArticleQA | Callable[[], ArticleQA]) -> None:
        try:
            qa = source() if callable(source) else source
            self.opened.set_result(qa)
            qa.warm_up()
            for article in qa.articles[:1]:
                without_chat(qa).ask(
                    article.title
                )  # the first question is the slowest: ask it here
            self.ready.set_result(qa)
            qa.embeddings.load()  # what a visitor's own article will need, and takes seconds
        except BaseException as error:
            log.error("the articles could not be opened: %s", error)
            for future in (self.opened, self.ready):
                if not future.done():
                    future.set_exception(error)


@dataclass
class Session:
    """One visitor: the conversation, and the articles that only this visitor may ask.

    Args:
        key: secret that the visitor's page sends with every call.
        client: Gradio's name for the browser window, known when it closes.
        turns: the conversation, by the number the page gave each turn.
        own: the visitor's articles by id.
        private: numbers of the turns that asked one of them.
    """

    key: str
    client: str
    turns: dict[int, Turn] = field(default_factory=dict)
    own: dict[str, ArticleQA] = field(default_factory=dict)
    private: set[int] = field(default_factory=set)

    def bring(self, qa: ArticleQA) -> None:
        """Keep an article of the visitor's own, the newest last."""
        (article,) = qa.articles
        self.own[article.id] = qa
        while len(self.own) > MAX_OWN_ARTICLES:
            del self.own[next(iter(self.own))]

    def remember(self, number: int, turn: Turn, *, private: bool = False) -> None:
        """Keep a finished turn, dropping the oldest beyond ``MAX_TURNS``."""
        self.turns[number] = turn
        if private:
            self.private.add(number)
        while len(self.turns) > MAX_TURNS:
            del self.turns[next(iter(self.turns))]

    @property
    def chars(self) -> int:
        """Characters of the visitor's own articles."""
        return sum(len(a.text) for qa in list(self.own.values()) for a in qa.articles)

    def own_articles(self) -> list[Article]:
        """Return the visitor's own articles, oldest first."""
        return [article for qa in list(self.own.values()) for article in qa.articles]


class Sessions:
    """All visitors by their secret key, bounded in number and in memory."""

    def __init__(self) -> None:
        self._by_key: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def open(self, client: str) -> Session:
        """Start a session for a browser window."""
        session = Session(key=secrets.token_urlsafe(24), client=client)
        with self._lock:
            self._by_key[session.key] = session
            while len(self._by_key) > MAX_SESSIONS:
                self._by_key.popitem(last=False)
        return session

    def get(self, key: object) -> Session:
        """Return a session by its key.

        Raises:
            SessionExpiredError: no session has this key.
        """
        with self._lock:
            if not isinstance(key, str) or key not in self._by_key:
                raise SessionExpiredError
            self._by_key.move_to_end(key)
            return self._by_key[key]

    def close(self, client: str) -> list[Article]:
        """Forget everything of a browser window; return the articles that were its own."""
        with self._lock:
            keys = [key for key, session in self._by_key.items() if session.client == client]
            closed = [self._by_key.pop(key) for key in keys]
        return [article for session in closed for article in session.own_articles()]

    def make_room(self, chars: int) -> None:
        """Forget the articles of the longest idle visitors until ``chars`` more fit.

        Raises:
            ArticleError: an article longer than a visitor may bring.
        """
        if chars > MAX_OWN_CHARS:
            raise ArticleError(
                f"The article has {chars:,} characters; up to {MAX_OWN_CHARS:,} can be read here. "
                "For longer ones, index them with: article-qa index FILE"
            )
        with self._lock:
            total = chars + sum(session.chars for session in self._by_key.values())
            for session in self._by_key.values():
                if total <= MAX_ALL_CHARS:
                    return
                total -= session.chars
                session.own.clear()
