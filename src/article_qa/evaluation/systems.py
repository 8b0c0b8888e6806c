"""The systems that can be compared, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from article_qa.config import Settings
from article_qa.errors import EvaluationError, MissingExtraError
from article_qa.evaluation.records import Thresholds
from article_qa.evaluation.runner import System
from article_qa.types import Answer, Article, Citation, Hit, Passage, Span, Turn

NAMES = ("extractive", "retrieval", "tutorial")
"""``extractive``: the default engine. ``retrieval``: the best sentence, no reader. ``tutorial``:
the chain of many tutorials, as the baseline to beat. Any chat model's name goes beside them."""


class Built(NamedTuple):
    """A system ready to be asked at full coverage, and the thresholds it ships with."""

    system: System
    thresholds: Thresholds
    settings: str | None


def build_system(
    name: str,
    *,
    paths: Sequence[str | Path] = (),
    texts: Mapping[str, str] | None = None,
    settings: Settings | None = None,
) -> Built:
    """Build a system over articles given as files or as texts by id.

    Args:
        name: one of ``NAMES``, or a chat model's as ``init_chat_model`` takes it.
        paths: article files; used where ``texts`` is None.
        texts: article texts by id.
        settings: the shipped settings; None for the defaults.

    Raises:
        EvaluationError: the name is neither a system nor a chat model's ``provider:model``.
        ArticleError, ModelError: articles or models cannot be read.
    """
    settings = settings or Settings()
    if name == "tutorial":
        from article_qa.reading.article import parse_article, read_articles

        if texts is None:
            articles = read_articles(paths)
        else:
            articles = tuple(parse_article(text, id=id) for id, text in texts.items())
        return Built(TutorialChain(articles, settings), Thresholds(0.0, 0.0), None)
    if name not in NAMES and ":" not in name:
        raise EvaluationError(
            f"{name!r} is no system; expected {', '.join(NAMES)}, or a chat model as "
            "provider:model (ollama:llama3.2)"
        )
    if name not in NAMES:  # a chat model decides itself what to answer, whatever its confidence
        chat = article_qa(paths=paths, texts=texts, settings=settings, chat_model=name)
        return Built(chat, Thresholds(0.0, 0.0), settings.fingerprint())
    shipped = replace(settings, reader_model=None) if name == "retrieval" else settings
    extractive = article_qa(paths=paths, texts=texts, settings=full_coverage(shipped))
    return Built(extractive, Thresholds.of(shipped), shipped.fingerprint())


def full_coverage(settings: Settings) -> Settings:
    """Return settings that answer everything they can, however unsure."""
    names = [name for name in ("answer_threshold", "unsure_threshold") if hasattr(settings, name)]
    return replace(settings, **dict.fromkeys(names, 0.0))  # type: ignore[arg-type]


def article_qa(
    *,
    paths: Sequence[str | Path] = (),
    texts: Mapping[str, str] | None = None,
    settings: Settings,
    chat_model: str | None = None,
) -> System:
    """Build ``ArticleQA`` over files or texts."""
    from article_qa.bot import ArticleQA

    options: dict[str, Any] = {"settings": settings}
    if chat_model is not None:
        options["chat_model"] = chat_model
    if texts is not None:
        return ArticleQA.from_texts(texts, **options)
    return ArticleQA.from_files(list(paths), **options)


class TutorialChain:
    """The plain chain of many tutorials: what this package has to be better than.

    ``RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)``, the same embeddings,
    the four nearest chunks by cosine similarity; with no language model, the best chunk is both
    answer and citation. It never refuses, a follow-up is searched for as it stands, and the cosine
    similarity is its confidence. It is a yardstick and no engine, so it makes its own ``Answer``,
    with quotes cut from the article as everywhere.

    Args:
        articles: what to ask.
        settings: names the embedding model.

    Raises:
        MissingExtraError: langchain-text-splitters is not installed.
    """

    top_k = 4

    def __init__(self, articles: Sequence[Article], settings: Settings) -> None:
        try:
            from langchain_text_splitters import RecursiveCharacterTextSplitter
        except ImportError as error:
            raise MissingExtraError(
                "the tutorial chain needs langchain-text-splitters; "
                "run: pip install 'article-qa[eval]'"
            ) from error
        from article_qa.retrieval.embeddings import load_embeddings

        self.articles = tuple(articles)
        splitter = RecursiveCharacterTextSplitter(
            chunk_size=1000, chunk_overlap=200, add_start_index=True
        )
        self._passages: list[Passage] = []
        for article in self.articles:
            for chunk in splitter.create_documents([article.text]):
                start = chunk.metadata["start_index"]  # found by search; -1 if the search failed
                if start >= 0:
                    span = Span(start, start + len(chunk.page_content))
                    text = article.text[span.start : span.end]
                    self._passages.append(Passage(article.id, span, text, (span,), span))
        self._embeddings = load_embeddings(settings)
        self._vectors = np.array(
            self._embeddings.embed_documents([passage.text for passage in self._passages]),
            dtype=np.float32,
        )

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        article_ids: Sequence[str] | None = None,
    ) -> Answer:
        """Return the nearest chunk, whatever the question."""
        scores = self._vectors @ np.array(self._embeddings.embed_query(question), dtype=np.float32)
        order = [
            int(i)
            for i in np.argsort(-scores, kind="stable")
            if article_ids is None or self._passages[i].article_id in article_ids
        ]
        hits = tuple(
            Hit(p, score, score, 0.0, p.span, score)
            for p, score in ((self._passages[i], float(scores[i])) for i in order[: self.top_k])
        )
        best = hits[0].passage
        return Answer(
            question=question,
            text=f"{best.text} [1]",
            plain=best.text,
            status="answered",
            reason=None,
            confidence=min(max(hits[0].score, 0.0), 1.0),
            citations=(Citation(1, best.article_id, best.span.start, best.span.end, best.text),),
            hits=hits,
            engine="tutorial",
        )
