"""ArticleQA: the one place where the parts are wired, as a LangChain runnable chain.

``understand`` (a follow-up made to stand alone) -> ``retrieve`` -> ``read`` (an engine's draft) ->
``verify`` (the answer).
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypedDict, Unpack, cast

from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.runnables.config import run_in_executor

from article_qa.answering import citations
from article_qa.answering.extractive import ExtractiveEngine
from article_qa.answering.overview import (
    MAX_ARTICLES,
    WHOLE_KINDS,
    central_sentences,
    overview_kind,
)
from article_qa.answering.question import questions_of
from article_qa.answering.reader import Reader, load_reader
from article_qa.config import Settings
from article_qa.conversation.followup import standalone
from article_qa.conversation.history import Conversation
from article_qa.errors import IndexUnusableError
from article_qa.reading.article import parse_article, parse_file, read_articles, unique_ids
from article_qa.reading.passages import cut_passages
from article_qa.retrieval.embeddings import Embedder, Progress, as_embedder
from article_qa.retrieval.retriever import HitDocument, HybridRetriever
from article_qa.retrieval.store_local import LocalStore
from article_qa.retrieval.stores import new_store, saved_store
from article_qa.stages import Stages
from article_qa.types import Answer, Article, Draft, Engine, Event, Hit, Store, Turn

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True, slots=True)
class Request:
    """A question on its way through the chain.

    Args:
        question: as it was asked.
        history: the conversation so far, oldest first.
        article_ids: answer from these articles only; None for all.
        standalone: the question made to stand alone.
        hits: what was found, best first.
        draft: what the engine proposes.
        answer: set at once where no chain is needed (an empty question).
        stages: how long each stage took so far.
    """

    question: str
    history: tuple[Turn, ...] = ()
    article_ids: tuple[str, ...] | None = None
    standalone: str = ""
    hits: tuple[Hit, ...] = ()
    draft: Draft | None = None
    answer: Answer | None = None
    stages: Stages = field(default_factory=Stages, compare=False)


class Parts(TypedDict, total=False):
    """The parts of an ``ArticleQA`` that may be replaced; each is None for the default.

    Args:
        chat_model: what writes the answers: a LangChain chat model, or the name of one
            (``"ollama:llama3.2"``). By default answers are words of the article itself.
        engine: what drafts the answers, in place of the reader and of a chat model.
        reader: the reader, to share with another ``ArticleQA``.
    """

    chat_model: str | BaseChatModel | None
    engine: Engine | None
    reader: Reader | None


class Places(Parts, total=False):
    """``Parts``, and where new articles are kept.

    Args:
        embeddings: any LangChain ``Embeddings``, in place of the model that settings name.
        store: a ``Store``, which has its own settings and embeddings, or the address of a Milvus
            collection (``"milvus+file:///path/library.db"``, ``"milvus+http://host:19530/name"``).
            By default they are kept in memory.
        objects: folder or bucket of the articles' texts, for an address; see ``MilvusStore``.
    """

    embeddings: Embeddings | None
    store: str | Store | None
    objects: str | None


class ArticleQA:
    """Answers questions about articles, each statement with the exact passage it rests on.

    Make one with ``from_files``, ``from_texts`` or ``load``. Safe to share between threads.

    Args:
        store: the articles, made searchable.
        chat_model: see ``Parts``.
        engine: see ``Parts``.
        reader: see ``Parts``.

    Raises:
        ModelError: the reader is missing.
        MissingExtraError: the chat model's package is not installed.
        ValueError: both an engine and a chat model.
    """

    def __init__(
        self,
        store: Store,
        *,
        chat_model: str | BaseChatModel | None = None,
        engine: Engine | None = None,
        reader: Reader | None = None,
    ) -> None:
        if engine is not None and chat_model is not None:
            raise ValueError("Give an engine or a chat model, not both: either drafts the answers.")
        self.store = store
        self.settings = store.settings
        self.reader = reader or load_reader(self.settings)
        self.chat_model = chat_model
        self._own_engine = engine
        self._stand_alone: Callable[[str, Sequence[Turn]], str] = standalone
        extractive = ExtractiveEngine(self.reader, self.settings)
        self.engine = engine or extractive
        # Several questions at once: an engine that writes answers them together.
        self._questions: Callable[[str], tuple[str, ...]] = lambda question: (question,)
        if chat_model is not None:
            from article_qa.chat.engine import ChatEngine, rewrite_with_model

            chat = ChatEngine(chat_model, self.settings, fallback=extractive)
            self.engine = chat
            self.chat_model = chat.model or chat_model  # made once, for all who share it
            self._stand_alone = partial(rewrite_with_model, chat.model)
        elif engine is None:
            self._questions = questions_of

    @classmethod
    def from_files(
        cls,
        paths: str | Path | Iterable[str | Path],
        settings: Settings | None = None,
        *,
        progress: Progress | None = None,
        **places: Unpack[Places],
    ) -> ArticleQA:
        """Read and index files or folders; a file's name without suffix is its article's id.

        Args:
            paths: files (``reading.article.SUFFIXES``), folders of such, or one of them.
            settings: None for the defaults.
            progress: called with (texts embedded, texts in all).
            places: see ``Places``.

        Raises:
            ArticleError: a file cannot be read.
            IndexUnusableError: the store cannot be reached, or was made with other settings.
            ModelError: a model cannot be loaded.
        """
        return cls.from_articles(
            read_articles(paths, settings), settings, progress=progress, **places
        )

    @classmethod
    def from_bytes(
        cls,
        files: Mapping[str, bytes],
        settings: Settings | None = None,
        **places: Unpack[Places],
    ) -> ArticleQA:
        """Read and index files that are in memory, by name; nothing is written to disk.

        Args:
            files: each file's content by its name, which says the format: ``{"a.pdf": data}``.
            settings: None for the defaults.
            places: see ``Places``.

        Raises:
            ArticleError: a file cannot be read.
            ModelError: a model cannot be loaded.
        """
        settings = settings or Settings()
        ids = unique_ids(PurePath(name).stem for name in files)
        articles = [
            parse_file(name, data, settings, id=id)
            for (name, data), id in zip(files.items(), ids, strict=True)
        ]
        return cls.from_articles(articles, settings, **places)

    @classmethod
    def from_texts(
        cls,
        texts: Mapping[str, str],
        settings: Settings | None = None,
        **places: Unpack[Places],
    ) -> ArticleQA:
        """Index texts, given by id.

        Raises:
            ArticleError: a text is empty.
            ModelError: a model cannot be loaded.
        """
        articles = [parse_article(text, id=id) for id, text in texts.items()]
        return cls.from_articles(articles, settings, **places)

    @classmethod
    def from_articles(
        cls,
        articles: Iterable[Article],
        settings: Settings | None = None,
        *,
        progress: Progress | None = None,
        store: str | Store | None = None,
        objects: str | None = None,
        embeddings: Embeddings | None = None,
        **parts: Unpack[Parts],
    ) -> ArticleQA:
        """Index articles that are read already; see ``from_files``."""
        settings = settings or Settings()
        kept = new_store(store, settings, as_embedder(embeddings, settings), objects)
        kept.add(articles, progress)
        return cls(kept, **parts)

    @classmethod
    def load(
        cls,
        place: str | Path,
        settings: Settings | None = None,
        *,
        sources: str | Path | Iterable[str | Path] | None = None,
        objects: str | None = None,
        embeddings: Embeddings | None = None,
        **parts: Unpack[Parts],
    ) -> ArticleQA:
        """Open a saved index.

        Args:
            place: the folder where ``save`` wrote it, or the address of a Milvus collection.
            settings: None for the defaults.
            sources: files or folders the index was made from, if at hand: what changed since is
                indexed again, in memory.
            objects: see ``Places``.
            embeddings: what the articles were embedded with; None for what settings name.
            parts: see ``Parts``.

        Raises:
            IndexUnusableError: it is corrupt, stale or from a newer version; the message names the
                command that mends it.
        """
        settings = settings or Settings()
        articles = None if sources is None else read_articles(sources, settings)
        embedder = as_embedder(embeddings, settings)
        return cls(saved_store(place, settings, embedder, articles, objects), **parts)

    def save(self, directory: str | Path) -> None:
        """Write the index, whole or not at all; see ``LocalStore.save``.

        Raises:
            IndexUnusableError: it cannot be written, or is kept by a server.
        """
        if not isinstance(self.store, LocalStore):
            raise IndexUnusableError(
                "These articles are kept in their store already, and are not written to a folder."
            )
        self.store.save(directory)

    def with_articles(
        self, articles: Iterable[Article], progress: Progress | None = None
    ) -> ArticleQA:
        """Return another ``ArticleQA`` over other articles, sharing the loaded models."""
        return ArticleQA(
            LocalStore.build(articles, self.settings, self.embeddings, progress),
            chat_model=self.chat_model,
            engine=self._own_engine,
            reader=self.reader,
        )

    @property
    def articles(self) -> tuple[Article, ...]:
        """The articles, in the order they were added."""
        return tuple(self.store.articles_by_id.values())

    @property
    def embeddings(self) -> Embedder:
        """What embeds passages and questions."""
        return self.store.embeddings

    def warm_up(self) -> None:
        """Load the models now, so that the first question does not wait for them.

        Raises:
            ModelError: a model cannot be loaded.
        """
        self.embeddings.embed_query("?")
        if self.reader is not None:
            self.reader.load()

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        article_ids: Sequence[str] | None = None,
    ) -> Answer:
        """Answer a question.

        Args:
            question: in words; empty or too long, it is refused.
            history: the conversation so far, oldest first.
            article_ids: answer from these articles only.

        Returns:
            The answer; ``refused`` where the articles do not say.

        Raises:
            ArticleError: there is no article of such an id.
            ModelError: a model cannot be loaded.
            TypeError: the question is no string.
        """
        began = time.perf_counter()
        answer = self.as_runnable().invoke(_request(question, history, article_ids))
        return replace(answer, seconds=time.perf_counter() - began)

    async def aask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        article_ids: Sequence[str] | None = None,
    ) -> Answer:
        """Do what ``ask`` does, in a worker thread."""
        began = time.perf_counter()
        answer = await self.as_runnable().ainvoke(_request(question, history, article_ids))
        return replace(answer, seconds=time.perf_counter() - began)

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        article_ids: Sequence[str] | None = None,
    ) -> Iterator[Event]:
        """Answer a question, with the words as they come.

        Yields:
            Events of kind ``"text"`` (unverified words), then one ``"answer"``, equal to what
            ``ask`` returns. Closing the iterator stops the model.
        """
        began = time.perf_counter()
        request = self._retrieve(
            self._understand(_request(question, history, article_ids)), RunnableConfig()
        )
        if request.answer or len(self._questions(request.question)) > 1:
            request = self._read(request)
        else:
            pieces = self.engine.stream(request.standalone, request.hits, self._asked(request))
            for piece in pieces:
                if isinstance(piece, str):
                    yield Event("text", text=piece)
                else:
                    request = replace(request, draft=piece)
        answer = replace(self._verify(request), seconds=time.perf_counter() - began)
        yield Event("answer", answer=answer)

    async def astream(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        article_ids: Sequence[str] | None = None,
    ) -> AsyncIterator[Event]:
        """Do what ``stream`` does, each step in a worker thread."""
        events = self.stream(question, history=history, article_ids=article_ids)
        while (event := await run_in_executor(None, next, events, None)) is not None:
            yield event

    def chat(
        self, history: Iterable[Turn] = (), *, article_ids: Sequence[str] | None = None
    ) -> Conversation:
        """Return a conversation: follow-up questions are understood in their context.

        Args:
            history: turns to go on from, oldest first.
            article_ids: answer from these articles only.
        """
        return Conversation(
            partial(self.ask, article_ids=article_ids),
            stream=partial(self.stream, article_ids=article_ids),
            history_turns=self.settings.history_turns,
            turns=tuple(history),
        )

    def as_retriever(
        self, *, k: int | None = None, article_ids: Sequence[str] | None = None
    ) -> HybridRetriever:
        """Return the retriever, a LangChain ``BaseRetriever``.

        Args:
            k: passages to return; None means ``Settings.top_k``.
            article_ids: search only these articles; None searches all.
        """
        return HybridRetriever(store=self.store, k=k, article_ids=_ids(article_ids))

    def as_runnable(self) -> Runnable[str | Request, Answer]:
        """Return the chain: ``invoke``, ``batch``, ``stream``, their async twins, callbacks.

        Its input is a question, or a ``Request`` with a history or article ids.
        """
        return cast(
            Runnable[str | Request, Answer],
            RunnableLambda(self._understand, name="understand")
            | RunnableLambda(self._retrieve, name="retrieve")
            | RunnableLambda(self._read, name="read")
            | RunnableLambda(self._verify, name="verify"),
        )

    def _understand(self, request: str | Request) -> Request:
        if isinstance(request, str):
            request = Request(request)
        request = replace(request, stages=Stages())
        question = request.question
        if not isinstance(question, str):
            raise TypeError(f"A question is a string, not {type(question).__name__}.")
        if reason := citations.why_invalid(question, self.settings.max_question_chars):
            return replace(request, answer=citations.invalid(question, reason))
        if len(self._questions(question)) > 1:  # each is understood after those before it
            return replace(request, standalone=question)
        with request.stages.timed("understand"):
            return replace(request, standalone=self._stand_alone(question, request.history))

    def _retrieve(self, request: Request, config: RunnableConfig) -> Request:
        if request.answer is not None:
            return request
        with request.stages.timed("retrieve"):
            if overview_kind(request.standalone) in WHOLE_KINDS:
                return replace(request, hits=self._central_hits(request))
            documents = self.as_retriever().invoke(
                request.standalone, config, article_ids=request.article_ids
            )
            return replace(request, hits=tuple(cast(HitDocument, d).hit for d in documents))

    def _central_hits(self, request: Request) -> tuple[Hit, ...]:
        """Return the passages of the central sentences: no passage is about a whole article."""
        shown = list(islice(self._asked(request).values(), MAX_ARTICLES))
        return tuple(
            Hit(passage, 0.0, 0.0, 0.0, sentence, 0.0)
            for article in shown
            for passages in (cut_passages(article, self.settings),)
            for sentence in central_sentences(article, max(1, self.settings.top_k // len(shown)))
            for passage in passages
            if passage.span.contains(sentence)
        )

    def _read(self, request: Request) -> Request:
        if request.answer is not None:
            return request
        parts = self._questions(request.question)
        return self._read_parts(request, parts) if len(parts) > 1 else self._draft(request)

    def _draft(self, request: Request) -> Request:
        if request.answer is not None:
            return request
        draft = self.engine.draft(request.standalone, request.hits, self._asked(request))
        return replace(request, draft=draft)

    def _read_parts(self, request: Request, parts: Sequence[str]) -> Request:
        """Answer several questions asked at once, each in the context of those before it."""
        read: list[Request] = []
        turns = request.history
        for part in parts:
            asked = self._understand(Request(part, turns, request.article_ids))
            read.append(self._draft(self._retrieve(asked, RunnableConfig())))
            turns = (*turns, Turn(part, self._verify(read[-1])))
            request.stages.add(turns[-1].answer.stages)
        understood = tuple(one.standalone for one in read)
        return replace(
            request,
            standalone=request.standalone if understood == parts else " ".join(understood),
            hits=tuple(dict.fromkeys(hit for one in read for hit in one.hits)),
            draft=_joined(parts, [one.draft or Draft() for one in read]),
        )

    def _asked(self, request: Request) -> Mapping[str, Article]:
        """Return the articles that a request may be answered from, by id."""
        articles, wanted = self.store.articles_by_id, request.article_ids
        return articles if wanted is None else {i: articles[i] for i in wanted}

    def _verify(self, request: Request) -> Answer:
        if request.answer is not None or request.draft is None:
            return request.answer or citations.invalid(request.question, "No answer was drafted.")
        stages = Stages(request.stages)
        stages.add(request.draft.stages)
        with stages.timed("verify"):
            answer = citations.verify(
                request.draft,
                request.question,
                request.hits,
                self.store.articles_by_id,
                understood_as=(
                    request.standalone if request.standalone != request.question else None
                ),
                show_unsupported=self.settings.show_unsupported,
            )
        return replace(answer, stages=stages)


def _joined(questions: Sequence[str], drafts: Sequence[Draft]) -> Draft:
    """Make one draft of the answers to several questions; those without one are named."""
    given = [draft for draft in drafts if draft.statements]
    if not given:
        return drafts[0]
    silent = [q for q, draft in zip(questions, drafts, strict=True) if not draft.statements]
    return Draft(
        statements=tuple(statement for draft in given for statement in draft.statements),
        confidence=min(draft.confidence for draft in given),
        separator="; ",
        notice=f"The article does not say: {' '.join(silent)}" if silent else None,
    )


def _request(question: str, history: Sequence[Turn], article_ids: Sequence[str] | None) -> Request:
    return Request(question, tuple(history), _ids(article_ids))


def _ids(article_ids: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return article ids as a tuple; a single one may come as a string."""
    if article_ids is None:
        return None
    return (article_ids,) if isinstance(article_ids, str) else tuple(article_ids)
