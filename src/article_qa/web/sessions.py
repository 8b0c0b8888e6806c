"""The library that all visitors share, and what belongs to one visitor alone."""

from __future__ import annotations

import logging
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from article_qa.errors import ArticleError, LimitError, SessionExpiredError
from article_qa.types import Article, Turn
from article_qa.web.suggest import without_chat

if TYPE_CHECKING:
    from article_qa.bot import ArticleQA

log = logging.getLogger(__name__)

MAX_SESSIONS = 1000
"""Visitors remembered at once; beyond it an empty or idle one gives way, or the newcomer."""
MAX_SESSIONS_OF_ADDRESS = 100
"""The same for one network address: an office behind one, but not all there is room for."""
SESSION_NAME = r"^[A-Za-z0-9_-]{16,100}$"
"""What an API client may call its session: the name is its only key, so nobody may guess it."""
IDLE_SECONDS = 1800.0
"""A visitor silent for so long may be forgotten for another."""
MAX_OWN_ARTICLES = 5
"""Articles a visitor may bring. For a sixth the API drops the oldest; the page refuses it."""
MAX_OWN_CHARS = 400_000
"""Characters of one visitor's article: a long book chapter, indexed in about half a minute."""
MAX_ALL_CHARS = 10_000_000
"""Characters of all visitors' articles together: with their vectors about 500 MB of memory."""
MAX_TURNS = 200
"""Answers kept of one conversation."""


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
        rated: numbers of the turns with a verdict: one for each.
        names: what the visitor calls an own article, by its id, where that is not its title.
        address: the network address it was opened from.
        seen: when it last asked for anything, by the monotonic clock.
    """

    key: str
    client: str
    turns: dict[int, Turn] = field(default_factory=dict)
    own: dict[str, ArticleQA] = field(default_factory=dict)
    private: set[int] = field(default_factory=set)
    rated: set[int] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    address: str = ""
    seen: float = field(default_factory=time.monotonic)

    @property
    def empty(self) -> bool:
        """Whether nothing would be lost with it."""
        return not (self.turns or self.own)

    @property
    def idle(self) -> bool:
        """Whether it has been silent for ``IDLE_SECONDS``."""
        return time.monotonic() - self.seen > IDLE_SECONDS

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

    def title(self, article: Article) -> str:
        """Return what the visitor calls an article."""
        return self.names.get(article.id, article.title)

    @property
    def chars(self) -> int:
        """Characters of the visitor's own articles."""
        return sum(len(a.text) for qa in list(self.own.values()) for a in qa.articles)

    def own_articles(self) -> list[Article]:
        """Return the visitor's own articles, oldest first."""
        return [article for qa in list(self.own.values()) for article in qa.articles]


class Sessions:
    """All visitors by their secret key, bounded in number and in memory.

    Nobody active is thrown out for a newcomer: empty sessions go first, then those long idle, and
    where there is neither the newcomer is refused.
    """

    def __init__(self) -> None:
        self._by_key: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._by_key)

    def open(self, client: str, address: str = "", key: str | None = None) -> Session:
        """Start a session for a browser window or an API client.

        Args:
            client: what names the window when it closes.
            address: where it comes from, for a limit on each address.
            key: a secret name that the client has chosen; None makes one.

        Raises:
            LimitError: there are as many active sessions as there is room for.
        """
        session = Session(key or secrets.token_urlsafe(24), client, address=address)
        with self._lock:
            neighbours = [s for s in self._by_key.values() if address and s.address == address]
            if len(neighbours) >= MAX_SESSIONS_OF_ADDRESS:
                self._forget_one(neighbours)
            if len(self._by_key) >= MAX_SESSIONS:
                self._forget_one(list(self._by_key.values()))
            self._by_key[session.key] = session
        return session

    def _forget_one(self, sessions: list[Session]) -> None:
        """Forget the longest idle of the empty ones, or of the idle ones. The caller locks."""
        gone = next((s for s in sessions if s.empty), None)
        gone = gone or next((s for s in sessions if s.idle), None)
        if gone is None:
            log.warning("a newcomer was refused: %d sessions are open", len(self._by_key))
            raise LimitError("Too many people are here just now. Try again in a few minutes.")
        del self._by_key[gone.key]

    def get(self, key: object) -> Session:
        """Return a session by its key.

        Raises:
            SessionExpiredError: no session has this key.
        """
        with self._lock:
            if not isinstance(key, str) or key not in self._by_key:
                raise SessionExpiredError
            self._by_key.move_to_end(key)
            session = self._by_key[key]
            session.seen = time.monotonic()
            return session

    def named(self, name: str, address: str = "") -> Session:
        """Return the session of a name that an API client chose, opening it when it is new.

        Raises:
            ValueError: the name is no ``SESSION_NAME``.
            LimitError: there is no room for another session.
        """
        if not re.fullmatch(SESSION_NAME, name):
            raise ValueError(
                "A session's name is its only key: choose 16 to 100 letters, digits, - and _ that "
                "nobody guesses, or send none and use the one you are given."
            )
        try:
            return self.get(name)
        except SessionExpiredError:
            return self.open(name, address, key=name)

    def close(self, client: str) -> list[tuple[str, Article]]:
        """Forget everything of a browser window; return its own articles, each with the key."""
        with self._lock:
            keys = [key for key, session in self._by_key.items() if session.client == client]
            closed = [self._by_key.pop(key) for key in keys]
        return [(session.key, article) for session in closed for article in session.own_articles()]

    def make_room(self, chars: int) -> None:
        """See that ``chars`` more of visitors' articles fit, forgetting those of idle visitors.

        Raises:
            ArticleError: an article longer than a visitor may bring.
            LimitError: the articles of active visitors leave no room.
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
                if session.idle:
                    total -= session.chars
                    session.own.clear()
        if total > MAX_ALL_CHARS:
            log.warning("an article was refused: %d characters of others are in use", total - chars)
            raise LimitError(
                "There is no room for another article just now. Try again in half an hour."
            )
