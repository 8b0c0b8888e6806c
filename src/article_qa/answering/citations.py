"""Draft + articles -> Answer. The only place an Answer is made.

A draft is untrusted: it may point outside the article, at boilerplate, at half a sentence, or at
nothing. Here it is cut down to what stands in the text; if nothing is left, the answer is a
refusal. Quotes are cut from the article, never copied from an engine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from article_qa.language.orders import addressed_to_model
from article_qa.types import Answer, Article, Citation, Draft, Evidence, Hit, Span, Statement

NOT_IN_ARTICLE = "The article does not say."
"""What a refusal says; also the phrase a chat model is told to use."""

PERHAPS = "Perhaps: "
"""How an answer that is not sure begins."""

ORDERS = "The passage quoted gives orders to AI models. They are words of the article, no evidence."
"""Goes with an answer that rests on such a passage, which is never given as sure."""


@dataclass
class _Numbering:
    """Gives each distinct passage one number, in order of first use, and gathers its focus."""

    articles: Mapping[str, Article]
    focus: dict[tuple[str, int, int], list[Span]] = field(default_factory=dict)

    def add(self, evidence: Evidence) -> int:
        key = (evidence.article_id, evidence.span.start, evidence.span.end)
        spans = self.focus.setdefault(key, [])
        spans += [span for span in evidence.focus if span not in spans]
        return list(self.focus).index(key) + 1

    def citations(self) -> tuple[Citation, ...]:
        return tuple(
            Citation(
                number=number,
                article_id=article_id,
                start=start,
                end=end,
                quote=self.articles[article_id].text[start:end],
                focus=tuple(sorted(spans)),
                page=self.articles[article_id].page_at(start),
            )
            for number, ((article_id, start, end), spans) in enumerate(self.focus.items(), 1)
        )


def verify(
    draft: Draft,
    question: str,
    hits: Sequence[Hit],
    articles: Mapping[str, Article],
    *,
    understood_as: str | None = None,
    show_unsupported: bool = False,
) -> Answer:
    """Turn a draft into an answer whose every citation is a slice of its article.

    Args:
        draft: what an engine proposed.
        question: as it was asked.
        hits: the passages that were considered, best first.
        articles: the articles that may be cited, by id.
        understood_as: the standalone question, where it differs from ``question``.
        show_unsupported: keep a statement that has a text of its own but no evidence; it is shown
            without a marker. The default drops it.

    Returns:
        An answer, or a refusal where no statement with evidence is left.
    """
    numbering = _Numbering(articles)
    plain: list[str] = []
    marked: list[str] = []
    for statement in draft.statements:
        evidence = [kept for e in statement.evidence if (kept := _checked(e, articles))]
        words = _words(statement, evidence, articles)
        if not words or not (evidence or (show_unsupported and statement.text)):
            continue
        numbers = sorted({numbering.add(e) for e in evidence})
        plain.append(words)
        marked.append(" ".join([words, *(f"[{n}]" for n in numbers)]))
    citations = numbering.citations()
    refused = not citations
    nearest = _Numbering(articles)
    if refused:
        for e in draft.nearest:
            if kept := _checked(e, articles):
                nearest.add(kept)
    orders = any(addressed_to_model(citation.quote) for citation in citations)
    status = draft.status
    if refused and status != "invalid":
        status = "refused"
    elif orders and status == "answered":
        status = "unsure"
    lead = PERHAPS if status == "unsure" else ""
    return Answer(
        question=question,
        text=NOT_IN_ARTICLE if refused else lead + draft.separator.join(marked),
        plain=NOT_IN_ARTICLE if refused else draft.separator.join(plain),
        status=status,
        reason=(draft.reason or "No passage supports an answer.") if refused else None,
        confidence=min(1.0, max(0.0, draft.confidence)),
        citations=citations,
        hits=tuple(hits),
        nearest=nearest.citations(),
        understood_as=understood_as,
        notice=" ".join(filter(None, [ORDERS if orders else None, draft.notice])) or None,
        usage=draft.usage,
        engine=draft.engine,
    )


def invalid(question: str, reason: str) -> Answer:
    """Return the answer to what is no question: nothing, or more than can be read."""
    return verify(Draft(reason=reason, status="invalid"), question, (), {})


def why_invalid(question: str, limit: int) -> str | None:
    """Say why a text is no question that can be asked; None where it is one.

    Args:
        question: as it was asked.
        limit: characters it may have.
    """
    if not question.strip():
        return "The question is empty."
    if len(question) > limit:
        return f"The question has {len(question):,} characters; at most {limit:,} are read."
    return None


def _checked(evidence: Evidence, articles: Mapping[str, Article]) -> Evidence | None:
    """Trim evidence to a quotable range, or return None where there is none.

    Outside the article, empty, or touching boilerplate: nothing is left. White space at the ends
    is dropped; focus outside the quote is dropped.
    """
    article = articles.get(evidence.article_id)
    if article is None:
        return None
    start, end = evidence.span.start, evidence.span.end
    if not 0 <= start < end <= len(article.text):
        return None
    quote = article.text[start:end]
    if not quote.strip():
        return None
    start += len(quote) - len(quote.lstrip())
    end -= len(quote) - len(quote.rstrip())
    span = Span(start, end)
    blocks = [block for block in article.blocks if block.span.overlaps(span)]
    if not blocks or any(block.kind == "boilerplate" for block in blocks):
        return None
    focus = tuple(s for s in evidence.focus if s.start < s.end and span.contains(s))
    return Evidence(evidence.article_id, span, focus)


def _words(
    statement: Statement, evidence: Sequence[Evidence], articles: Mapping[str, Article]
) -> str:
    """Return what a statement says: its own text, or the focus or quote of its evidence."""
    if statement.text is not None:
        return statement.text.strip()
    if not evidence:
        return ""
    text = articles[evidence[0].article_id].text
    focus = [text[s.start : s.end] for e in evidence for s in e.focus]
    return " ".join(focus) if focus else text[evidence[0].span.start : evidence[0].span.end]
