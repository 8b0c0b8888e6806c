from __future__ import annotations

from concurrent.futures import wait
from types import SimpleNamespace
from typing import Any

import pytest

from article_qa.answering.citations import invalid
from article_qa.errors import ArticleError, IndexStaleError, LimitError, SessionExpiredError
from article_qa.reading.article import parse_article
from article_qa.types import Turn
from article_qa.web import sessions
from article_qa.web.sessions import Library, Session, Sessions


def own(id: str, words: int = 10) -> Any:
    """What a session keeps of an ``ArticleQA``: its article."""
    return SimpleNamespace(articles=(parse_article("The word again. " * words, id=id),))


def test_keys_are_secret_and_visitors_apart() -> None:
    visitors = Sessions()
    one, two = visitors.open("a"), visitors.open("b")
    one.bring(own("mine"))
    assert one.key != two.key
    assert len(one.key) >= 32
    assert visitors.get(one.key) is one
    assert not two.own_articles()


@pytest.mark.parametrize("key", ["", "guess", None, 5, ["x"]])
def test_an_unknown_key_opens_nothing(key: object) -> None:
    visitors = Sessions()
    visitors.open("a")
    with pytest.raises(SessionExpiredError, match="Reload the page"):
        visitors.get(key)


def test_closing_the_window_forgets_everything() -> None:
    visitors = Sessions()
    session, other = visitors.open("a"), visitors.open("b")
    visitors.close("a")
    with pytest.raises(SessionExpiredError):
        visitors.get(session.key)
    assert visitors.get(other.key) is other


def fall_silent(session: Session) -> None:
    session.seen -= sessions.IDLE_SECONDS + 1


def test_an_empty_session_gives_way_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 2)
    visitors = Sessions()
    busy, empty = visitors.open("a"), visitors.open("b")
    busy.bring(own("mine"))
    visitors.open("c")
    assert visitors.get(busy.key) is busy
    with pytest.raises(SessionExpiredError):
        visitors.get(empty.key)


def test_a_newcomer_is_refused_rather_than_an_active_visitor_thrown_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 2)
    visitors = Sessions()
    one, two = visitors.open("a"), visitors.open("b")
    one.bring(own("one"))
    two.bring(own("two"))
    with pytest.raises(LimitError, match="Too many people"):
        visitors.open("c")
    fall_silent(one)
    visitors.open("c")
    assert visitors.get(two.key) is two


def test_one_address_cannot_take_all_the_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS_OF_ADDRESS", 1)
    visitors = Sessions()
    visitors.open("a", "10.0.0.1").bring(own("mine"))
    with pytest.raises(LimitError):
        visitors.open("b", "10.0.0.1")
    visitors.open("c", "10.0.0.2")


def test_a_named_session_opens_once_and_its_name_must_be_a_secret() -> None:
    visitors = Sessions()
    name = "a-name-nobody-will-guess"
    assert visitors.named(name) is visitors.named(name)
    with pytest.raises(ValueError, match="16 to 100"):
        visitors.named("demo")


def test_a_visitor_keeps_the_newest_articles_and_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_OWN_ARTICLES", 2)
    monkeypatch.setattr(sessions, "MAX_TURNS", 2)
    session = Sessions().open("a")
    for n in range(3):
        session.bring(own(f"own-{n}"))
        session.remember(n, Turn("Why?", invalid("Why?", "No.")))
    assert [article.id for article in session.own_articles()] == ["own-1", "own-2"]
    assert list(session.turns) == [1, 2]


def test_memory_is_bounded_over_all_visitors(monkeypatch: pytest.MonkeyPatch) -> None:
    visitors = Sessions()
    idle, busy = visitors.open("a"), visitors.open("b")
    idle.bring(own("idle"))
    busy.bring(own("busy"))
    monkeypatch.setattr(sessions, "MAX_ALL_CHARS", idle.chars + busy.chars + 10)
    visitors.make_room(10)
    assert idle.own
    with pytest.raises(LimitError, match="no room"):
        visitors.make_room(20)
    fall_silent(idle)
    visitors.make_room(20)
    assert not idle.own
    assert busy.own


def test_too_long_an_article_is_refused_with_both_numbers() -> None:
    with pytest.raises(ArticleError, match=r"500,001 characters; up to 400,000"):
        Sessions().make_room(500_001)


def test_a_library_that_cannot_be_loaded_says_why() -> None:
    def load() -> Any:
        raise IndexStaleError("The index is stale. Run: article-qa index")

    library = Library(load)
    wait([library.opened, library.ready], timeout=10)
    for future in (library.opened, library.ready):
        with pytest.raises(IndexStaleError, match="article-qa index"):
            future.result(0)
