"""Speed, memory and retrieval: what ``article-qa bench`` prints."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from article_qa.config import Settings
from article_qa.errors import EvaluationError
from article_qa.evaluation.loading import load_questions
from article_qa.evaluation.metrics import recall_at, reciprocal_rank
from article_qa.evaluation.squad import read_paragraphs
from article_qa.reading.passages import cut_passages
from article_qa.types import Article

if TYPE_CHECKING:
    from article_qa.bot import ArticleQA
    from article_qa.retrieval.candidates import Candidates

Rows = list[tuple[str, ...]]
START_LIMIT = 120.0
CUTOFFS = (1, 3, 5)


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


def retrieval(squad: Path, limit: int | None, settings: Settings | None = None) -> Rows:
    """Measure how well retrieval finds the paragraph of an answer in a file in SQuAD format.

    The whole file is the corpus and a question gives no hint of its article; unanswerable ones are
    left out. A paragraph's rank is that of its best passage. Recall@k is the share of questions
    whose paragraph is among the first k, MRR the mean of 1/rank.

    Args:
        squad: the file, version 1 or 2.
        limit: ask only so many questions, always the same; the corpus stays whole. None asks all.
        settings: the models and weights to measure; None for the defaults.

    Returns:
        A head, then dense scores of passages alone, BM25 alone, both fused, and with the best
        sentence, which is what ``settings`` say and the product does.

    Raises:
        EvaluationError: the file is not in SQuAD format or has no question.
        ModelError: the embedding model cannot be loaded.
    """
    from article_qa.retrieval.embeddings import load_embeddings
    from article_qa.retrieval.store_local import LocalStore

    settings = settings or Settings()
    paragraphs, questions = read_questions(squad)
    if limit is not None and limit < len(questions):
        questions = random.Random(0).sample(questions, limit)
    index = LocalStore.build(_articles(paragraphs), settings, load_embeddings(settings))
    searched = [(index.search(question), gold) for question, gold in questions]
    ways = {
        "dense": replace(settings, dense_weight=1.0, sentence_weight=0.0),
        "BM25": replace(settings, dense_weight=0.0, sentence_weight=0.0),
        "fused": replace(settings, sentence_weight=0.0),
        "fused with sentences": settings,
    }
    rows: Rows = [("scores", "questions", "paragraphs", "recall@1", "@3", "@5", "MRR")]
    for name, way in ways.items():
        ranks = [paragraph_rank(found, way, gold) for found, gold in searched]
        figures = (*(recall_at(k, ranks) for k in CUTOFFS), reciprocal_rank(ranks))
        counts = (str(len(ranks)), str(len(index.articles)))
        rows.append((name, *counts, *(f"{figure:.3f}" for figure in figures)))
    return rows


def paragraph_rank(candidates: Candidates, settings: Settings, gold: str) -> int:
    """Return the place, from 1, of the paragraph with id ``gold`` when passages are ranked.

    One that was not found at all stands behind all others.
    """
    from article_qa.retrieval.retriever import rank

    ranked = dict.fromkeys(hit.passage.article_id for hit in rank(candidates, settings))
    return next((n for n, id in enumerate(ranked, 1) if id == gold), len(ranked) + 1)


def read_questions(path: str | Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Read the distinct paragraphs of a SQuAD file, and its answerable questions.

    Returns:
        The paragraphs, and (question, the id of its paragraph: its place in the list).

    Raises:
        EvaluationError: not SQuAD format, or no answerable question.
    """
    places: dict[str, int] = {}
    questions = []
    for _, context, asked in read_paragraphs(path):
        if context.strip():
            place = str(places.setdefault(context, len(places)))
            questions += [(question.text, place) for question in asked if not question.impossible]
    if not questions:
        raise EvaluationError(f"{path} has no answerable question; expected at least one")
    return list(places), questions


def _articles(paragraphs: Sequence[str]) -> Iterable[Article]:
    """Make each paragraph an article: no passage then reaches into two.

    All of it is prose here, whatever the parser takes a paragraph for that stands alone.
    """
    from article_qa.reading.article import parse_article

    for place, text in enumerate(paragraphs):
        article = parse_article(text, id=str(place))
        prose = tuple(replace(block, kind="paragraph") for block in article.blocks)
        yield replace(article, blocks=prose)


def show(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as a table; the first is its head."""
    table = Table(*rows[0])
    for row in rows[1:]:
        table.add_row(*row)
    Console().print(table)
