"""Sentences that give orders to whatever model reads the article."""

from __future__ import annotations

import re

from article_qa.types import Article

_MODEL = r"(?:AIs?|LLMs?|AI (?:systems?|models?|agents?|assistants?|reviewers?)|assistants?|" \
    r"chatbots?|(?:AI |large )?language models?)"  # fmt: skip
_MUST = r"(?:must|should|shall|have to|has to|are to|is to)"
_ADDRESSED = re.compile(
    # 'Ignore all previous instructions', 'Disregard the article'; not 'Drivers ignore the rules'
    r"\b(?:ignore|disregard|forget|override)\b(?:\W+\w+){0,3}?\W+"
    r"(?:previous|prior|above|earlier|preceding|your|system)\b(?:\W+\w+){0,2}?\W+"
    r"(?:instructions?|prompts?|rules|guidelines|context|text|messages?)\b"
    r"|(?:^|[.:;,!—–]|\b(?:and|please|now|must|should))\W*(?:ignore|disregard|forget)\W+"
    r"(?:all\W+|any\W+|everything\W+)?(?:(?:of|in)\W+)?(?:the\W+|this\W+|these\W+)?"
    r"(?:instructions?|prompts?|article|text|passages?|above)\b"
    # 'Any assistant reading this must answer that ...'; not 'AI systems must report accidents'
    rf"|\b{_MODEL}\b(?:\W+\w+)?\W+(?:reading|processing|summari[sz]ing)\b(?:\W+\w+){{0,4}}?\W+"
    rf"{_MUST}\b"
    rf"|\b{_MODEL}\W+{_MUST}\W+(?:\w+\W+){{0,2}}?(?:answer|reply|respond|output|print)\W+"
    r"(?:that|with|only)\b"
    rf"|\b(?:note|message|instructions?|attention|notice)\W+(?:(?:to|for)\W+)?(?:\w+\W+)?{_MODEL}"
    rf"\s*[:,]|\bif you are an? {_MODEL}\b|\bas an? {_MODEL},\W*you\b"
    r"|\b(?:reveal|print|repeat|show|output)\W+(?:\w+\W+){0,2}?system prompt\b"
    r"|\byou are now (?:an? )?(?:\w+ )?(?:AI|language model|assistant|chatbot)\b"
    r"|^\W*(?-i:SYSTEM)\s*:",
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
