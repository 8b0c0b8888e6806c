"""Speed, memory and retrieval: what ``article-qa bench`` prints."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from article_qa.config import Settings
from article_qa.evaluation.loading import load_questions
from article_qa.evaluation.retrieval import retrieval_table
from article_qa.reading.passages import cut_passages

if TYPE_CHECKING:
    from article_qa.bot import ArticleQA

Rows = list[tuple[str, ...]]
START_LIMIT = 120.0


def speed(qa: ArticleQA, questions: Path, *, page: bool) -> Rows:
    """Time questions, indexing and, with ``page``, the start of ``app.py`` in this folder.

    Each question of one turn is asked twice; the second pass is timed, so models and caches are
    warm, as they are for anyone but the first visitor.
    """
    asked = [q.turns[0] for q in load_questions(questions) if len(q.turns) == 1]
    for question in asked:
        qa.ask(question)
    times = 1000 * np.array([qa.ask(question).seconds for question in asked])
    articles = qa.articles
    passages = sum(len(cut_passages(a, qa.settings)) for a in articles)
    qa.with_articles(articles)  # the first time loads the model
    began = time.perf_counter()
    qa.with_articles(articles)
    indexing = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows: Rows = [
        ("what", "value"),
        ("questions", f"{len(asked)}"),
        ("ask, median", f"{np.median(times):.0f} ms"),
        ("ask, 95th percentile", f"{np.percentile(times, 95):.0f} ms"),
        ("indexing", f"{passages / indexing:.0f} passages/s"),
        ("peak memory of this process", f"{peak:.0f} MB"),
    ]
    if page:
        rows += _page_start(asked[0])
    return rows


def _page_start(question: str) -> Rows:
    """Start ``app.py`` as a user would; wait for the page, then for an answer over its API."""
    import httpx

    port = 17860
    environment = {**os.environ, "PORT": str(port), "NO_BROWSER": "1"}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(timeout=START_LIMIT, trust_env=False) as client:
            while True:
                try:
                    client.get(base)
                    break
                except httpx.TransportError:
                    if process.poll() is not None or time.perf_counter() - began > START_LIMIT:
                        return [("python app.py", "did not start")]
                    time.sleep(0.05)
            visible = time.perf_counter() - began
            call = client.post(f"{base}/gradio_api/call/ask", json={"data": [question, None]})
            client.get(f"{base}/gradio_api/call/ask/{call.json()['event_id']}")
            answered = time.perf_counter() - began
    finally:
        process.terminate()
        process.wait()
    return [
        ("python app.py to the page", f"{visible:.1f} s"),
        ("python app.py to the first answer", f"{answered:.1f} s"),
    ]


def retrieval(squad: Path, limit: int | None) -> Rows:
    """Measure recall@k and MRR of paragraphs: dense alone, BM25 alone, fused."""
    rows: Rows = [("scores", "questions", "paragraphs", "recall@1", "@3", "@5", "MRR")]
    for row in retrieval_table(squad, Settings(), limit=limit):
        figures = (*row.recall.values(), row.mrr)
        counts = (str(row.questions), str(row.paragraphs))
        rows.append((row.name, *counts, *(f"{figure:.3f}" for figure in figures)))
    return rows


def show(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as a table; the first is its head."""
    table = Table(*rows[0])
    for row in rows[1:]:
        table.add_row(*row)
    Console().print(table)
