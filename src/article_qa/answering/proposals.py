"""Everything that might be the answer: each source proposes, none decides.

A proposal is an untrusted pointer into an article with the source it comes from. ``judge`` weighs
all of them by the same features and decides.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from article_qa.answering.findings import Findings, Window, sentences_of
from article_qa.answering.overview import form_evidence, overview_kind
from article_qa.answering.question import Question, asked_about
from article_qa.answering.topic import topic_draft, topic_of
from article_qa.answering.verifier import Verified
from article_qa.language.clauses import clause_around
from article_qa.language.parse import parse
from article_qa.language.speech import Attribution, asked_words, speech_of
from article_qa.retrieval.lexical import tokens
from article_qa.types import Article, Evidence, Span, Statement

Source = Literal[
    "reader", "verdict", "sentence", "list", "front", "speaker", "description", "topic", "pair"
]
SOURCES: tuple[Source, ...] = get_args(Source)

MAX_SPANS = 8
"""Spans of the reader that are proposed: the best by margin; the right one is hardly ever lower."""

MAX_SENTENCES = 12
"""Sentences that retrieval likes best that are proposed as they stand. Of typed questions the right
one is among the first 3 for 65%, among 6 for 80%, among 12 for 89%."""

MAX_ITEMS = 15
"""A longer list is no answer."""

MAX_PAIRS = 3
"""Sentences that are shown beside the best one for a question that compares."""

MAX_SPEAKERS = 2
MAX_DESCRIPTIONS = 3
"""Attributions that hold most of the words asked for, and descriptions, that are proposed."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A possible answer.

    Args:
        source: what proposes it.
        article: what it stands in.
        focus: the answer's words.
        cited: the sentences to be quoted for it.
        statements: what is said.
        window: where it was read, for those of the reader.
        notice: something the reader should know with it.
    """

    source: Source
    article: Article
    focus: Span
    cited: Span
    statements: tuple[Statement, ...]
    window: Window | None = None
    notice: str | None = None

    @property
    def words(self) -> str:
        """The answer's words as the article has them."""
        return self.article.text[self.focus.start : self.focus.end]


def propose(found: Findings) -> list[Proposal]:
    """Return all proposals for a question, in the order of the sources."""
    return [proposal for source in _PROPOSERS for proposal in source(found)]


def _spans(found: Findings) -> Iterator[Proposal]:
    """The reader's spans. A yes or no is no span: of those the sentence is the answer."""
    if found.question.yes_no:
        return
    for candidate in found.candidates[:MAX_SPANS]:
        article = candidate.window.article
        words = with_marks(article.text, candidate.span)
        cited = sentences_of(article, words)
        shown = _shown(found.question, article, words)
        support = _support(found.question, article, cited)
        evidence = Evidence(article.id, cited, (shown,))
        yield Proposal(
            "reader", article, words, cited, (Statement((*support, evidence)),), candidate.window
        )


def _shown(question: Question, article: Article, words: Span) -> Span:
    """Return what is said of a span: for why and how the whole clause it stands in."""
    if question.type not in ("reason", "manner"):
        return words
    return clause_around(parse(article), words)


def _verdicts(found: Findings) -> Iterator[Proposal]:
    """Yes or no, with the sentence of the window that the question is nearest to."""
    if not found.question.yes_no:
        return
    for window in found.windows:
        if window.verdict is None or window.hit is None:
            continue
        cited = _pointed_at(found, window) or window.hit.sentence
        text = "Yes" if window.verdict.yes >= window.verdict.no else "No"
        evidence = Evidence(window.article.id, cited)
        yield Proposal(
            "verdict", window.article, cited, cited, (Statement((evidence,), text),), window
        )


def _pointed_at(found: Findings, window: Window) -> Span | None:
    """Return the sentence of a window that the reader points at, if it points at any."""
    inside = [c for c in found.candidates if c.window is window and c.margin > 0]
    return sentences_of(window.article, inside[0].span) if inside else None


def _sentences(found: Findings) -> Iterator[Proposal]:
    """The sentences that retrieval likes best, as they stand."""
    ranked = sorted(
        ((hit.passage.article_id, scored) for hit in found.hits for scored in hit.sentences),
        key=lambda row: -row[1].score,
    )
    places = dict.fromkeys(
        (id, _answering(found.articles[id], scored.span)) for id, scored in ranked
    )
    for id, sentence in list(places)[:MAX_SENTENCES]:
        statement = Statement((Evidence(id, sentence),))
        yield Proposal("sentence", found.articles[id], sentence, sentence, (statement,))


def _answering(article: Article, sentence: Span) -> Span:
    """Return the sentence below a heading or behind a question, which is what answers it."""
    block = article.block_at(sentence.start)
    asks = article.text[sentence.start : sentence.end].rstrip().endswith("?")
    if not asks and (block is None or block.kind not in ("heading", "headline")):
        return sentence
    i = bisect_right(article.quotable, sentence.start, key=lambda s: s.start)
    return article.quotable[i] if i < len(article.quotable) else sentence


def _lists(found: Findings) -> Iterator[Proposal]:
    """Whole lists, where the question may ask for several things and one item is near."""
    if not found.question.plural:
        return
    near = [(p.article, p.cited) for p in (*_spans(found), *_sentences(found))]
    lists = [(article, _list_around(article, cited)) for article, cited in near]
    for id, items in dict.fromkeys((article.id, items) for article, items in lists if items[1:]):
        whole = Span(items[0].start, items[-1].end)
        statements = tuple(Statement((Evidence(id, item),)) for item in items)
        yield Proposal("list", found.articles[id], whole, whole, statements)


def _list_around(article: Article, cited: Span) -> tuple[Span, ...]:
    """Return the items of the list that a sentence stands in or leads to ('It needs:'), at most
    ``MAX_ITEMS``; else nothing.
    """
    blocks = article.blocks
    here = bisect_right(blocks, cited.start, key=lambda b: b.span.start) - 1
    if article.text[cited.end - 1] == ":" and cited.end == blocks[here].span.end:
        here = min(here + 1, len(blocks) - 1)
    if here < 0 or blocks[here].kind != "list":
        return ()
    first = last = here
    while first > 0 and blocks[first - 1].kind == "list":
        first -= 1
    while last + 1 < len(blocks) and blocks[last + 1].kind == "list":
        last += 1
    items = [Span(b.sentences[0].start, b.sentences[-1].end) for b in blocks[first : last + 1]]
    return tuple(items) if len(items) <= MAX_ITEMS else ()


def _front(found: Findings) -> Iterator[Proposal]:
    """Byline, dates, headline, credits, where the question's form asks for one of them."""
    kind = overview_kind(found.question.text)
    for article in _searched(found):
        for evidence in () if kind is None else form_evidence(kind, article):
            focus = evidence.focus[0] if evidence.focus else evidence.span
            yield Proposal("front", article, focus, evidence.span, (Statement((evidence,)),))


def _speakers(found: Findings) -> Iterator[Proposal]:
    """Who says the words that the question asks the speaker of."""
    words = asked_words(found.question.text)
    for article in _searched(found) if words else ():
        for match in speech_of(article).who_said(words or "")[:MAX_SPEAKERS]:
            said = match.attribution
            cited = sentences_of(article, said.named)
            statement = Statement(_heard(article, said))
            yield Proposal("speaker", article, said.named, cited, (statement,))


def _heard(article: Article, said: Attribution) -> tuple[Evidence, ...]:
    """Return the sentences that name the speaker and that say that he says it."""
    places = dict.fromkeys((sentences_of(article, said.named), sentences_of(article, said.speaker),
                            sentences_of(article, said.content[0])))  # fmt: skip
    return tuple(
        Evidence(article.id, place, (said.named,) if place.contains(said.named) else ())
        for place in sorted(places)
    )


def _descriptions(found: Findings) -> Iterator[Proposal]:
    """What an article calls somebody, for 'Who is X?'."""
    name = asked_about(found.question.text)
    for article in _searched(found) if name else ():
        for said in speech_of(article).people.describe(name)[:MAX_DESCRIPTIONS]:
            cited = sentences_of(article, said.span)
            statement = Statement((Evidence(article.id, cited, (said.span,)),))
            yield Proposal("description", article, said.span, cited, (statement,))


def _topics(found: Findings) -> Iterator[Proposal]:
    """What an article says about something, for 'Tell me about X'."""
    topic = topic_of(found.question.text)
    draft = topic_draft(topic, _searched(found)) if topic else None
    if draft is not None:
        first = draft.statements[0].evidence[0]
        article = found.articles[first.article_id]
        yield Proposal(
            "topic", article, first.span, first.span, draft.statements, notice=draft.notice
        )


_PROPOSERS: tuple[Callable[[Findings], Iterator[Proposal]], ...] = (
    _spans, _verdicts, _sentences, _lists, _front, _speakers, _descriptions, _topics,
)  # fmt: skip


def pairs(found: Findings, verified: Verified) -> Iterator[Proposal]:
    """The sentence that the verifier likes best beside each of the next ones, where a question
    compares: what one costs stands in one sentence, what the other costs in another.
    """
    if not found.question.compares or not verified:
        return
    best, *others = sorted(verified, key=lambda place: -verified[place])[: MAX_PAIRS + 1]
    for other in others:
        first, second = sorted((best, other))
        if first[0] == second[0] and first[1].overlaps(second[1]):
            continue
        statements = tuple(Statement((Evidence(id, span),)) for id, span in (first, second))
        id, cited = best
        yield Proposal("pair", found.articles[id], cited, cited, statements)


def _searched(found: Findings) -> list[Article]:
    """Return the articles of the hits, the likeliest first."""
    return [found.articles[i] for i in dict.fromkeys(h.passage.article_id for h in found.hits)]


def supported(question: Question, proposal: Proposal) -> tuple[Statement, ...]:
    """Return a proposal's statements; one of a sentence that says only 'he' or 'she' comes with the
    sentence that names whom.
    """
    if proposal.source != "sentence":
        return proposal.statements
    support = _support(question, proposal.article, proposal.cited)
    if not support:
        return proposal.statements
    said = Evidence(proposal.article.id, proposal.cited, (proposal.cited,))
    return (Statement((*support, said)),)


def _support(question: Question, article: Article, cited: Span) -> tuple[Evidence, ...]:
    """Return the nearest earlier sentence that names whom the question is about, where the cited
    one says only 'he' or 'she'.
    """
    text = article.text
    quote = f" {text[cited.start : cited.end].lower()} "
    stems = set(tokens(quote))
    names = question.without_first_names(question.names)
    wanted = [name for name in names if name not in stems]
    if not wanted or not any(f" {word} " in quote for word in ("he", "she", "they")):
        return ()
    held = article.sentences
    here = bisect_right(held, cited.start, key=lambda s: s.start) - 1
    for sentence in reversed(held[max(0, here - 3) : here]):
        if set(wanted) & set(tokens(text[sentence.start : sentence.end])):
            block = article.block_at(sentence.start)
            if block is not None and block.kind != "boilerplate":
                return (Evidence(article.id, sentence),)
    return ()


def with_marks(text: str, span: Span) -> Span:
    """Take in a quotation mark right beside a span whose partner the span holds."""
    words = text[span.start : span.end]
    before, behind = text[max(0, span.start - 1) : span.start], text[span.end : span.end + 1]
    for opening, closing in ("“”", "«»", "„“", '""'):
        odd = opening == closing and words.count(opening) % 2 == 1
        if before == opening and (odd or words.count(closing) > words.count(opening)):
            return Span(span.start - 1, span.end)
        if behind == closing and (odd or words.count(opening) > words.count(closing)):
            return Span(span.start, span.end + 1)
    return span
