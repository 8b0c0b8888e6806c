from __future__ import annotations

import pytest
from reading_helpers import parts

from article_qa.errors import ArticleError
from article_qa.reading.files import read_article

SRT = """\ufeff1
00:00:01,000 --> 00:00:03,000
The bell rang
twice at dusk.

2
00:00:03,100 --> 00:00:05,000
It rang for <i>Ada</i>.

3
00:00:05,100 --> 00:00:07,000
- Who rang it?
- {\\an8}The keeper.

4
00:00:15,000 --> 00:00:17,000
OTTO: Nobody knew,

5
00:00:22,000 --> 00:00:24,000
and nobody asked.
"""
VTT = """WEBVTT - The Bell

NOTE nobody reads this

STYLE
::cue { color: red }

opening
00:01.000 --> 00:03.000 align:start
<v.loud Ada Brandt>The bell &amp; the

00:03.000 --> 00:05.000
<v.loud Ada Brandt>The bell &amp; the
<00:04.000><c>tower fell.</c></v>

00:05.000 --> 00:06.000
<v Otto>When?
"""


def test_cues_are_put_together_by_turns_and_pauses() -> None:
    article = read_article(("a.srt", SRT.replace("\n", "\r\n").encode()))
    assert parts(article, "paragraph") == [
        "The bell rang twice at dusk. It rang for Ada.",
        "Who rang it?",
        "The keeper.",
        "OTTO: Nobody knew, and nobody asked.",
    ]


def test_voices_are_speakers_and_lines_that_roll_stand_once() -> None:
    article = read_article(("a.vtt", VTT.encode()))
    assert article.text == "Ada Brandt: The bell & the tower fell.\n\nOtto: When?"


def test_a_text_without_times_is_refused_with_advice() -> None:
    with pytest.raises(ArticleError, match="expected times"):
        read_article(("a.srt", b"The bell rang."))
