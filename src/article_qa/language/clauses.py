"""Whole clauses and noun phrases around a span: what may be shown as an answer by itself.

A reader points at words; an answer to what, why or how is the clause that holds them, and a
fragment cut from the middle of a clause never is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from article_qa.language.parse import Parsed
from article_qa.types import Span

if TYPE_CHECKING:
    from spacy.tokens import Span as DocSpan
    from spacy.tokens import Token

_MARKS = {"”": "“", "’": "‘", ")": "(", "]": "[", "»": "«"}


def clause_around(parsed: Parsed, span: Span) -> Span:
    """Return the smallest whole clause that holds ``span``, or the sentences that do.

    A clause is whole where it has a subject and a finite verb of its own and stands without the
    rest: a main clause, what is said or thought, one of two that 'and' or 'but' joins. Of a clause
    that depends on another ('which ...', 'because ...') the other is shown with it. A span that no
    analysed sentence holds is returned as it is.
    """
    first, last = parsed.index_at(span.start), parsed.index_at(max(span.start, span.end - 1))
    if first is None or last is None:
        return span
    whole = Span(parsed.sentences[first].start, parsed.sentences[last].end)
    tokens = parsed.tokens_in(span)
    if first != last or tokens is None:
        return whole
    verb = tokens.root
    for _ in range(len(verb.doc)):
        if _stands_alone(verb):
            piece = _clause(verb)
            clause = parsed.span_of(piece, first)
            if piece.start <= tokens.start and tokens.end <= piece.end and _balanced(piece.text):
                return clause
        if verb.head.i == verb.i:
            break
        verb = verb.head
    return whole


def noun_phrase_around(parsed: Parsed, span: Span) -> Span:
    """Return the smallest noun phrase that holds ``span``, with its determiner and what belongs
    to it ('the mayor of Norvik'), without relative clauses and appositions outside the span; the
    span itself where none holds it.
    """
    sentence, tokens = parsed.index_at(span.start), parsed.tokens_in(span)
    if sentence is None or tokens is None or span.end > parsed.sentences[sentence].end:
        return span
    noun = tokens.root
    while True:
        if noun.pos_ in ("NOUN", "PROPN", "PRON", "NUM") and noun.dep_ not in (
            "compound",
            "nummod",
        ):
            piece = _phrase(noun, tokens)
            if piece.start <= tokens.start and tokens.end <= piece.end:
                return parsed.span_of(piece, sentence)
        inner = noun.dep_ in ("amod", "compound", "nmod", "poss", "nummod")
        if noun.head.i == noun.i or (noun.pos_ in ("VERB", "AUX") and not inner):
            return span
        noun = noun.head


def _stands_alone(verb: Token) -> bool:
    """Say whether a clause is whole without the one it hangs on."""
    if verb.pos_ not in ("VERB", "AUX") or not _is_finite(verb):
        return False
    if verb.dep_ == "ccomp":  # 'how it works', 'whether it does' are questions
        return not any(c.tag_ in ("WP", "WRB", "WDT") or c.lower_ in ("if", "whether")
                       for c in verb.lefts)  # fmt: skip
    if not any(c.dep_ in ("nsubj", "nsubjpass", "expl", "csubj") for c in verb.children):
        return verb.head.i == verb.i
    return (
        verb.head.i == verb.i
        or verb.dep_ in ("parataxis",)
        or (verb.dep_ == "conj" and _stands_alone(verb.head))
    )


def _is_finite(verb: Token) -> bool:
    parts = (verb, *(c for c in verb.children if c.dep_ in ("aux", "auxpass")))
    return any(t.tag_ in ("VBD", "VBZ", "VBP", "MD") for t in parts)


def _clause(verb: Token) -> DocSpan:
    """Return a clause without the conjunction before it and the joined clauses behind it."""
    doc, start, end = verb.doc, verb.left_edge.i, verb.right_edge.i + 1
    for child in verb.rights:
        if (
            child.dep_ == "conj"
            and _stands_alone(child)
            and any(c.dep_ in ("nsubj", "nsubjpass", "expl") for c in child.children)
        ):
            end = child.left_edge.i
            break
    while start < verb.i and (doc[start].dep_ in ("cc", "mark") or _is_loose(doc[start])):
        start += 1
    while end > verb.i + 1 and (doc[end - 1].dep_ == "cc" or doc[end - 1].text in ",;:—–-"):
        end -= 1
    return doc[start:end]


def _is_loose(token: Token) -> bool:
    return token.is_punct and token.text not in "“\"‘'(["


def _phrase(noun: Token, tokens: DocSpan) -> DocSpan:
    """Return a noun's phrase, without clauses and appositions that the tokens do not touch."""
    start, end = noun.left_edge.i, noun.right_edge.i + 1
    for child in noun.rights:
        outside = child.left_edge.i >= tokens.end
        if outside and child.dep_ in ("relcl", "acl", "appos", "conj", "cc", "punct", "advcl"):
            end = child.left_edge.i
            break
    doc = noun.doc
    for i in range(max(noun.i + 1, tokens.end), end - 1):
        if doc[i].text == "," and doc[i + 1].tag_ in ("WDT", "WP", "WP$"):
            end = i
            break
    while end > noun.i + 1 and noun.doc[end - 1].is_punct and noun.doc[end - 1].text in ",;:":
        end -= 1
    return noun.doc[start:end]


def _balanced(text: str) -> bool:
    """Say whether every quotation mark and bracket has its other half."""
    return text.count('"') % 2 == 0 and all(
        text.count(opening) == text.count(closing)
        for closing, opening in _MARKS.items()
        if closing != "’"
    )
