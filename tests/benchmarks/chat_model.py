"""The chat engine with a real small model: ``python -m tests.benchmarks.chat_model --model FILE``.

A model in a GGUF file is served by ``xllamacpp`` (pip install xllamacpp) over OpenAI's protocol, in
a process of its own; with ``--url`` one that runs already is asked. Questions of the typed
regression set's development articles are asked one at a time, in an order drawn once, until
``--minutes`` are over. Printed are the outcomes, by the regression set's own rules, and how many of
the model's statements were kept and dropped; with ``--out`` every answer is written, one JSON
object a line, so that a person can say which statements were kept or dropped wrongly. Not for CI:
an answer takes seconds to minutes.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain_openai import ChatOpenAI

from article_qa import ArticleQA, Settings
from article_qa.chat.engine import ANSWER_TOKENS
from article_qa.evaluation.loading import load_questions
from article_qa.evaluation.records import Question, Row, Thresholds
from article_qa.evaluation.runner import evaluate

TYPED = Path(__file__).parents[1] / "regression" / "typed"
SERVE = """
import sys, threading, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port, params.hostnames = sys.argv[1], int(sys.argv[2]), ["127.0.0.1"]
params.n_ctx, params.n_parallel, params.warmup = 4096, 1, False
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(sys.argv[3])
server = xllamacpp.Server(params)
threading.Event().wait()
"""
SECONDS = 1800.0
"""For one answer: on a shared core a prompt of 1,500 tokens alone may take minutes."""


class Statements(logging.Handler):
    """Gathers what the engine says it dropped."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.dropped: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg.startswith("dropped") and isinstance(record.args, tuple):
            self.dropped.append((str(record.args[0]), str(record.args[1])))


def questions() -> list[Question]:
    """Return the development questions that need no conversation, in an order drawn once."""
    rows = [q for path in sorted(TYPED.glob("*.jsonl")) for q in load_questions(path)]
    chosen = [q for q in rows if q.split == "dev" and len(q.turns) == 1]
    random.Random(14).shuffle(chosen)
    return chosen


def asked(qa: ArticleQA, question: Question, statements: Statements) -> tuple[Row, dict[str, Any]]:
    """Ask one question; return how it came out, and what is written of it."""
    statements.dropped.clear()
    (row,) = evaluate([question], qa, threshold=Thresholds(0.0, 0.0)).rows
    answer = row.answer
    if answer is None:
        return row, {"id": question.id, "error": row.error}
    written = {
        "id": question.id,
        "kind": question.kind,
        "question": question.turns[-1],
        "gold": list(question.answers),
        "outcome": row.outcome,
        "engine": answer.engine,
        "answer": answer.text,
        "reason": answer.reason,
        "notice": answer.notice,
        "quotes": [c.quote for c in answer.citations],
        "dropped": list(statements.dropped),
        "usage": answer.to_dict()["usage"],
        "seconds": round(row.seconds, 1),
    }
    return row, written


def ask_all(qa: ArticleQA, minutes: float, limit: int, out: Path | None) -> None:
    """Ask until the time is over, and print the counts."""
    statements = Statements()
    logger = logging.getLogger("article_qa.chat.engine")
    logger.addHandler(statements)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    end = time.monotonic() + 60 * minutes
    outcomes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    seconds: list[float] = []
    with open(out, "w", encoding="utf-8") if out else open("/dev/null", "w") as file:  # noqa: PTH123
        for question in questions()[:limit]:
            if time.monotonic() > end:
                break
            row, written = asked(qa, question, statements)
            outcomes[str(written.get("outcome", "error"))] += 1
            if row.answer is not None:
                model = row.answer.engine == "chat"
                counts["answers by the model" if model else "answers without it"] += 1
                counts["statements kept"] += model * len(row.answer.citations)
                counts["statements dropped"] += len(statements.dropped)
                counts["right"] += row.correct
            seconds.append(row.seconds)
            file.write(json.dumps(written, ensure_ascii=False) + "\n")
            file.flush()
    print(f"{len(seconds)} questions, {sum(seconds) / max(1, len(seconds)):.0f} s an answer")
    for counter in (counts, outcomes):
        print(", ".join(f"{name} {count}" for name, count in sorted(counter.items())))


def serve(model: Path, port: int, threads: int) -> subprocess.Popen[bytes]:
    """Start a server of the model's and wait until it answers."""
    command = [sys.executable, "-c", SERVE, str(model), str(port), str(threads)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
            return server
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"{model} cannot be served; is xllamacpp installed?")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a GGUF file to be served")
    parser.add_argument("--url", help="a server that speaks OpenAI's protocol, in place of --model")
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--limit", type=int, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    server = None if options.url else serve(options.model, 8791, options.threads)
    try:
        model = ChatOpenAI(
            model="local",
            base_url=options.url or "http://127.0.0.1:8791/v1",
            api_key="none",
            temperature=0.0,
            timeout=SECONDS,
            max_retries=0,
            max_tokens=ANSWER_TOKENS,
            stream_usage=True,
        )
        settings = replace(Settings(), chat_timeout=SECONDS)
        paths = sorted((TYPED / "articles").iterdir())
        dev = {q.article for q in questions()}
        qa = ArticleQA.from_files(
            [path for path in paths if path.stem in dev], settings, chat_model=model
        )
        ask_all(qa, options.minutes, options.limit, options.out)
    finally:
        if server is not None:
            server.terminate()


if __name__ == "__main__":
    main()
