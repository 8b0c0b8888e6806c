"""The one app: page, REST, MCP and health checks, behind one guard; and how it is served."""

from __future__ import annotations

import logging
import socket
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp

from article_qa.config import Settings
from article_qa.errors import ArticleQAError, OptionsError
from article_qa.reading.article import read_articles
from article_qa.web.api import handle_errors, router
from article_qa.web.guard import Guard
from article_qa.web.options import ServiceOptions
from article_qa.web.page import build, mount
from article_qa.web.service import Service
from article_qa.web.sessions import Library, Sessions
from article_qa.web.telemetry import Telemetry, configure_logging

if TYPE_CHECKING:
    from article_qa.bot import ArticleQA

log = logging.getLogger(__name__)

FIRST_PORT, PORTS = 7860, 100
"""Where no port is given, the first free one of these."""
BACKLOG_SECONDS = 5
"""How long an idle connection is kept."""


def create_app(
    source: ArticleQA | Callable[[], ArticleQA],
    options: ServiceOptions | None = None,
    *,
    settings: Settings | None = None,
    page: bool = True,
) -> ASGIApp:
    """Return the app, ready for any ASGI server.

    Args:
        source: an ``ArticleQA``, or a function that loads one while the app is already up.
        options: how it runs; None reads the environment.
        settings: for the limits of questions; None for the defaults.
        page: also serve the page; without it the app starts sooner.
    """
    options = options or ServiceOptions()
    sessions = Sessions()
    telemetry = Telemetry(log_text=options.log_text, sessions=sessions.__len__)
    service = Service(Library(source), sessions, settings=settings, telemetry=telemetry)
    app = FastAPIOffline(
        title="article-qa",
        summary="Ask an article: short answers, every statement with an exact passage.",
        version=_version(),
        docs_url="/docs",
        redoc_url=None,
        favicon_url="/favicon.ico",
        static_url="/docs-assets",
    )
    app.state.service = service
    app.include_router(router(service))
    handle_errors(app)
    if options.mcp:
        from article_qa.web.mcp import mount as mount_mcp

        mount_mcp(app, service)
    if page:
        mount(app, build(service, feedback=options.feedback or None))
    return Guard(app, options, telemetry)


def _version() -> str:
    from importlib.metadata import version

    return version("article-qa")


def launch(
    options: ServiceOptions | None = None,
    *,
    settings: Settings | None = None,
    seeds: str | Path | None = None,
    chat_model: Any = None,
    open_browser: bool = False,
) -> None:
    """Serve a built index until interrupted.

    Args:
        options: how; None reads the environment.
        settings: None for the defaults.
        seeds: the folder the index is made of; where they differ, the log says so.
        chat_model: a model, in place of the options' name of one.
        open_browser: show the page in the default browser.

    Raises:
        IndexUnusableError: there is no usable index; it is opened while the page is already up, and
            the service ends.
        MissingExtraError: the chat model's package is not installed.
    """
    options = options or ServiceOptions()
    stop = threading.Event()
    problem: list[ArticleQAError] = []

    def load() -> ArticleQA:
        try:
            from article_qa.bot import ArticleQA

            qa = ArticleQA.load(
                options.store or options.index,
                settings,
                chat_model=chat_model or options.chat_model,
                objects=options.objects,
            )
        except ArticleQAError as error:
            problem.append(error)
            stop.set()
            raise
        if seeds is not None and Path(seeds).is_dir() and options.store is None:
            compare(qa, options.index, seeds)
        return qa

    app = create_app(load, options, settings=settings)
    serve(app, options, open_browser=open_browser, stop=stop)
    if problem:
        raise problem[0]


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
    app: ASGIApp,
    options: ServiceOptions | None = None,
    *,
    open_browser: bool = False,
    stop: threading.Event | None = None,
) -> None:
    """Serve an app until interrupted; answers that are being given are finished.

    A proxy on this machine is believed about the address of a client (X-Forwarded-For); for others
    set FORWARDED_ALLOW_IPS.

    Args:
        app: what ``create_app`` made.
        options: how; None reads the environment.
        open_browser: show the page in the default browser.
        stop: ends the service when it is set.

    Raises:
        OptionsError: nothing can be served at this address.
    """
    options = options or ServiceOptions()
    configure_logging(as_json=options.log_json, level=options.log_level)
    listening = _listen(options.host, options.port)
    host = options.host if ":" not in options.host else f"[{options.host}]"
    address = f"http://{host}:{listening.getsockname()[1]}/"
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=BACKLOG_SECONDS,
        timeout_graceful_shutdown=options.stop_seconds,
        lifespan="on",
    )
    print(f"The page is at {address} (stop it with Ctrl+C)", flush=True)
    if open_browser:
        threading.Timer(1.0, webbrowser.open, [address]).start()
    server = uvicorn.Server(config)
    if stop is not None:
        threading.Thread(target=_stop_when, args=(stop, server), daemon=True).start()
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()


def _stop_when(stop: threading.Event, server: uvicorn.Server) -> None:
    stop.wait()
    server.should_exit = True


def _listen(host: str, port: int | None) -> socket.socket:
    """Listen on a port, or on the first free one.

    Raises:
        OptionsError: it is taken, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    ports = range(FIRST_PORT, FIRST_PORT + PORTS) if port is None else (port,)
    for number in ports:
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, number))
        except OSError as error:
            listening.close()
            problem = error.strerror or str(error)
            continue
        return listening
    where = f"{host}:{port}" if port is not None else f"{host}, ports {ports[0]} to {ports[-1]}"
    raise OptionsError(f"Nothing can be served at {where}: {problem}. Give another --port.")
