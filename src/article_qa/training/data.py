"""Question-answering files -> examples, with development articles held out.

Formats and sources of the files are those of the reader's card. Two kinds of rows: spans
(``answers`` with offsets; none for an unanswerable question) and yes/no (``answer``).
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from article_qa.evaluation.squad import read_paragraphs

Verdict = Literal["none", "span", "yes", "no"]
"""What a window says to a question: nothing, an answer in its words, yes, or no."""

DEV_WIKI_ARTICLES = 8
"""The last so many articles of ``squadshifts_new_wiki.json`` are development data."""

DEV_SQUAD2_TITLES = ("Packet_switching", "Steam_engine")
"""Articles of ``squad2_six_articles.jsonl`` that are development data."""

DEV_FILES = ("qed_nq_dev", "multispanqa_valid", "selqa")

HELD_OUT = ("tydiqa_en", "onestopqa", "qadiscourse", "repliqa", "boolq_dev_yesno",
            "boolq_elehman_yesno")  # fmt: skip
"""Files of which one article in ``HELD_OUT_SHARE``, drawn by its hash, is development data."""

HELD_OUT_SHARE = 12

CAPS = {
    "squadshifts_amazon": 1500,
    "squadshifts_reddit": 1500,
    "policyqa": 500,
    "ropes_contrast": 100,
    "drop_contrast": 200,
    "qamr": 2500,
    "friendsqa": 1200,
    "fairytaleqa": 2500,
    "covidqa": 800,
    "tatqa_text": 400,
    "ares_syn_hotpotqa": 300,
    "ares_syn_multirc": 300,
    "ares_syn_nq": 300,
    "ares_syn_record": 300,
    "timeqa_human": 1500,
    "qed_nq_train": 5000,
    "nq_oracle": 2000,
    "causal_news_corpus": 200,
    "clickbait_spoiling": 400,
    "musique_maorlavi": 800,
    "nq_maorlavi": 1500,
    "onestopqa": 600,
    "qa_zre_ni": 500,
    "qadiscourse": 2500,
    "repliqa": 1000,
    "squad2_expanded": 4000,
    "tweetqa": 600,
    "condaqa_yesno": 1500,
    "pubmedqa_yesno": 600,
}
"""Most questions taken of a file that is large, repetitive, noisy or far from articles."""

PER_CONTEXT = {"qamr": 5, "qa_zre_ni": 2, "condaqa_yesno": 2}
"""Most questions taken on one context of a file that asks few contexts over and over."""

_SPACED = re.compile(r"(?<=\w) (?=[,.;:?!%)\]]|'s\b|n't\b)|(?<=[(\[$£€]) (?=\w)|(?<=\w) (?=-\s)")


@dataclass(frozen=True)
class Example:
    """A question with its context; ``answers`` are (start, end) in the context, empty for none.

    ``verdict`` is ``"yes"`` or ``"no"`` for a yes/no question, which has no spans.
    """

    dataset: str
    title: str
    question: str
    context: str
    answers: tuple[tuple[int, int], ...]
    verdict: Verdict

    @property
    def article(self) -> str:
        """What names the article it is from: its title, or how its context begins."""
        return self.title or "".join(filter(str.isalnum, self.context.lower()))[:60]


def read_squad(path: Path) -> Iterator[Example]:
    """Yield the examples of a SQuAD-format file (v1 or v2)."""
    for title, context, questions in read_paragraphs(path):
        for question in questions:
            spans = tuple((start, start + len(text)) for text, start in question.answers)
            yield _example(path.stem, title, question.text, context, spans)


def read_jsonl(path: Path) -> Iterator[Example]:
    """Yield the examples of a JSON Lines file, of spans or of yes/no questions."""
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row.get("in_qed_nq_dev") or (row.get("parts") and path.stem != "multispanqa_valid"):
            continue
        spans = tuple(
            (a["answer_start"], a["answer_start"] + len(a["text"])) for a in row.get("answers", ())
        )
        yield _example(
            path.stem, row["title"], row["question"], row["context"], spans, row.get("answer")
        )


def _example(
    dataset: str,
    title: str,
    question: str,
    context: str,
    spans: tuple[tuple[int, int], ...],
    answer: Verdict | None = None,
) -> Example:
    context, spans = _join_tokens(context, spans)
    verdict: Verdict = answer or ("span" if spans else "none")
    return Example(dataset, title, _SPACED.sub("", question).strip(), context, spans, verdict)


def _join_tokens(
    context: str, spans: tuple[tuple[int, int], ...]
) -> tuple[str, tuple[tuple[int, int], ...]]:
    """Undo the spaces that a tokeniser left around punctuation, which no article has."""
    cuts = [match.start() for match in _SPACED.finditer(context)]
    if len(cuts) < len(context) / 400:
        return context, spans
    kept = [i for i in range(len(context)) if i not in set(cuts)] if cuts else []
    place = {old: new for new, old in enumerate(kept)}

    def moved(offset: int) -> int:
        while offset < len(context) and offset not in place:
            offset += 1
        return place.get(offset, len(kept))

    return "".join(context[i] for i in kept), tuple((moved(s), moved(e - 1) + 1) for s, e in spans)


def read_folder(folder: Path) -> dict[str, list[Example]]:
    """Return the examples of every file of a folder and its subfolders, by file."""
    paths = sorted(p for p in folder.rglob("*.json*") if p.stem != "selqa")
    return {
        path.stem: list(read_squad(path) if path.suffix == ".json" else read_jsonl(path))
        for path in paths
    }


def is_development(example: Example, wiki_titles: Sequence[str]) -> bool:
    """Say whether an example's article is held out; ``wiki_titles`` are all of its file's."""
    if example.dataset == "squadshifts_new_wiki":
        return example.title in wiki_titles[-DEV_WIKI_ARTICLES:]
    if example.dataset == "squad2_six_articles":
        return example.title in DEV_SQUAD2_TITLES
    if example.dataset in HELD_OUT:
        digest = hashlib.sha256(example.article.encode()).digest()
        return digest[0] % HELD_OUT_SHARE == 0
    return example.dataset in DEV_FILES


def split_examples(folder: Path) -> tuple[dict[str, list[Example]], dict[str, list[Example]]]:
    """Return training and development examples, by file; no article is in both."""
    training: dict[str, list[Example]] = {}
    development: dict[str, list[Example]] = {}
    for name, rows in read_folder(folder).items():
        titles = list(dict.fromkeys(row.title for row in rows))
        held = [row for row in rows if is_development(row, titles)]
        development[name] = held
        training[name] = [row for row in rows if not is_development(row, titles)]
    return training, development


def draw_examples(training: dict[str, list[Example]], rng: random.Random) -> list[Example]:
    """Return a draw of the training examples, files that would drown others capped."""
    drawn: list[Example] = []
    for name in sorted(training):
        rows = training[name]
        if name in PER_CONTEXT:
            rows = _cap_per_context(rows, PER_CONTEXT[name], rng)
        rows = rng.sample(rows, len(rows))
        drawn += rows[: CAPS.get(name, len(rows))]
    return drawn


def _cap_per_context(rows: Sequence[Example], most: int, rng: random.Random) -> list[Example]:
    groups: dict[str, list[Example]] = defaultdict(list)
    for row in rows:
        groups[row.context].append(row)
    return [row for group in groups.values() for row in rng.sample(group, min(most, len(group)))]
