"""The systems that can be compared, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

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
    ready = replace(shipped, answer_threshold=0.0, unsure_threshold=0.0)
    extractive = article_qa(paths=paths, texts=texts, settings=ready)
    return Built(extractive, Thresholds.of(shipped), shipped.fingerprint())


def article_qa(
    *,
    paths: Sequence[str | Path] = (),
    texts: Mapping[str, str] | None = None,
    settings: Settings,
    chat_model: str | None = None,
) -> System:
    """Build ``ArticleQA`` over files or texts."""
    from article_qa.bot import ArticleQA

    if texts is not None:
        return ArticleQA.from_texts(texts, settings, chat_model=chat_model)
    return ArticleQA.from_files(paths, settings, chat_model=chat_model)


class TutorialChain:
    """The plain chain of many tutorials: what this package has to be better than.

    ``RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)``, the same embeddings in
    LangChain's in-memory store, the four nearest chunks by cosine similarity; with no language
    model, the best chunk is both answer and citation. It never refuses, a follow-up is searched for
    as it stands, and the cosine similarity is its confidence. It is a yardstick and no engine, so
    it makes its own ``Answer``, with quotes cut from the article as everywhere.

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
        from langchain_core.vectorstores import InMemoryVectorStore

        from article_qa.retrieval.embeddings import load_embeddings

        self.articles = tuple(articles)
        splitter = RecursiveCharacterTextSplitter(
            chunk_size=1000, chunk_overlap=200, add_start_index=True
        )
        self._store = InMemoryVectorStore(load_embeddings(settings))
        self._store.add_documents(
            splitter.create_documents(
                [article.text for article in self.articles],
                [{"article": article.id} for article in self.articles],
            )
        )

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        article_ids: Sequence[str] | None = None,
    ) -> Answer:
        """Return the nearest chunk, whatever the question."""
        found = self._store.similarity_search_with_score(
            question,
            self.top_k,
            filter=lambda chunk: article_ids is None or chunk.metadata["article"] in article_ids,
        )
        hits = []
        for chunk, score in found:
            start, text = chunk.metadata["start_index"], chunk.page_content
            span = Span(start, start + len(text))
            passage = Passage(chunk.metadata["article"], span, text, (span,), span)
            hits.append(Hit(passage, score, score, 0.0, span, score))
        best = hits[0].passage
        return Answer(
            question=question,
            text=f"{best.text} [1]",
            plain=best.text,
            status="answered",
            reason=None,
            confidence=min(max(hits[0].score, 0.0), 1.0),
            citations=(Citation(1, best.article_id, best.span.start, best.span.end, best.text),),
            hits=tuple(hits),
            engine="tutorial",
        )
