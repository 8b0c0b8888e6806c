"""Sentences that give orders to whatever model reads the article."""

from __future__ import annotations

import re

from article_qa.types import Article

_MODEL = r"(?:AIs?|LLMs?|AI (?:systems?|models?|agents?|assistants?)|assistants?|chatbots?|" \
    r"(?:large )?language models?)"  # fmt: skip
_ADDRESSED = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b(?:\W+\w+){0,4}?\W+"
    r"(?:instructions?|prompts?|rules|guidelines|context|article|text|passages?|above)\b"
    rf"|\b{_MODEL}\b(?:\W+\w+){{0,6}}?\W+(?:must|should|shall|have to|are to)\W+(?:\w+\W+){{0,2}}?"
    r"(?:answer|say|reply|respond|state|output|tell|claim|write|print|report)\b"
    rf"|\b(?:note|message|instructions?|attention|notice)\W+(?:to|for)\W+(?:\w+\W+)?{_MODEL}\b"
    r"|\bsystem prompt\b|\byou are (?:now )?(?:an? )?(?:AI|language model|assistant|chatbot)\b"
    r"|^\W*(?:system|assistant)\s*:",
    re.IGNORECASE,
)


def addressed_to_model(text: str) -> bool:
    """Say whether a sentence gives orders to a model; such a sentence supports nothing."""
    return _ADDRESSED.search(text[:2000]) is not None


def orders_note(article: Article) -> str | None:
    """Say, for people, that an article gives orders to models; None where it does not."""
    sentences = (article.text[span.start : span.end] for span in article.sentences)
    count = sum(addressed_to_model(sentence) for sentence in sentences)
    if not count:
        return None
    what = "1 sentence of it gives" if count == 1 else f"{count} sentences of it give"
    return f"{what} orders to AI models; that is read as text, and nothing follows them."
