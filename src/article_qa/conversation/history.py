"""A conversation: its turns, asking in their light, saving and restoring it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from article_qa.errors import HistoryError
from article_qa.types import Answer, Article, Event, Turn


class Ask(Protocol):
    """Answers a question in the light of a history: ``ArticleQA.ask``."""

    def __call__(self, question: str, /, *, history: Sequence[Turn]) -> Answer:
        """Answer ``question``."""
        ...


class Stream(Protocol):
    """The same in events, the answer last: ``ArticleQA.stream``."""

    def __call__(self, question: str, /, *, history: Sequence[Turn]) -> Iterator[Event]:
        """Answer ``question`` in events."""
        ...


class Conversation:
    """Questions and answers that refer to each other. Made by ``ArticleQA.chat``.

    Args:
        ask: answers a question given the turns so far.
        stream: the same in events; None makes ``stream`` yield the finished answer alone.
        history_turns: how many turns are remembered; older ones are forgotten.
        turns: a history to go on from, oldest first.
    """

    def __init__(
        self,
        ask: Ask,
        *,
        stream: Stream | None = None,
        history_turns: int = 10,
        turns: Iterable[Turn] = (),
    ) -> None:
        if history_turns < 1:
            raise ValueError(f"history_turns must be at least 1, not {history_turns}")
        self._ask = ask
        self._stream = stream
        self._turns: deque[Turn] = deque(turns, maxlen=history_turns)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The remembered turns, oldest first."""
        return tuple(self._turns)

    def ask(self, question: str) -> Answer:
        """Answer a question in the light of the turns so far, and remember it."""
        answer = self._ask(question, history=self.turns)
        self._turns.append(Turn(question, answer))
        return answer

    def stream(self, question: str) -> Iterator[Event]:
        """Answer in events; the turn is remembered when the answer, the last event, has come.

        Closing the iterator stops the answer, and nothing is remembered.
        """
        if self._stream is None:
            yield Event("answer", answer=self.ask(question))
            return
        for event in self._stream(question, history=self.turns):
            if event.answer is not None:
                self._turns.append(Turn(question, event.answer))
            yield event

    def clear(self) -> None:
        """Forget all turns."""
        self._turns.clear()

    def to_dict(self) -> dict[str, Any]:
        """Return the conversation as plain JSON types, to be saved; hits are left out."""
        turns = []
        for turn in self._turns:
            answer = turn.answer.to_dict() | {"hits": []}
            turns.append({"question": turn.question, "answer": answer})
        return {"history_turns": self._turns.maxlen, "turns": turns}

    @classmethod
    def from_dict(
        cls,
        data: Mapping[str, Any],
        ask: Ask,
        *,
        stream: Stream | None = None,
        articles: Iterable[Article] | None = None,
    ) -> Conversation:
        """Restore what ``to_dict`` gave.

        Args:
            data: the saved conversation.
            ask: as for the constructor.
            stream: as for the constructor.
            articles: when given, every citation is checked against them, so that a restored quote
                is the article's own text.

        Raises:
            HistoryError: a citation is not what ``articles`` say there; the conversation was held
                over other articles.
        """
        turns = [Turn(t["question"], Answer.from_dict(t["answer"])) for t in data["turns"]]
        if articles is not None:
            by_id = {article.id: article for article in articles}
            for turn in turns:
                _check_citations(turn.answer, by_id)
        return cls(ask, stream=stream, history_turns=data["history_turns"], turns=turns)


def _check_citations(answer: Answer, articles: Mapping[str, Article]) -> None:
    for citation in (*answer.citations, *answer.nearest):
        article = articles.get(citation.article_id)
        if article is None or article.text[citation.start : citation.end] != citation.quote:
            raise HistoryError(
                f"the saved conversation cites {citation.quote[:60]!r}, which is not at "
                f"{citation.article_id}:{citation.start}-{citation.end} of these articles: it was "
                "held over others. Load those, or start a new conversation."
            )
