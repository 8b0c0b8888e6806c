from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from article_qa.answering.description import asked_about, describe
from article_qa.reading.article import parse_article

ARTICLE = parse_article(
    """The Bridge at Norvik

By Ana Ferro

Tom Okoro, the town's engineer, met a surveyor named Lena Marsh on Monday. "It sways," said Ida \
Holt, a teacher.

On Friday, Mayor Priya Nair spoke with the county's second-ranking road official, Jon Lund, and \
the council leader Haq Mawl Rehan. Mayor Nair, meanwhile, was late. Mr. Okoro, speaking slowly, \
agreed.

When Olga Berg was a senator, she opposed it. Ms. Berg is the bridge's oldest critic. Secretary of \
Transport Nils J. Dahl came with his wife Eva.

The Liberal Guild and Rolf Stein stayed away. In the shadow of Hans Vik, a man takes a brick. The \
band was Mia Dahl, her brother and driver Per Dahl, and a friend of the noted critic Odd Ek. \
The mother of Rolf Stein is a painter. Truman Moe, a nurse, knows her.
""",
    id="bridge",
)


@pytest.mark.parametrize(
    ("question", "description"),
    [
        ("Who is Tom Okoro?", "the town's engineer"),
        ("who's okoro", "the town's engineer"),
        ("Who is Mr. Okoro?", "the town's engineer"),
        ("Who is Lena Marsh?", "a surveyor"),
        ("And who is Ida Holt?", "a teacher"),
        ("Who is Priya Nair?", "Mayor"),
        ("Who is Jon Lund?", "the county's second-ranking road official"),
        ("Who is Haq Mawl Rehan?", "the council leader"),
        ("Who is Rehan?", "the council leader"),
        ("Who is Olga Berg?", "the bridge's oldest critic"),
        ("Who is Nils Dahl?", "Secretary of Transport"),
        ("Who is Dahl?", "Secretary of Transport"),
        ("Who is Eva?", "his wife"),
        ("Who is Truman Moe?", "a nurse"),
        ("Who is Moe?", "a nurse"),
        ("Who is Odd Ek?", "the noted critic"),
        ("Who is Per Dahl?", "her brother and driver"),
        ("Who is Ana Ferro?", "By Ana Ferro"),
    ],
)
def test_what_stands_beside_a_name(question: str, description: str) -> None:
    found = describe(ARTICLE, asked_about(question))
    assert found is not None
    assert ARTICLE.text[found.what.start : found.what.end] == description
    assert found.evidence.span.contains(found.what)


@pytest.mark.parametrize(
    "question",
    [
        "Who is Rolf Stein?",  # named, and no more
        "Who is Hans Vik?",  # what follows is about another
        "Who is Mia Dahl?",
        "Who is Mayor Nair?",  # the question says as much
        "Who is Liberal?",
        "Who is Nobody Atall?",
        "Who is the mayor?",
        "Who is the mayor of Norvik?",
        "Who is the president of the Liberal Guild?",
        "Who is mayor?",
        "Who is ...?",
    ],
)
def test_where_nothing_is_said(question: str) -> None:
    assert describe(ARTICLE, asked_about(question)) is None


def test_only_who_is_asks_for_a_description() -> None:
    assert asked_about("Who was Ida Holt?") == ("ida", "holt")
    assert asked_about("Who met Ida Holt?") == ()
    assert asked_about("What is Norvik?") == ()


PIECES = "Ada Lund|Mr. Lund|President|the|of|mayor|, |.|is a|named|and|“|é̂|👩‍🚀|said|King|her"


@given(st.lists(st.sampled_from(PIECES.split("|")), min_size=1, max_size=25).map(" ".join))
def test_a_description_stands_in_the_sentence_it_is_cited_from(text: str) -> None:
    article = parse_article(f"News\n\n{text}\n\nMore {text}", id="a")
    found = describe(article, asked_about("Who is Ada Lund?"))
    if found is not None:
        assert found.what.start < found.what.end and found.evidence.span.contains(found.what)
        assert found.evidence.span in article.quotable
