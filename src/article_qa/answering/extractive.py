"""The default engine: reads, lets every source propose, and lets the judge decide.

Nothing is generated: an answer is words of the article (or yes, or no), its citation the sentences
they stand in. It is given as sure, given as unsure, or refused with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from article_qa.answering.features import features_of, is_short, read_odds, says_the_same
from article_qa.answering.findings import Findings, gather
from article_qa.answering.judge import load_judge
from article_qa.answering.overview import (
    MISSING,
    WHOLE_KINDS,
    OverviewKind,
    form_evidence,
    overview_draft,
    overview_kind,
    sentence_count,
)
from article_qa.answering.proposals import Proposal, pairs, propose, supported
from article_qa.answering.question import analyse
from article_qa.answering.reader import Reader
from article_qa.answering.verifier import load_verifier, verify
from article_qa.config import Settings
from article_qa.language.names import absent_words
from article_qa.stages import Stages
from article_qa.types import Article, Draft, Evidence, Hit, Status

NEAREST = 3
"""Passages offered with a refusal."""

CAN_ASK = "You can ask what it says: who, what, when, where, why, how, or for a summary."
"""Follows where nothing is near: small talk, or a request that no article can answer."""


class ExtractiveEngine:
    """Answers with spans and sentences of the article; an ``Engine``.

    Args:
        reader: what points at answers; None answers with sentences, which the verifier reads.
        settings: how much to read, and from which confidence on to answer.
    """

    name = "extractive"

    def __init__(self, reader: Reader | None, settings: Settings) -> None:
        self.reader = reader
        self.settings = settings

    def draft(self, question: str, hits: Sequence[Hit], articles: Mapping[str, Article]) -> Draft:
        """Answer from ``hits``, surely or not, or refuse with the nearest sentences.

        Args:
            question: one that stands alone.
            hits: what retrieval found, best first.
            articles: those that may be asked, by id.

        Raises:
            ModelError: the reader cannot be loaded.
        """
        if not hits:
            return Draft(reason="There is nothing to answer from.")
        kind = overview_kind(question)
        if kind in WHOLE_KINDS:
            return overview_draft(
                kind, tuple(articles.values()), sentences=sentence_count(question)
            )
        stages = Stages()
        found, proposals, features = self.propose(question, hits, articles, stages)
        with stages.timed("judge"):
            judge = load_judge()
            scores = [judge.score(own) for own in features]
            same = [[says_the_same(p, other) for other in proposals] for p in proposals]
            short = [is_short(found.question, p) for p in proposals]
            best, confidence = judge.choose(scores, same, short)
        status = self._status(confidence)
        if status == "refused":
            order = sorted(range(len(proposals)), key=lambda i: (-scores[i], i))
            return Draft(
                status=status,
                confidence=confidence,
                reason=_reason(found, self.settings),
                nearest=_nearest([proposals[i] for i in order], found, self.settings),
                stages=stages,
            )
        chosen = proposals[best]
        separator = "\n" if chosen.source == "list" else " "
        return Draft(
            supported(found.question, chosen),
            confidence,
            status,
            separator=separator,
            notice=chosen.notice,
            stages=stages,
        )

    def stream(
        self, question: str, hits: Sequence[Hit], articles: Mapping[str, Article]
    ) -> Iterator[str | Draft]:
        """Yield the draft: there is nothing to wait for."""
        yield self.draft(question, hits, articles)

    def propose(
        self,
        question: str,
        hits: Sequence[Hit],
        articles: Mapping[str, Article],
        stages: Stages | None = None,
    ) -> tuple[Findings, list[Proposal], list[dict[str, float]]]:
        """Read for a question; return what was found, all proposals, and their features."""
        stages = Stages() if stages is None else stages
        with stages.timed("read"):
            found = gather(analyse(question), hits, articles, self.reader, self.settings)
            proposals = propose(found)
        with stages.timed("verify"):
            likeliest = sorted(proposals, key=lambda p: -read_odds(found, p))
            places = ((p.article.id, p.cited) for p in likeliest)
            verified = verify(load_verifier(), question, articles, places)
        with stages.timed("judge"):
            proposals += pairs(found, verified)
            return found, proposals, features_of(found, proposals, verified)

    def _status(self, confidence: float) -> Status:
        if confidence >= self.settings.answer_threshold:
            return "answered"
        return "unsure" if confidence >= self.settings.unsure_threshold else "refused"


def _nearest(
    ranked: Sequence[Proposal], found: Findings, settings: Settings
) -> tuple[Evidence, ...]:
    """Return the sentences of the best proposals, for a refusal; none where none is near."""
    if _similarity(found) < settings.near_similarity:
        return ()
    cited = dict.fromkeys((p.article.id, p.cited) for p in ranked if not _credit(p))
    return tuple(Evidence(id, span) for id, span in list(cited)[:NEAREST])


def _credit(proposal: Proposal) -> bool:
    """Say whether a proposal is front matter or a caption, which is nowhere near a question."""
    block = proposal.article.block_at(proposal.cited.start)
    return block is None or block.kind in ("byline", "date", "caption")


def _similarity(found: Findings) -> float:
    return max(max(h.dense, h.sentence_dense) for h in found.hits)


def _reason(found: Findings, settings: Settings) -> str:
    """Say why there is no answer, as far as is known."""
    kind = overview_kind(found.question.text)
    if kind and kind in MISSING and not form_evidence(kind, found.first_article):
        return _metadata(kind, found.first_article) or MISSING[kind]
    if missing := _missing(found):
        return f"The article does not mention {missing}."
    if _similarity(found) < settings.near_similarity:
        return f"Nothing in the article is about this. {CAN_ASK}"
    return "The article has related passages, but none that answers this question."


_NAMED_IN_METADATA: Mapping[OverviewKind, str] = {
    "author": "author",
    "date": "published",
    "updated": "modified",
    "headline": "title",
}


def _metadata(kind: OverviewKind, article: Article) -> str:
    """Say what an article's file says beside its text, where a question asks for that."""
    name = _NAMED_IN_METADATA.get(kind)
    if name is None or name not in article.metadata:
        return ""
    value, origin = article.metadata[name].value, article.metadata[name].origin
    return f"The text does not say. The file's metadata ({origin}) does: {value}."


def _missing(found: Findings) -> str:
    """Return the question's names that no article has, as they are typed; empty for none."""
    ids = dict.fromkeys(hit.passage.article_id for hit in found.hits)
    absent = [
        {w.span: w.word for w in absent_words(found.question.text, found.articles[id])
         if w.like is None}
        for id in ids
    ]  # fmt: skip
    everywhere = set.intersection(*(set(words) for words in absent)) if absent else set()
    names: list[str] = []
    end = -2
    for span in sorted(everywhere):
        word = absent[0][span]
        if span.start == end + 1:  # 'Bartholomew Quince' is one name
            names[-1] += f" {word}"
        else:
            names.append(word)
        end = span.end
    return " or ".join(dict.fromkeys(names))
