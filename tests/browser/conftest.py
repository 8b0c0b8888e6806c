"""The real app in a process of its own, and a real browser.

``pytest tests/browser --screenshots`` also writes the README's pictures to ``screenshots/``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gradio_client import Client
from page_helpers import Server, serving
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    expect,
    sync_playwright,
)

from article_qa.reading.article import read_article
from article_qa.types import Article

ROOT = Path(__file__).parents[2]
SEED = next(ROOT.joinpath("seeds").glob("*.txt"))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=20_000)  # a busy machine is slow
HOW = "no Chromium here; install it with: apt-get install chromium (or set CHROMIUM to its path)"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", action="store_true", help="write the README's pictures")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in ours:
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.enable_socket)
    # Last: Playwright keeps an event loop running in this thread, where no other can then run.
    items.sort(key=set(ours).__contains__)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the app runs, and stores feedback."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def address(app_address: str) -> str:
    """The page under test."""
    return app_address


@pytest.fixture(scope="session")
def app_address(folder: Path) -> Iterator[str]:
    """The page of ``python app.py``, one for all tests, when it has its models."""
    for address in serving(ROOT / "app.py", folder):
        Client(address, verbose=False).predict("Who?", api_name="/ask")
        yield address


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The page over an engine made for it, which a test may kill."""
    server = Server(Path(__file__).with_name("states_app.py"), tmp_path_factory.mktemp("states"))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(HOW)
        pytest.skip(HOW)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def new_context(browser: Browser, address: str) -> Iterator[Callable[..., BrowserContext]]:
    """Makes visitors; afterwards no request to another host and no error may have been seen."""
    contexts: list[BrowserContext] = []
    strangers: list[str] = []
    errors: list[str] = []
    own = (address, "data:", "blob:")

    def seen(request: Request) -> None:
        if not request.url.startswith((*own, "http://127.0.0.1:")):
            strangers.append(request.url)

    def make(**options: object) -> BrowserContext:
        options.setdefault("viewport", {"width": 1440, "height": 900})
        context = browser.new_context(**options)  # type: ignore[arg-type]
        context.set_default_timeout(30_000)
        context.on("request", seen)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert not strangers
    assert not errors


@pytest.fixture
def visit(new_context: Callable[..., BrowserContext], address: str) -> Callable[..., Page]:
    """Opens the page as a new visitor: ``visit(path, **context options)``."""

    def open_page(path: str = "", **options: object) -> Page:
        page = new_context(**options).new_page()
        page.goto(address + path)
        page.wait_for_selector("#aq[data-state=ready], #aq[data-state=asking]")
        return page

    return open_page


@pytest.fixture(scope="session")
def seed() -> Article:
    return read_article(SEED)
