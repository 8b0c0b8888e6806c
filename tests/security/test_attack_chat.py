"""A chat model's words that would deceive the eye, and streams that are cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from article_qa import ArticleQA
from article_qa.chat.clean import clean

SAID = "Captain Lena Marsh took command in 2015 [1]."


class Model(BaseChatModel):
    """Says pieces, and how it ended."""

    pieces: list[str]
    ended: dict[str, Any] = {}

    @property
    def _llm_type(self) -> str:
        return "pieces"

    def _generate(self, messages: list[BaseMessage], *args: Any, **more: Any) -> ChatResult:
        raise NotImplementedError

    def _stream(
        self, messages: list[BaseMessage], *args: Any, **more: Any
    ) -> Iterator[ChatGenerationChunk]:
        for piece in self.pieces:
            yield ChatGenerationChunk(message=AIMessageChunk(piece))
        last = AIMessageChunk("", response_metadata=self.ended)
        yield ChatGenerationChunk(message=last)


def ask(qa: ArticleQA, pieces: list[str], **ended: Any) -> Any:
    chatting = ArticleQA(qa.store, chat_model=Model(pieces=pieces, ended=ended), reader=qa.reader)
    events = list(chatting.stream("Who took command in 2015?"))
    for event in events:
        event.text.encode("utf-8")
    return events[-1].answer


@pytest.mark.parametrize(
    "pieces",
    [
        ["Captain Lena\ud83d", "\ude00 Marsh took command in 2015 [1]."],
        ["Captain \u202eLena\u202c Marsh took\u2066 command in 2015 [1]."],
        ["Captain\x00 Lena \x1b[31mMarsh took command in 2015 [1]."],
        ["\ufeffCaptain Lena Marsh \U000e0041took command in 2015 [1]."],
    ],
)
def test_what_deceives_the_eye_never_reaches_an_answer(qa: ArticleQA, pieces: list[str]) -> None:
    answer = ask(qa, pieces)
    for text in (answer.plain, answer.text):
        assert text == clean(text)
        text.encode("utf-8")
    assert "Marsh" in answer.plain


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        ({"finish_reason": "length"}, "length"),
        ({"finish_reason": "content_filter"}, "filter"),
        ({"stop_reason": "max_tokens"}, "length"),
        ({"finish_reason": "FinishReason.SAFETY"}, "filter"),
        ({"model_provider": "openai"}, "broke off"),
    ],
)
def test_an_answer_that_was_cut_off_is_said_to_be(
    qa: ArticleQA, ended: dict[str, str], told: str
) -> None:
    answer = ask(qa, [SAID, " The sea is"], **ended)
    assert "incomplete" in (answer.notice or "") and told in (answer.notice or "")
    assert answer.engine == "chat" and "sea" not in answer.plain


def test_an_answer_cut_off_in_its_first_sentence_is_found_without_the_model(qa: ArticleQA) -> None:
    answer = ask(qa, ["Captain Lena Marsh took"], finish_reason="length")
    assert answer.engine == "extractive"
    assert "reached the limit of its length" in (answer.notice or "")


def test_a_whole_answer_is_not_said_to_be_cut_off(qa: ArticleQA) -> None:
    for ended in ({"finish_reason": "stop", "model_provider": "openai"}, {}):
        assert ask(qa, [SAID], **ended).notice is None
