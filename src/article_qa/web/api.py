"""The REST interface: ``/v1``, health checks and figures. Answers are ``Answer.to_dict()``."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Annotated, Any, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from fastapi import APIRouter, FastAPI, Header, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response, StreamingResponse

from article_qa.answering.citations import why_invalid
from article_qa.errors import (
    ArticleError,
    ArticleQAError,
    HistoryError,
    SessionExpiredError,
    UnknownArticleError,
)
from article_qa.types import Event
from article_qa.web.schema import (
    Added,
    AnswerModel,
    ArticleIn,
    ArticleModel,
    ArticleSummary,
    Question,
    summary,
    whole,
)
from article_qa.web.service import ANSWERS_AT_ONCE, Asked, Service
from article_qa.web.sessions import SESSION_NAME, Session

log = logging.getLogger(__name__)

T = TypeVar("T")
SessionName = Annotated[
    str | None,
    Header(
        alias="X-Session",
        pattern=SESSION_NAME,
        description="the session whose articles may be asked; its name is its only key",
    ),
]
_BAD: dict[int | str, dict[str, Any]] = {422: {"description": "not a question, in words"}}
_GONE: dict[int | str, dict[str, Any]] = {404: {"description": "no such article or session"}}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "model": AnswerModel,
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "string",
                    "description": 'events `text` ({"text": unverified words}), then `answer`',
                }
            }
        },
    }
}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": ArticleIn.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "text/plain": {"schema": {"type": "string"}},
        },
    }
}


def router(service: Service) -> APIRouter:
    """Return the endpoints over a service."""
    api = APIRouter()
    answering = CapacityLimiter(ANSWERS_AT_ONCE)

    async def in_thread(work: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(work, limiter=answering)

    def session_of(name: str | None) -> Session | None:
        return None if name is None else service.sessions.get(name)

    @api.post("/v1/ask", response_model=AnswerModel, responses=_STREAM | _BAD | _GONE, tags=["ask"])
    async def ask(
        question: Question,
        accept: Annotated[str, Header(include_in_schema=False)] = "",
        x_session: SessionName = None,
    ) -> Response:
        """Answer a question; every statement cites an exact passage.

        With `Accept: text/event-stream` the words come as events while they are written.
        """
        if problem := why_invalid(question.question, service.settings.max_question_chars):
            raise HTTPException(422, problem)
        asked = Asked(way="rest", session=session_of(x_session), **dict(question))
        if "text/event-stream" in accept:
            events = await in_thread(partial(service.stream, asked))
            return StreamingResponse(
                _server_sent(events),
                media_type="text/event-stream",
                headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
            )
        answer = await in_thread(partial(service.ask, asked))
        return _json(answer.to_dict())

    @api.get("/v1/articles", tags=["articles"])
    async def articles(x_session: SessionName = None) -> list[ArticleSummary]:
        """List the articles that can be asked."""
        found = await in_thread(partial(service.articles, session_of(x_session)))
        return [summary(article, own=own) for article, own in found]

    @api.get(
        "/v1/articles/{article_id}", response_model=ArticleModel, responses=_GONE, tags=["articles"]
    )
    async def article(article_id: str, x_session: SessionName = None) -> Response:
        """Return an article with its text, so that `text[start:end]` can be checked."""
        found, own = await in_thread(partial(service.article, article_id, session_of(x_session)))
        return _json(whole(found, own=own).model_dump())

    @api.post(
        "/v1/articles", status_code=201, responses=_BAD, openapi_extra=_UPLOAD, tags=["articles"]
    )
    async def add(request: Request, x_session: SessionName = None) -> Added:
        """Read an article for one session alone: a file, or a text.

        Without `X-Session` a session is made; a name of your own choice opens one, too.
        """
        name, content = await _sent(request)
        address = request.client.host if request.client else ""
        if x_session is None:
            session = service.sessions.open("", address)
        else:
            session = service.sessions.named(x_session, address)
        read = await in_thread(partial(service.add, session, name, content, way="rest"))
        return Added(session=session.key, article=summary(read, own=True))

    @api.delete("/v1/articles/{article_id}", status_code=204, responses=_GONE, tags=["articles"])
    async def remove(article_id: str, x_session: SessionName = None) -> None:
        """Forget an article of this session."""
        session = session_of(x_session)
        if session is None:
            raise HTTPException(403, "Only a session's own articles can be removed (X-Session).")
        service.remove(session, article_id)

    @api.get("/healthz", tags=["operation"])
    async def alive() -> dict[str, str]:
        """Say that the process is alive."""
        return {"status": "ok"}

    @api.get("/readyz", tags=["operation"])
    async def ready() -> Response:
        """Say whether the index is open and the models are loaded."""
        opened, loaded = _state(service.library.opened), _state(service.library.ready)
        done = opened == loaded == "ok"
        told = {"status": "ok" if done else "not ready", "index": opened, "models": loaded}
        return JSONResponse(told, status_code=200 if done else 503)

    @api.get("/metrics", tags=["operation"])
    async def metrics() -> Response:
        """Return figures for Prometheus."""
        return Response(service.telemetry.exposition(), media_type=CONTENT_TYPE_LATEST)

    return api


def handle_errors(app: FastAPI) -> None:
    """Turn the package's errors into answers with a status and one line of text."""

    @app.exception_handler(ArticleQAError)
    async def told(_: Request, error: ArticleQAError) -> Response:
        return _json({"detail": " ".join(str(error).split())}, _status(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        # Without what was sent: it may be long, and need not be text.
        rows = [{k: e[k] for k in ("loc", "msg", "type")} for e in error.errors()[:20]]
        return _json({"detail": rows}, 422)

    @app.exception_handler(Exception)
    async def unexpected(_: Request, error: Exception) -> Response:
        return _json({"detail": "Something went wrong here; the server's log has it."}, 500)


def _status(error: ArticleQAError) -> int:
    if isinstance(error, UnknownArticleError | SessionExpiredError):
        return 404
    return 422 if isinstance(error, ArticleError | HistoryError) else 503


def _json(value: object, status: int = 200) -> Response:
    """Write JSON in ASCII, so that every string of Python has a form."""
    return Response(json.dumps(value), status_code=status, media_type="application/json")


def _server_sent(events: Iterator[Event]) -> Iterator[str]:
    def event(kind: str, data: object) -> str:
        return f"event: {kind}\ndata: {json.dumps(data)}\n\n"

    try:
        for step in events:
            if step.answer is None:
                yield event("text", {"text": step.text})
            else:
                yield event("answer", step.answer.to_dict())
    except ArticleQAError as error:
        yield event("error", {"detail": str(error)})
    except Exception as error:
        log.error("unexpected error in a stream", exc_info=error)
        yield event("error", {"detail": "Something went wrong here; the server's log has it."})


async def _sent(request: Request) -> tuple[str, str | bytes]:
    """Return the name and content of an article as it was sent."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form(max_files=1, max_fields=5) as form:
            for value in form.values():
                if isinstance(value, UploadFile):
                    return value.filename or "file", await value.read()
        raise HTTPException(422, "The form holds no file.")
    body = await request.body()
    if kind == "text/plain":
        try:
            return "your text", body.decode("utf-8")
        except UnicodeDecodeError:
            raise HTTPException(422, "The text is not UTF-8; send it as a file.") from None
    try:
        sent = ArticleIn.model_validate_json(body)
    except ValidationError as error:
        rows = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError(rows) from None
    return sent.name, sent.text


def _state(future: Future[Any]) -> str:
    if not future.done():
        return "loading"
    error = future.exception()
    return "ok" if error is None else f"failed: {type(error).__name__}"
