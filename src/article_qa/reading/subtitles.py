"""Subtitles (SubRip ``.srt``, WebVTT ``.vtt``) -> parts: a transcript, a block for each turn.

Times, numbers, styles and notes are left out. A speaker that a voice tag names (``<v Ada>``) is
written as those are that the words name, 'Ada: ...', so that one reads who speaks.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from article_qa.errors import ArticleError
from article_qa.reading.forms import ends_sentence
from article_qa.reading.layout import Part, one_line
from article_qa.reading.source import Document, Source

PAUSE = 3.0
"""Seconds of silence after which a sentence begins a new block; within a turn people pause less."""
LONG = 600
"""Characters of a block after which the next sentence begins a new one, as a paragraph would."""

_TIME = r"(?:(\d+):)?(\d\d):(\d\d)[.,](\d{3})"
_TIMING = re.compile(rf"\s*{_TIME}\s+-->\s+{_TIME}(?!\d)")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]{1,100})>")
_TAG = re.compile(r"<[^<>]{0,200}>|\{\\[^{}]{1,50}\}")
_TURN = re.compile(r"(?:[-–—]|>>>?)\s*(?=\S)")
_LABEL = re.compile(r"[^\W\d_a-z][^:.!?\n]{0,39}:\s+\S")


@dataclass
class _Turn:
    """What one speaker says without a long pause."""

    speaker: str
    words: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return one_line(" ".join(self.words))


def read_subtitles(source: Source) -> Document:
    """Read a file of subtitles.

    Raises:
        ArticleError: it is no text, or nothing in it is timed.
    """
    text, notes = source.decode()
    cues = list(_cues(text.replace("\r\n", "\n").replace("\r", "\n")))
    if not cues:
        raise ArticleError(
            f"{source.name} holds no subtitles: expected times ('00:00:01,000 --> 00:00:04,000') "
            "above each text. If it is a text, give it the suffix .txt."
        )
    parts = [Part(turn.text, "paragraph") for turn in _turns(cues)]
    return Document(tuple(parts), {}, notes)


def _cues(text: str) -> Iterator[tuple[float, float, list[str]]]:
    """Yield each cue: when it comes, when it goes, its lines."""
    for block in re.split(r"\n[ \t]*\n", text):
        lines = block.strip("\n").split("\n")
        for i, line in enumerate(lines[:2]):  # its number or name may stand above
            timing = _TIMING.match(line)
            if timing:
                start, end = _seconds(timing.groups()[:4]), _seconds(timing.groups()[4:])
                yield start, end, lines[i + 1 :]
                break


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, thousandths = (int((part or "0")[:9]) for part in parts)
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def _turns(cues: list[tuple[float, float, list[str]]]) -> Iterator[_Turn]:
    turn = _Turn("")
    above, gone = "", 0.0
    for start, end, lines in cues:
        for line in lines:
            voice = _VOICE.search(line)
            speaker = one_line(html.unescape(voice[1])) if voice else ""
            words = one_line(html.unescape(_TAG.sub("", line)))
            if not words or words == above:  # captions that roll repeat the line above
                continue
            above, marked = words, _TURN.match(words)
            words = words[marked.end() :] if marked else words
            ended = not turn.words or ends_sentence(turn.words[-1])
            pauses = ended and (start - gone >= PAUSE or len(turn.text) > LONG)
            changes = bool(speaker) and speaker != turn.speaker
            if changes or marked or pauses or _LABEL.match(words):
                yield turn
                turn = _Turn(speaker, [f"{speaker}:"] if speaker else [])
            turn.words.append(words)
        gone = end
    yield turn
