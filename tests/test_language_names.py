import pytest

from article_qa.language.names import absent_words, asked_numbers, contradicts
from article_qa.reading.article import parse_article

ARTICLE = parse_article(
    "Ferry halted\n\nAda Lund said the Norvik ferry was stopped by the government in 2011.", id="f"
)


def missing(question: str) -> list[str]:
    return [w.word for w in absent_words(question, ARTICLE) if w.like is None]


def test_a_name_in_lower_case_is_missing() -> None:
    assert missing("what did zelensky say about the ferry") == ["zelensky"]
    assert missing("what did Mayor Stripe say") == ["Mayor", "Stripe"]


def test_ordinary_words_and_names_of_the_article_are_not() -> None:
    assert missing("why did lund interrupt norvik's boats") == []
    assert missing("who owns a smartphone") == []


def test_a_slip_says_what_it_is_like() -> None:
    (word,) = absent_words("did the goverment stop it", ARTICLE)
    assert word.like == "government"
    assert "did the goverment stop it"[word.span.start : word.span.end] == "goverment"


@pytest.mark.parametrize(
    ("question", "sentence", "expected"),
    [
        ("who won in 2012", "In 2011 Lund won.", True),
        ("who won in 2012", "Lund won.", False),
        ("who won in 2012", "She led from 2010 to 2014.", False),
        ("who won in 2012", "She has led since 2010.", False),
        ("is it 5 km long", "It is 5 miles long.", True),
        ("is it 5 km long", "It is 5,000 metres long.", False),
        ("did it cost $84m", "It cost £84 million.", True),
        ("did it cost $84m", "It cost $84 million.", False),
        ("what burned on 5 may", "It burned on May 7.", True),
        ("how many people died", "Four people died.", False),
    ],
)
def test_numbers_contradict(question: str, sentence: str, expected: bool) -> None:
    assert contradicts(question, sentence) is expected


def test_numbers_say_where_they_stand() -> None:
    text = "the twelve-mile road of 1931"
    assert [(n.kind, text[n.span.start : n.span.end]) for n in asked_numbers(text)] == [
        ("length", "twelve-mile"),
        ("year", "1931"),
    ]
