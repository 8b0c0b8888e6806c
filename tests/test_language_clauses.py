import pytest

from article_qa.language.clauses import clause_around, noun_phrase_around
from article_qa.language.parse import parse
from article_qa.reading.article import parse_article
from article_qa.types import Span


def around(sentence: str, words: str) -> tuple[str, str]:
    article = parse_article(f"A headline about nothing\n\n{sentence}", id="quay")
    start = article.text.index(words)
    span, parsed = Span(start, start + len(words)), parse(article)
    clause, phrase = clause_around(parsed, span), noun_phrase_around(parsed, span)
    return article.text[clause.start : clause.end], article.text[phrase.start : phrase.end]


@pytest.mark.parametrize(
    ("sentence", "words", "clause"),
    [
        ("Prices rose but wages fell.", "wages", "wages fell."),
        ("Ada Lund said that the bridge was unsafe.", "unsafe", "the bridge was unsafe."),
        ("The bridge, which was built in 1931, is closed.", "1931", None),
        ("She asked how the pump works.", "pump works", None),
        ('"We pushed a change and it did not work," she wrote.', "not work", "it did not work"),
    ],
)
def test_a_clause_is_whole(sentence: str, words: str, clause: str | None) -> None:
    assert around(sentence, words)[0].rstrip(".") == (clause or sentence).rstrip(".")


def test_a_span_of_two_sentences_is_both() -> None:
    text = "The bridge is closed. The ferry runs."
    assert around(text, "closed. The ferry")[0] == text


def test_a_noun_phrase_is_whole() -> None:
    text = "She read the report on cracked beams, which was long."
    assert around(text, "cracked")[1] == "cracked beams"
    assert around(text, "report on cracked")[1] == "the report on cracked beams"
