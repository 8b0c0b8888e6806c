import pytest

from article_qa.language.speech import Speech, asked_words
from article_qa.reading.article import parse_article


def speech(text: str) -> Speech:
    return Speech(parse_article(f"A headline about the quay\n\n{text}", id="quay"))


def speaker(text: str, words: str) -> str | None:
    matches = speech(text).who_said(words)
    return matches[0].attribution.name if matches else None


@pytest.mark.parametrize(
    "text",
    [
        "Ada Lund said that the bridge was unsafe.",
        '"The bridge is unsafe," said Ada Lund.',
        '"The bridge is unsafe," Ada Lund told reporters.',
        "According to Ada Lund, the bridge is unsafe.",
        'Ada Lund wrote: "The bridge is unsafe."',
        "Ada Lund left early. She said the bridge was unsafe.",
        "Ada Lund, who said the bridge was unsafe, left early.",
        'Ada Lund shrugged: "The bridge is unsafe."',
    ],
)
def test_a_speaker_is_found(text: str) -> None:
    assert speaker(text, "the bridge is unsafe") == "Ada Lund"


@pytest.mark.parametrize(
    "text",
    [
        "Ada Lund declined to say whether the bridge was unsafe.",
        "Ada Lund did not say that the bridge was unsafe.",
        "Ada Lund crossed the bridge, which is unsafe.",
        "Asked whether the bridge was unsafe, Ada Lund smiled.",
    ],
)
def test_who_does_not_say_it_is_no_speaker(text: str) -> None:
    assert speaker(text, "the bridge is unsafe") is None


def test_the_turns_of_a_transcript_have_speakers() -> None:
    text = "LUND: The bridge is unsafe.\n\nVENN: It was painted.\n\nLUND: In 1931.\n\nVENN: No."
    assert speaker(text, "bridge unsafe") == "LUND"
    assert speaker(text, "painted") == "VENN"


def test_the_rest_of_a_quotation_has_the_same_speaker() -> None:
    text = '"The bridge is unsafe," said Ada Lund. "Somebody will drown."'
    matches = speech(text).who_said("somebody will drown")
    assert matches[0].exact and matches[0].attribution.name == "Ada Lund"


def test_spans_point_into_the_article() -> None:
    found = speech('Ada Lund left. "The bridge is unsafe," she said.')
    (attribution,) = found.said_by("lund")
    text = found.article.text
    assert text[attribution.speaker.start : attribution.speaker.end] == "she"
    assert text[attribution.named.start : attribution.named.end] == "Ada Lund"
    assert [text[s.start : s.end] for s in attribution.content] == ['"The bridge is unsafe,"']


def test_only_a_verb_of_saying_asks_for_a_speaker() -> None:
    assert asked_words("who said that the bridge is unsafe?") == "the bridge is unsafe"
    assert asked_words("who built the bridge") is None
    assert asked_words("what did Lund say") is None
