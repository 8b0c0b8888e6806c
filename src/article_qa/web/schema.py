"""What goes in and out over HTTP and MCP, as typed models; answers are ``Answer.to_dict()``.

The models describe: a REST answer is the very bytes of ``Answer.to_dict()``, and a test holds the
two to the same fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from article_qa.chat.clean import clean_line
from article_qa.errors import HistoryError
from article_qa.types import Answer, Article, Citation, Span, Turn

MAX_HISTORY = 50
"""Turns of a history that are looked at; the conversation itself remembers fewer."""
MAX_SAID = 20_000
"""Characters of an earlier answer that a client may send."""
MAX_CITED = 100
"""Citations of an earlier answer that a client may send."""
READ_QUESTION, READ_ANSWER = 1000, 2000
"""Characters of an earlier question and answer that a follow-up is understood from."""

Status = Literal["answered", "unsure", "refused", "invalid"]
Offset = Annotated[int, Field(ge=0)]


class CitationModel(BaseModel):
    """An exact passage: ``text[start:end] == quote`` of the article of that id."""

    model_config = ConfigDict(extra="allow")

    number: int = Field(description="the marker in `text`")
    article_id: str
    start: Offset = Field(description="in Unicode characters, as in a Python string")
    end: Offset = Field(description="exclusive")
    quote: str
    focus: list[tuple[Offset, Offset]] = Field(
        default=[], description="the answer's own words, as ranges of the article"
    )


class HitModel(BaseModel):
    """A passage that was considered, best first."""

    model_config = ConfigDict(extra="allow")

    article_id: str
    start: Offset
    end: Offset
    text: str
    score: float


class UsageModel(BaseModel):
    """What a chat model consumed."""

    input_tokens: int
    output_tokens: int


class AnswerModel(BaseModel):
    """An answer in which every statement carries its citation, or a refusal with its reason."""

    model_config = ConfigDict(extra="allow")

    question: str
    text: str = Field(description="the answer with markers such as [1]")
    plain: str = Field(description="the same without markers")
    status: Status | None = None
    refused: bool
    reason: str | None
    confidence: float = Field(ge=0, le=1, description="calibrated probability of being right")
    citations: list[CitationModel]
    nearest: list[CitationModel] = Field(description="with a refusal: what came closest")
    hits: list[HitModel] = []
    understood_as: str | None
    notice: str | None
    usage: UsageModel | None
    engine: str


class ArticleSummary(BaseModel):
    """An article that can be asked."""

    id: str
    title: str
    characters: int
    sha256: str = Field(description="of the text in UTF-8")
    own: bool = Field(default=False, description="whether it belongs to this session alone")


class BlockModel(BaseModel):
    """A part of an article: a headline, a paragraph, a caption."""

    kind: str
    start: Offset
    end: Offset
    sentences: list[tuple[Offset, Offset]]


class ArticleModel(ArticleSummary):
    """An article whole, so that a client can check `text[start:end]`."""

    text: str
    blocks: list[BlockModel]
    metadata: dict[str, Any]
    notes: list[str]


class CitationIn(BaseModel):
    """A citation of an earlier answer; it counts only if its article says so."""

    number: int = 1
    article_id: str = Field(max_length=500)
    start: int
    end: int
    quote: str = Field(max_length=MAX_SAID)
    focus: list[tuple[int, int]] = Field(default=[], max_length=MAX_CITED)


class TurnIn(BaseModel):
    """An earlier answer, as it was returned; what is not needed may be left out."""

    question: str = Field(max_length=MAX_SAID)
    text: str = Field(default="", max_length=MAX_SAID)
    plain: str = Field(max_length=MAX_SAID)
    refused: bool
    citations: list[CitationIn] = Field(default=[], max_length=MAX_CITED)
    understood_as: str | None = Field(default=None, max_length=MAX_SAID)


History = Annotated[list[TurnIn], Field(max_length=MAX_HISTORY)]
_HISTORY: TypeAdapter[list[TurnIn]] = TypeAdapter(History)


class Question(BaseModel):
    """A question, and what it is asked of."""

    question: str = Field(examples=["Who wrote this article?"])
    article_ids: list[str] | None = Field(
        default=None, max_length=1000, description="only in these articles; left out: in all"
    )
    history: History = Field(default=[], description="earlier answers, oldest first")
    text: str | None = Field(default=None, description="ask this text in place of the articles")


class ArticleIn(BaseModel):
    """A text to be asked in a session."""

    text: str
    name: str = Field(default="your text", max_length=200)


class Added(BaseModel):
    """An article that was added, and the session that alone may ask it."""

    session: str = Field(description="send it as the header X-Session")
    article: ArticleSummary


def summary(article: Article, *, own: bool = False) -> ArticleSummary:
    """Describe an article in a line."""
    return ArticleSummary(
        id=article.id,
        title=article.title,
        characters=len(article.text),
        sha256=article.sha256,
        own=own,
    )


def whole(article: Article, *, own: bool = False) -> ArticleModel:
    """Describe an article with its text and blocks."""
    blocks = [
        BlockModel(
            kind=block.kind,
            start=block.span.start,
            end=block.span.end,
            sentences=[(s.start, s.end) for s in block.sentences],
        )
        for block in article.blocks
    ]
    return ArticleModel(
        **summary(article, own=own).model_dump(),
        text=article.text,
        blocks=blocks,
        metadata=dict(getattr(article, "metadata", None) or {}),
        notes=list(article.notes),
    )


def read_history(rows: object) -> list[TurnIn]:
    """Read earlier answers as a client sent them.

    Raises:
        HistoryError: they are not what was returned, or too many or too long.
    """
    try:
        return _HISTORY.validate_python(rows or [])
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise HistoryError(
            "history must hold earlier results of /ask, as they were returned: "
            f"{where}: {first['msg']}"
        ) from error


def turns_of(
    rows: Sequence[TurnIn], articles: Mapping[str, Article], *, keep: int
) -> tuple[Turn, ...]:
    """Make turns of earlier answers; a citation that is no slice of its article is dropped.

    Args:
        rows: oldest first.
        articles: what may be cited, by id.
        keep: how many of the last ones.
    """
    return tuple(_turn(row, articles) for row in rows[-keep:])


def _turn(row: TurnIn, articles: Mapping[str, Article]) -> Turn:
    question = clean_line(row.question, READ_QUESTION)
    understood = row.understood_as and clean_line(row.understood_as, READ_QUESTION)
    citations = () if row.refused else tuple(c for c in row.citations if _true(c, articles))
    plain = clean_line(row.plain, READ_ANSWER)
    answer = Answer(
        question=question,
        text=clean_line(row.text or row.plain, READ_ANSWER),
        plain=plain,
        status="refused" if row.refused or not plain else "answered",
        reason=None,
        confidence=0.0,
        citations=tuple(
            Citation(
                c.number, c.article_id, c.start, c.end, c.quote,
                tuple(Span(a, b) for a, b in c.focus if c.start <= a < b <= c.end),
            )
            for c in citations
        ),
        hits=(),
        understood_as=understood or None,
    )  # fmt: skip
    return Turn(question, answer)


def _true(citation: CitationIn, articles: Mapping[str, Article]) -> bool:
    article = articles.get(citation.article_id)
    return (
        article is not None
        and 0 <= citation.start < citation.end <= len(article.text)
        and article.text[citation.start : citation.end] == citation.quote
    )
