"""Waiting on the page: for models that load, for a slow answer, for one that is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from page_helpers import ask, serving
from playwright.sync_api import Page, expect

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("slow")


@pytest.fixture(scope="module")
def address(room: Path) -> Iterator[str]:
    yield from serving(Path(__file__).with_name("slow_app.py"), room)


def test_a_question_asked_while_models_load_waits_and_says_so(visit: Visit, room: Path) -> None:
    page = visit()
    page.locator("#question").fill("What rang?")
    page.locator("#question").press("Enter")
    expect(page.locator(".turn .wait")).to_contain_text("still loading")
    (room / "go").touch()
    expect(page.locator(".said")).to_contain_text("The bell rang")


def test_an_answer_streams_and_can_be_stopped(visit: Visit, room: Path) -> None:
    (room / "go").touch()
    page = visit()
    page.locator("#question").fill("What rang slowly?")
    page.locator("#question").press("Enter")
    expect(page.locator(".draft")).to_contain_text("word5")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".turn")).to_contain_text("Stopped.")
    page.wait_for_timeout(700)
    expect(page.locator(".draft")).to_have_count(0)
    expect(ask(page, "What rang?").locator(".said")).to_contain_text("The bell rang")


def test_a_slow_answer_does_not_hold_up_another_visitor(visit: Visit, room: Path) -> None:
    (room / "go").touch()
    slow, quick = visit(), visit()
    slow.locator("#question").fill("What rang slowly?")
    slow.locator("#question").press("Enter")
    expect(slow.locator(".draft")).to_contain_text("word1")
    expect(ask(quick, "What rang?").locator(".said")).to_contain_text("The bell rang")
    expect(slow.locator(".draft")).to_have_count(1)
    expect(slow.locator(".said:not(.draft)")).to_have_count(1, timeout=30_000)
