"""What an article says about something: 'Tell me about X', 'What does it say about X?'.

No span answers that. Shown are the sentences that speak of it, by LexRank biased towards it where
there are many (see ``overview.central_sentences``); of somebody, first of all the one that says who
that is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from article_qa.answering.findings import sentences_of
from article_qa.answering.overview import CONFIDENCE, central_sentences
from article_qa.language.mentions import PRONOUNS, WH_WORDS
from article_qa.language.speech import speech_of
from article_qa.retrieval.lexical import tokens
from article_qa.types import PROSE, Article, Draft, Evidence, Span, Statement

SENTENCES = 3
"""Shown at most; a notice says how many more there are."""

MAX_WORDS = 8
"""A longer topic is a question of its own."""

_NAMED = "(?:the|this|that) (?:article|text|story|piece|post|author|writer)"
_IT = f"(?:{_NAMED}|it)"
_LEADS = (
    "(?:tell|inform) (?:me|us)(?: something| anything| everything| all| more| a bit| a little)*",
    "(?:give|show) (?:me|us)(?: some| more| any| all| the)* (?:info(?:rmation)?|details|facts)",
    f"what (?:else )?(?:(?:does|did) {_NAMED}|does it) (?:say|tell (?:me|us)|report|mention|write)",
    f"what (?:else )?(?:do|can|did) (?:we|i|you|readers) (?:know|learn)(?: from {_IT})?",
    f"what (?:else )?(?:is|was) (?:said|written|reported|known|stated)(?: in {_IT})?",
    f"what (?:information|details|facts) (?:(?:is|are) (?:there|given)|does {_IT} (?:give|have))",
)
_ASKS = re.compile(
    r"^\W*(?:(?:please|ok(?:ay)?|so|and|now|(?:can|could|would|will) you)[ ,]+)*"
    rf"(?:{'|'.join(_LEADS)}) (?:about|on|of|regarding|concerning) (?P<topic>.+?)"
    rf"(?: (?:in|from|according to) {_IT})?(?:,? please)?[\s?.!]*$",
    re.IGNORECASE,
)
_WORD = re.compile(r"[\w’'-]+")


def topic_of(question: str) -> str | None:
    """Return what a question asks to be told about; None for another kind of question."""
    asks = _ASKS.match(" ".join(question.split())) if len(question) <= 200 else None
    if asks is None:
        return None
    words = _folded(asks["topic"])
    if len(words) > MAX_WORDS or WH_WORDS.intersection(words) or PRONOUNS.issuperset(words):
        return None
    return asks["topic"]


def topic_draft(topic: str, articles: Sequence[Article]) -> Draft | None:
    """Say what articles say about a topic.

    Args:
        topic: a name or a few words, as ``topic_of`` returns them.
        articles: the likeliest first.

    Returns:
        A draft whose statements are sentences of the first article that speaks of it; None where
        none does.
    """
    for article in articles:
        if spoken := _speaking(article, topic):
            chosen = _chosen(article, topic, spoken)
            left = len(spoken) - len(chosen)
            more = f"{left} more sentence{'s' * (left > 1)} of the article speak{'s' * (left == 1)}"
            return Draft(
                tuple(Statement((Evidence(article.id, span),)) for span in chosen),
                CONFIDENCE,
                notice=f"{more} of it." if left else None,
            )
    return None


def _speaking(article: Article, topic: str) -> set[Span]:
    """Return the sentences that hold the topic's words in a row or name whom it names; where there
    are none, those that hold its words anywhere.
    """
    wanted = tokens(topic)
    if not wanted:
        return set()
    said = {
        sentence: tokens(article.text[sentence.start : sentence.end])
        for block in article.blocks
        if block.kind in {"standfirst", "caption", *PROSE}
        for sentence in block.sentences
    }
    person = speech_of(article).people.find(topic)
    named = {sentences_of(article, m.span) for m in person.mentions} if person else set()
    n = len(wanted)
    in_a_row = {
        sentence
        for sentence, words in said.items()
        if sentence in named or any(words[i : i + n] == wanted for i in range(len(words) - n + 1))
    }
    return in_a_row or {s for s, words in said.items() if set(wanted).issubset(words)}


def _chosen(article: Article, topic: str, spoken: set[Span]) -> list[Span]:
    described = speech_of(article).people.describe(topic)
    first = [s for s in [sentences_of(article, d.span) for d in described[:1]] if s in spoken]
    rest = spoken.difference(first)
    found = central_sentences(article, SENTENCES - len(first), topic=topic, among=rest)
    return [*first, *(found or sorted(rest)[: SENTENCES - len(first)])]


def _folded(topic: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(topic)]
