from __future__ import annotations

import pytest

from article_qa.language.mentions import Kind, is_plural, is_verb, mentions_of, tokens_of


def test_tokens_stand_where_they_are_said_to() -> None:
    text = "Mr. Lee's co-owner paid 1,200.50 in the U.S. — twice!"
    tokens = tokens_of(text)
    assert [token.text for token in tokens][:4] == ["Mr.", "Lee", "'s", "co-owner"]
    assert "1,200.50" in [token.text for token in tokens] and "U.S." in [t.text for t in tokens]
    assert all(text[token.start : token.end] == token.text for token in tokens)


@pytest.mark.parametrize(
    ("question", "mention", "kind"),
    [
        ("Why did Mr. Okoro resign?", "Mr. Okoro", "person"),
        ("What did the company announce?", "the company", "group"),
        ("What happened in Doha?", "Doha", "place"),
        ("Who closed the harbour?", "the harbour", "place"),
        ("Is the Justice Department right?", "Justice Department", "group"),
        ("Is the mayor of Norvik ill?", "the mayor of Norvik", "person"),
        ("What is the cost of the bridge?", "the cost of the bridge", "thing"),
    ],
)
def test_what_a_question_speaks_of(question: str, mention: str, kind: Kind) -> None:
    found = {m.text: m.kinds[0] for m in mentions_of(question)}
    assert found[mention] == kind


def test_the_sentences_around_tell_a_person_and_her_gender() -> None:
    evidence = "Ada Lund, an actress from Oslo, left on Monday."
    (found,) = [m for m in mentions_of("When did Ada Lund leave?", evidence) if m.name]
    assert found.kinds == ("person",) and found.gender == "f"


def test_word_classes_are_guessed_by_form() -> None:
    assert is_verb("resigned") and is_verb("wrote") and not is_verb("harbour")
    assert is_plural("bridges") and not is_plural("bus") and not is_plural("analysis")
