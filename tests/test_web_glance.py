from __future__ import annotations

from article_qa.reading.article import parse_article
from article_qa.types import Article
from article_qa.web.glance import MAX_CHARS, glance

TEXT = (
    "Harbour Loses Its Bell\n\n"
    "The harbour of Lisbon lost its oldest bell on 4 May 2021, said Joana Reis, its director.\n\n"
    "The bell was cast in 1874 for the Maritime Society and weighs 310 kilograms. Joana Reis paid "
    "$4,500 for repairs after 12 boats were damaged in March 1998.\n\n"
    "The Maritime Society in Lisbon wants it back within 20 days."
)


def article(text: str = TEXT) -> Article:
    return parse_article(text, id="bell")


def texts(found: dict[str, list[dict[str, object]]], kind: str) -> list[object]:
    return [place["text"] for place in found.get(kind, [])]


def test_everything_is_a_slice_of_the_article() -> None:
    found = glance(article())
    for places in found.values():
        assert places
        for place in places:
            assert place["text"] == TEXT[place["start"] : place["end"]]
            assert place.get("sentence", "") in TEXT


def test_names_dates_and_numbers_are_found_once_each() -> None:
    found = glance(article())
    assert len(found["sentences"]) == 3
    assert texts(found, "people") == ["Joana Reis"]
    assert texts(found, "organisations") == ["Maritime Society"]
    assert texts(found, "places") == ["Lisbon"]
    assert texts(found, "numbers") == ["310 kilograms", "$4,500", "12 boats"]


def test_dates_stand_in_the_order_of_time() -> None:
    assert texts(glance(article()), "dates") == ["1874", "March 1998", "4 May 2021"]


def test_what_an_article_has_none_of_is_left_out() -> None:
    found = glance(article("Mist\n\nThe mist came in slowly over the quiet water again."))
    assert list(found) == ["sentences"]


def test_of_a_very_long_article_only_the_sentences_are_shown() -> None:
    long = TEXT + "\n\n" + "The water rose again. " * (MAX_CHARS // 20)
    assert list(glance(article(long))) == ["sentences"]
