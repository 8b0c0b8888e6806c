"""What happens in the service: one line of log for each question, and figures for Prometheus.

A line never holds a question or an answer unless ``log_text`` asks for it.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from article_qa.types import Answer, Event

log = logging.getLogger("article_qa.service")

request_id: ContextVar[str] = ContextVar("request_id", default="-")
"""Names the request that is being answered, in the log and in the header X-Request-ID."""

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


def status_of(answer: Answer) -> str:
    """Say how a question came out."""
    told = getattr(answer, "status", None)
    return str(told) if told else ("refused" if answer.refused else "answered")


class Telemetry:
    """Counts and logs; each app has its own registry.

    Args:
        log_text: also log questions and answers.
        sessions: counts the open sessions.
    """

    def __init__(self, *, log_text: bool = False, sessions: Callable[[], int] = lambda: 0) -> None:
        self.log_text = log_text
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.questions = Counter(
            "article_qa_questions", "Questions by way in and outcome.", ["way", "outcome"],
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "article_qa_answer_seconds", "Time to an answer.", ["way"], buckets=_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.stages = Histogram(
            "article_qa_stage_seconds", "Time of an answer's stages.", ["stage"], buckets=_SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.uploads = Counter(
            "article_qa_uploads", "Articles that visitors brought.", ["outcome"],
            registry=self.registry,
        )  # fmt: skip
        self.turned_away = Counter(
            "article_qa_requests_refused", "Requests refused at the door.", ["reason"],
            registry=self.registry,
        )  # fmt: skip
        Gauge(
            "article_qa_sessions", "Open sessions.", registry=self.registry
        ).set_function(lambda: float(sessions()))  # fmt: skip

    def exposition(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self.registry)

    def answered(self, way: str, answer: Answer, seconds: float) -> None:
        """Note an answer."""
        outcome = status_of(answer)
        self.questions.labels(way, outcome).inc()
        self.seconds.labels(way).observe(seconds)
        for stage, spent in answer.stages.items():
            self.stages.labels(stage).observe(spent)
        fields: dict[str, Any] = {
            "request": request_id.get(),
            "way": way,
            "outcome": outcome,
            "confidence": round(answer.confidence, 3),
            "ms": round(1000 * seconds),
            "stages": {stage: round(1000 * spent) for stage, spent in answer.stages.items()},
            "engine": answer.engine,
            "citations": len(answer.citations),
        }
        if self.log_text:
            fields |= {"question": answer.question, "answer": answer.plain}
        log.info("question", extra={"fields": fields})
        if answer.notice:
            log.warning("notice", extra={"fields": {"request": request_id.get(), "way": way,
                                                    "notice": answer.notice}})  # fmt: skip

    def failed(self, way: str, error: Exception, seconds: float) -> None:
        """Note a question that met an error."""
        self.questions.labels(way, "error").inc()
        fields = {"request": request_id.get(), "way": way, "outcome": "error",
                  "error": type(error).__name__, "ms": round(1000 * seconds)}  # fmt: skip
        log.warning("question", extra={"fields": fields})

    def watch(self, way: str, events: Iterator[Event]) -> Iterator[Event]:
        """Pass events on, noting the answer when it comes."""
        began = time.perf_counter()
        try:
            for event in events:
                if event.answer is not None:
                    self.answered(way, event.answer, time.perf_counter() - began)
                yield event
        except Exception as error:
            self.failed(way, error, time.perf_counter() - began)
            raise

    def uploaded(self, way: str, characters: int | None, seconds: float) -> None:
        """Note an article that a visitor brought; None characters: it could not be read."""
        outcome = "refused" if characters is None else "indexed"
        self.uploads.labels(outcome).inc()
        fields = {"request": request_id.get(), "way": way, "outcome": outcome,
                  "characters": characters, "ms": round(1000 * seconds)}  # fmt: skip
        log.info("upload", extra={"fields": fields})

    def refused(self, reason: str, status: int, address: str) -> None:
        """Note a request that was refused at the door."""
        self.turned_away.labels(reason).inc()
        fields = {"request": request_id.get(), "reason": reason, "status": status,
                  "address": address}  # fmt: skip
        log.warning("refused", extra={"fields": fields})


class _Lines(logging.Formatter):
    """``time level event key=value ...``, one line whatever the values hold."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        told = "".join(f" {key}={json.dumps(value)}" for key, value in fields.items())
        return f"{super().format(record)}{told}"


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure_logging(*, as_json: bool = False, level: str = "INFO") -> None:
    """Send this package's log to stderr.

    Args:
        as_json: one JSON object a line, for machines; else a line for people.
        level: of this package; other libraries speak from warnings on.
    """
    handler = logging.StreamHandler(sys.stderr)
    lines = _Lines("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(_Json() if as_json else lines)
    logger = logging.getLogger("article_qa")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
