from article_qa.language.people import People
from article_qa.reading.article import parse_article

TEXT = """
Harbour chief leaves

Priya Venn, the director of the harbour, resigned on Monday. Ms. Venn was cheered. "Venn is a
disgrace!" somebody shouted.

Chief engineer Colm Fairweather, who built the quay, stayed. Fairweather shrugged. Her deputy,
Hugo Marsh, wept.
"""


def people() -> People:
    return People(parse_article(TEXT.strip(), id="harbour"))


def test_forms_of_a_name_are_one_person() -> None:
    found = people()
    venn = found.find("priya venn")
    assert venn is not None and venn is found.find("Ms. Venn") is found.find("venn")
    assert venn.name == "Priya Venn" and venn.gender == "f" and len(venn.mentions) >= 2
    assert found.find("Nobody Here") is None and found.find("") is None


def test_mentions_stand_in_the_text() -> None:
    found = people()
    for person in found.people:
        for mention in person.mentions:
            words = found.article.text[mention.span.start : mention.span.end].split()
            assert set(words) <= {*person.name.split(), "Ms."}


def described(name: str) -> list[str]:
    found = people()
    return [found.article.text[d.span.start : d.span.end] for d in found.describe(name)]


def test_descriptions_say_who_somebody_is() -> None:
    assert described("Venn") == ["the director of the harbour"]
    assert any("engineer" in text for text in described("Colm Fairweather"))
    assert "who built the quay" in described("Colm Fairweather")
    assert described("Hugo Marsh") == ["Her deputy"]
    assert described("Ada Lund") == []


def test_what_is_shouted_describes_nobody() -> None:
    assert not any("disgrace" in text for text in described("Venn"))
