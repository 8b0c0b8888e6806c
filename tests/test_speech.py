from __future__ import annotations

import pytest

from article_qa.answering.speech import attribute, quoted_words
from article_qa.reading.article import parse_article

ARTICLE = parse_article(
    """The Bridge Dispute

Dana Whitlock, an engineer who inspected it, said that the bridge "will outlive all of us." Others \
disagree.

Councillor Priya Nair called the report a joke. "We paid for a bridge, not for a poem," she told \
reporters on Friday.

"It sways," admitted Tom Okoro. "It sways like a drunk."

Ms. Ruiz — who came over from the United States — complained about a "hasty, costly" design. "No \
one asked us," she added.

The Bridge Trust said in a statement that it had "no plans to close it."
""",
    id="bridge",
)


@pytest.mark.parametrize(
    ("words", "speaker", "direct"),
    [
        ("will outlive all of us", "Dana Whitlock", True),
        ("Not for a poem!", "Councillor Priya Nair", False),
        ("it sways", "Tom Okoro", True),
        ("sways like a drunk", "Tom Okoro", True),
        ("hasty, costly", "Ms. Ruiz", True),
        ("no one asked us", "Ms. Ruiz", False),
        ("no plans to close it", "The Bridge Trust", True),
    ],
)
def test_the_speaker_is_found(words: str, speaker: str, direct: bool) -> None:
    found = attribute(ARTICLE, words)
    assert found is not None and found.direct is direct
    assert ARTICLE.text[found.speaker.start : found.speaker.end] == speaker
    quotes = " ".join(ARTICLE.text[e.span.start : e.span.end] for e in found.evidence)
    assert speaker in quotes and words.split()[1].strip("!").lower() in quotes.lower()


def test_words_that_nobody_says() -> None:
    assert attribute(ARTICLE, "the bridge will fall tomorrow") is None
    assert attribute(ARTICLE, "Others disagree") is None  # though Dana Whitlock speaks before


def test_only_questions_about_speakers_count() -> None:
    assert quoted_words('Who said "not for a poem"?') == "not for a poem"
    assert quoted_words("Who said ‘not for a poem’ on Friday?") == "not for a poem"
    assert quoted_words('What does "not for a poem" mean?') is None
    assert quoted_words("Who said hello?") is None
