"""What speaks for and against a proposal, in numbers: the same ones for every source.

What the reader thinks of a proposal of another source is what it thinks of the spans there; what
the words have in common counts for all. No feature is a veto: the judge weighs them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from article_qa.answering.findings import Findings
from article_qa.answering.overview import overview_kind
from article_qa.answering.proposals import SOURCES, Proposal
from article_qa.answering.question import ANSWER_TYPES, Question, asked_about, fits
from article_qa.answering.reader import Verdict
from article_qa.answering.verifier import Verified
from article_qa.language.names import absent_words, contradicts
from article_qa.language.speech import speech_of
from article_qa.retrieval.lexical import tokens
from article_qa.types import Article, Hit, Span

SHORT_TYPES = ("person", "time", "number", "place")
"""Types of questions whose answer is a word or two. Of others the reader's span is no better than
the sentence that the judge prefers: taking it, 73.5% in place of 78.7% were right."""

NO_MARGIN = -12.0
"""Stands for the margin of a place that the reader never points at."""


NOT_SEEN = -8.0
"""Stands for the log-odds of a place that the reader or the verifier did not see."""


def features_of(
    found: Findings, proposals: Sequence[Proposal], verified: Verified
) -> list[dict[str, float]]:
    """Return each proposal's features, by name; all have the same names.

    Args:
        found: what was read for the question.
        proposals: all there are, since some features compare them.
        verified: what the verifier says to the sentences they cite.
    """
    shared = _question_features(found)
    surest = max(verified.values(), default=NOT_SEEN)
    best = max((c.margin for c in found.candidates), default=NO_MARGIN)
    return [
        {
            **shared,
            **{f"source_{source}": float(p.source == source) for source in SOURCES},
            **_reading_features(found, p, best),
            **_retrieval_features(found, p),
            **_word_features(found, p),
            **_verifying_features(verified, p, surest),
            **_sentence_features(found, p),
            "agreeing": float(sum(says_the_same(p, other) for other in proposals) - 1),
        }
        for p in proposals
    ]


def _question_features(found: Findings) -> dict[str, float]:
    """Return what is the same for all proposals of a question."""
    question = found.question
    there = frozenset[str]().union(
        *(_stems(found.articles[h.passage.article_id].text) for h in found.hits)
    )
    key = question.names + question.numbers
    verdicts = [_answerable(w.verdict) for w in found.windows]
    return {
        **{f"type_{kind}": float(question.type == kind) for kind in ANSWER_TYPES},
        "yes_no": float(question.yes_no),
        "plural": float(question.plural),
        "form": float(overview_kind(question.text) is not None),
        "stems": math.log1p(len(question.stems)),
        "in_article": _share(question.stems, there),
        "absent": float(_absent(found)),
        "names_missing": float(sum(stem not in there for stem in key)),
        "words_missing": float(sum(stem not in there for stem in question.stems)),
        "best_margin": _bound(max((c.margin for c in found.candidates), default=NO_MARGIN)),
        "best_verdict": max(verdicts, default=0.0),
        "best_dense": max((max(h.dense, h.sentence_dense) for h in found.hits), default=0.0),
    }


def _reading_features(found: Findings, proposal: Proposal, best: float) -> dict[str, float]:
    """Return what the reader thinks of a proposal's words, its sentence and its window."""
    here = [c for c in found.candidates if c.window.article is proposal.article]
    on_words = [c for c in here if c.span.overlaps(proposal.focus)]
    in_cited = [c for c in here if proposal.cited.overlaps(c.span)]
    margin = max((c.margin for c in on_words), default=NO_MARGIN)
    showing = [
        w
        for w in found.windows
        if w.article is proposal.article and w.span.overlaps(proposal.cited)
    ]
    if proposal.window is not None:
        showing = [proposal.window]
    verdict = max((w.verdict for w in showing if w.verdict), default=None, key=_answerable)
    return {
        "margin": _bound(margin),
        "cited_margin": _bound(max((c.margin for c in in_cited), default=NO_MARGIN)),
        "behind": _bound(margin - best),
        "log_p": max(-12.0, max((c.log_p for c in on_words), default=-12.0)),
        "agreement": max((c.agreement for c in on_words), default=0.0),
        "verdict": _answerable(verdict),
        "polar": 0.0 if verdict is None else _log_odds(verdict.yes + verdict.no),
        "polar_sure": 0.0 if verdict is None else abs(verdict.yes - verdict.no),
    }


def _sentence_features(found: Findings, proposal: Proposal) -> dict[str, float]:
    """Return what the reader says to the sentences cited, and how far they are behind the best."""
    odds = read_odds(found, proposal)
    surest = max(found.sentences.values(), default=NOT_SEEN)
    return {"read": odds, "read_behind": odds - surest, "read_best": surest}


def read_odds(found: Findings, proposal: Proposal) -> float:
    """Return the log-odds, as the reader has it, that the likeliest sentence cited answers."""
    return max(
        (
            odds
            for (id, span), odds in found.sentences.items()
            if id == proposal.article.id and span.overlaps(proposal.cited)
        ),
        default=NOT_SEEN,
    )


def _verifying_features(verified: Verified, proposal: Proposal, surest: float) -> dict[str, float]:
    """Return what the verifier says to the sentence, how far it is behind the best, and what it
    says to the least of the sentences shown.
    """
    odds = verified.get((proposal.article.id, proposal.cited), NOT_SEEN)
    shown = [(e.article_id, e.span) for s in proposal.statements for e in s.evidence]
    return {
        "answers": odds,
        "answers_behind": odds - surest,
        "answers_best": surest,
        "answers_least": min(odds, *(verified.get(place, odds) for place in shown)),
    }


def _retrieval_features(found: Findings, proposal: Proposal) -> dict[str, float]:
    """Return how well retrieval likes the sentence and the passage that hold a proposal."""
    rank, hit = _holding(found.hits, proposal)
    own = max(
        (s for s in (hit.sentences if hit else ()) if s.span.overlaps(proposal.cited)),
        default=None,
        key=lambda s: s.score,
    )
    return {
        "rank": float(rank),
        "retrieved": float(hit is not None),
        "score": hit.score if hit else 0.0,
        "dense": hit.dense if hit else 0.0,
        "sentence_score": own.score if own else 0.0,
        "sentence_dense": own.dense if own else 0.0,
        "best_sentence": float(hit is not None and hit.sentence.overlaps(proposal.cited)),
    }


def _holding(hits: Sequence[Hit], proposal: Proposal) -> tuple[int, Hit | None]:
    for rank, hit in enumerate(hits):
        passage = hit.passage
        if passage.article_id == proposal.article.id and passage.span.overlaps(proposal.cited):
            return rank, hit
    return len(hits), None


def _word_features(found: Findings, proposal: Proposal) -> dict[str, float]:
    """Return what the words of question, answer and cited sentences have in common."""
    question, article = found.question, proposal.article
    quoted = " ".join(
        article.text[e.span.start : e.span.end] for s in proposal.statements for e in s.evidence
    )
    here, near = _stems(quoted), _stems(_around(article, proposal.cited))
    asked = question.without_first_names(question.stems)
    key = question.without_first_names(question.names + question.numbers)
    fit = fits(question.type, proposal.words)
    return {
        "cover": found.cover.at(article, proposal.focus),
        "in_cited": _share(asked, here),
        "in_context": _share(asked, near),
        "names_in_cited": _share(key, here),
        "names_in_context": _share(key, near),
        "fits": fit,
        "misfit": float(fit == 0.0),
        "words": math.log1p(len(proposal.words.split())),
        "echo": _share(tuple(tokens(proposal.words)), frozenset(question.stems)),
        "contradicted": float(contradicts(question.text, quoted)),
        "speaker": _speaker(question, proposal),
        "heading": float(_kind_of(proposal) in ("heading", "headline")),
        "front_matter": float(_kind_of(proposal) in ("byline", "date", "standfirst")),
        "caption": float(_kind_of(proposal) == "caption"),
        "asks": float(quoted.rstrip().endswith("?")),
        "listed": float(article.block_at(proposal.cited.start) is not None and
                        "\n" in article.text[proposal.cited.start : proposal.cited.end]),
    }  # fmt: skip


def _kind_of(proposal: Proposal) -> str:
    block = proposal.article.block_at(proposal.cited.start)
    return block.kind if block else ""


def _around(article: Article, cited: Span) -> str:
    """Return the cited sentences with their neighbours."""
    return article.text[max(0, cited.start - 300) : cited.end + 300]


def _absent(found: Findings) -> int:
    """Return how many names of the question no article searched has, whatever their case."""
    ids = dict.fromkeys(hit.passage.article_id for hit in found.hits)
    absent = [absent_words(found.question.text, found.articles[id]) for id in ids]
    return min((sum(word.like is None for word in words) for words in absent), default=0)


def _speaker(question: Question, proposal: Proposal) -> float:
    """Return 1 where those whom the question names say the words, -1 where others do, else 0."""
    if question.type != "speech" or not question.stems:
        return 0.0
    saying = [
        a
        for a in speech_of(proposal.article).attributions
        if any(part.overlaps(proposal.focus) for part in a.content)
    ]
    if not saying:
        return 0.0
    asked = set(question.stems)
    return 1.0 if any(asked & set(tokens(a.name)) for a in saying) else -1.0


def is_short(question: Question, proposal: Proposal) -> bool:
    """Say whether a proposal is the reader's span, and the question asks for a name or a number;
    'Who is NAME?' does not, of a person whom the article names.
    """
    if proposal.source != "reader" or question.type not in SHORT_TYPES:
        return False
    name = asked_about(question.text)
    return not (name and speech_of(proposal.article).people.find(name))


def says_the_same(proposal: Proposal, other: Proposal) -> bool:
    """Say whether two proposals give the same words or the same place."""
    same_place = proposal.article is other.article and proposal.focus.overlaps(other.focus)
    return same_place or proposal.words.casefold() == other.words.casefold()


def _answerable(verdict: Verdict | None) -> float:
    """Return the log-odds that a window holds an answer; 0 where the reader has no such head."""
    return 0.0 if verdict is None else _log_odds(1 - verdict.none)


def _log_odds(p: float) -> float:
    p = min(1 - 1e-4, max(1e-4, p))
    return math.log(p / (1 - p))


def _bound(margin: float) -> float:
    return max(NO_MARGIN, min(-NO_MARGIN, margin))


@lru_cache(maxsize=512)
def _stems(text: str) -> frozenset[str]:
    """Return the folded, stemmed content words of a text."""
    return frozenset(tokens(text))


def _share(wanted: Sequence[str], there: frozenset[str]) -> float:
    return sum(stem in there for stem in wanted) / len(wanted) if wanted else 1.0
