"""Reports for people and programs: terminal tables (rich), JSON, one self-contained HTML page."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from article_qa.evaluation import metrics
from article_qa.evaluation.metrics import FIGURES, Estimate, format_figure
from article_qa.evaluation.records import Report, Row
from article_qa.types import Article

if TYPE_CHECKING:
    from rich.table import Table

CONTEXT_CHARS = 160
"""Characters of the article shown on each side of a citation in the HTML report."""
GROUP_FIGURES = {
    "correct": "right",
    "coverage": "cover.",
    "accuracy_sure": "sure",
    "accuracy_given": "given",
    "unanswerable_sure": "unans.",
    "f1": "F1",
    "contains_gold": "gold",
    "citation_recall": "citR",
    "recall@1": "rec@1",
    "recall@8": "rec@8",
}
"""The figures of a kind's or genre's row, by short name; intervals stand in the totals only."""


class Section(NamedTuple):
    """One table: its title, the heads of its columns, its rows, what its heads mean."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    caption: str = ""


def sections(reports: Sequence[Report]) -> list[Section]:
    """Return the tables of a run: for each set and split the totals, then by kind and by genre.

    The totals have a column for each system, with 95% intervals; dev and test stand apart.
    """
    first = reports[0]
    found = []
    for set in first.values("set"):
        for split in sorted(first.values("split")):
            if first.select(split=split, set=set):
                found += [
                    _totals(reports, set, split),
                    _groups(reports, set, split, "kind"),
                    _groups(reports, set, split, "genre"),
                ]
    found.append(_calibration(reports))
    return [section for section in found if section.rows]


def _totals(reports: Sequence[Report], set: str, split: str) -> Section:
    n = len(reports[0].select(split=split, set=set))
    figures = [report.figures(split=split, set=set) for report in reports]
    rows = [
        (figure.label, *(with_interval(name, f[name]) for f in figures))
        for name, figure in FIGURES.items()
    ]
    errors = [sum(row.error is not None for row in r.select(split=split, set=set)) for r in reports]
    rows.append(("errors", *map(str, errors)))
    title = f"{set} {split}: {n} questions (95% bootstrap interval)".strip()
    bounds = (" / ".join(f"{t:g}" for t in dict.fromkeys(r.thresholds)) for r in reports)
    heads = (f"{r.system} ≥ {bound}" for r, bound in zip(reports, bounds, strict=True))
    return Section(title, ("figure", *heads), rows)


def _groups(
    reports: Sequence[Report], set: str, split: str, by: Literal["kind", "genre"]
) -> Section:
    """Return a row for each kind or genre and system; none where the set names none."""
    groups = [value for value in reports[0].values(by) if value]
    rows = []
    for group in groups:
        for report in reports:
            where: dict[str, Any] = {"split": split, "set": set, by: group}
            chosen = report.select(**where)
            if chosen:
                figures = report.figures(**where, intervals=False)
                shown = (format_figure(n, figures[n].value, digits=0) for n in GROUP_FIGURES)
                refused = sum(row.refused for row in chosen)
                rows.append((group, report.system, str(len(chosen)), *shown, str(refused)))
    caption = ", ".join(f"{s}: {FIGURES[name].label}" for name, s in GROUP_FIGURES.items())
    heads = (by, "system", "n", *GROUP_FIGURES.values(), "refus.")
    return Section(f"{set} {split}, by {by}".strip(), heads, rows, caption)


def _calibration(reports: Sequence[Report]) -> Section:
    rows = []
    for report in reports:
        c = metrics.columns(report.rows)
        rows += [
            (report.system, f"{size:.0f}", f"{confidence:.2f}", f"{accuracy:.2f}")
            for size, confidence, accuracy in metrics.calibration_bins(c[c.given])
        ]
    return Section(
        "confidence and accuracy of all answers, by tenths of confidence",
        ("system", "answers", "mean confidence", "share right"),
        rows,
    )


def with_interval(name: str, estimate: Estimate) -> str:
    """Return a figure with its interval: ``81.5 (77.0-85.9)``."""
    value = format_figure(name, estimate.value)
    if math.isnan(estimate.low):
        return value
    return f"{value} ({format_figure(name, estimate.low)}–{format_figure(name, estimate.high)})"


# --- terminal -------------------------------------------------------------------------------


def tables(reports: Sequence[Report]) -> list[Table]:
    """Return the sections as tables for a terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    found = []
    for title, heads, rows, caption in sections(reports):
        table = Table(
            title=Text(title), title_justify="left", box=box.SIMPLE, padding=(0, 1),
            caption=Text(caption) if caption else None, caption_justify="left",
        )  # fmt: skip
        for number, head in enumerate(heads):
            table.add_column(Text(head), justify="right" if number else "left", no_wrap=not number)
        for row in rows:
            table.add_row(*map(Text, row))
        found.append(table)
    return found


def failures(report: Report, limit: int) -> str:
    """Return up to ``limit`` failures for reading, spread evenly over the whole set."""
    failed = [row for row in report.rows if not row.correct]
    step = max(1, -(-len(failed) // limit))
    return "\n\n".join(f"{report.system} {describe(row)}" for row in failed[::step])


def describe(row: Row) -> str:
    """Return question, outcome, answer, citations and gold of a row, for a person to read."""
    question, answer = row.question, row.answer
    lines = [f"{question.id} ({question.kind}, {question.split}): {row.outcome}; {explain(row)}"]
    lines.append(f"  asked:    {' -> '.join(question.turns)}")
    if answer is not None:
        if answer.understood_as:
            lines.append(f"  read as:  {answer.understood_as}")
        lines.append(f"  answered: {answer.plain!r} ({row.status}, {row.confidence:.2f})")
        lines += [f"  citing:   {c.quote!r}" for c in answer.citations]
    if not question.answerable:
        lines.append("  expected: a refusal")
        lines += [f"  or citing {quote.text!r}" for quote in question.corrective]
    else:
        lines.append(f"  expected: {' / '.join(question.answers) or 'the passage cited'}")
        lines += [f"  cited in: {' / '.join(q.text for q in group)}" for group in question.quotes]
    return "\n".join(lines)


def explain(row: Row) -> str:
    """Say in words why a question failed; empty where it did not."""
    sure = f"confidence {row.confidence:.2f}, threshold {row.thresholds.unsure:g}"
    reason = row.answer.reason if row.answer is not None and row.answer.refused else None
    held_back = "the answer held back was " + ("right" if row.right else "wrong")
    return {
        "error": row.error or "",
        "altered quote": "; ".join(row.altered),
        "answered the unanswerable": f"an answer was given ({sure}) where the article has none",
        "unsure of the unanswerable": f"'perhaps' ({sure}) where the article has none",
        "refused wrongly": f"refused: {reason or f'{sure}; {held_back}'}",
        "wrong": {
            "passage not retrieved": "the gold passage was not among the hits",
            "cited elsewhere": "the gold passage was found, but another one was cited",
            "other answer": f"cited where it stands, but worded otherwise (F1 {row.f1:.2f})",
        }.get(row.why_wrong, ""),
    }.get(row.outcome, "")


# --- JSON -----------------------------------------------------------------------------------


def to_json(reports: Sequence[Report]) -> str:
    """Return all figures and rows as JSON; undefined figures are null."""
    systems = [
        {
            "system": report.system,
            "thresholds": report.thresholds._asdict(),
            "settings": report.settings,
            "parts": [
                _part(report, *part)
                for part in dict.fromkeys((r.question.set, r.question.split) for r in report.rows)
            ],
            "unreviewed": [question.id for question in report.unreviewed],
            "missing": report.missing,
            "rows": [_row_dict(row) for row in report.rows],
        }
        for report in reports
    ]
    return json.dumps({"systems": systems}, ensure_ascii=False, indent=1)


def _part(report: Report, set: str, split: str) -> dict[str, Any]:
    """Return the figures of one set and split, and of its kinds and genres."""
    where: dict[str, Any] = {"set": set, "split": split}
    rows = report.select(**where)

    def by(name: str) -> dict[str, Any]:
        found = dict.fromkeys(getattr(row.question, name) for row in rows)
        narrow = {value: {**where, name: value} for value in found if value}
        figures = {v: report.figures(intervals=False, **each) for v, each in narrow.items()}
        return {v: {n: _number(e.value) for n, e in each.items()} for v, each in figures.items()}

    return {
        **where,
        "n": len(rows),
        "figures": {
            name: {"value": _number(f.value), "interval": [_number(f.low), _number(f.high)]}
            for name, f in report.figures(**where).items()
        },
        "outcomes": Counter(row.outcome for row in rows),
        "kinds": by("kind"),
        "genres": by("genre"),
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


QUESTION_KEYS = ("id", "article", "set", "genre", "kind", "split", "answerable", "turns", "answers")
ROW_KEYS = ("outcome", "why_wrong", "correct", "right", "status", "error")
SCORE_KEYS = ("confidence", "exact", "f1", "citation_precision", "citation_recall", "contains_gold",
              "seconds")  # fmt: skip


def _row_dict(row: Row) -> dict[str, Any]:
    """Return a row with its question, its gold and the whole answer."""
    question = row.question
    return {
        **{key: getattr(question, key) for key in QUESTION_KEYS},
        "quotes": [[quote.text for quote in group] for group in question.quotes],
        "corrective": [quote.text for quote in question.corrective],
        **{key: getattr(row, key) for key in ROW_KEYS},
        **{key: round(getattr(row, key), 6) for key in SCORE_KEYS},
        "ranks": row.ranks,
        "altered": row.altered,
        "answer": row.answer.to_dict() if row.answer is not None else None,
    }


# --- HTML -----------------------------------------------------------------------------------


def to_html(reports: Sequence[Report]) -> str:
    """Return a page that needs nothing else: no request leaves it, every text in it is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("article_qa.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja").render(
        reports=reports,
        sections=sections(reports),
        outcomes=[
            (report.system, Counter(row.outcome for row in report.rows).most_common())
            for report in reports
        ],
        kinds=reports[0].values("kind"),
        cards=[_card(row, report) for report in reports for row in report.rows],
    )


def _card(row: Row, report: Report) -> dict[str, Any]:
    """Return what the page says of one question."""
    answer = row.answer
    citations = answer.citations if answer is not None else ()
    return {
        "row": row,
        "system": report.system,
        "answer": answer.plain if answer is not None else "",
        "why": explain(row),
        "cited": [
            (c.article_id, *in_context(report.articles.get(c.article_id), c.start, c.end))
            for c in citations
        ],
        "found": ", ".join("not found" if r is None else f"rank {r}" for r in row.ranks),
    }


def in_context(article: Article | None, start: int, end: int) -> tuple[str, str, str]:
    """Return the text before a citation, the citation's own, and the text after it."""
    if article is None or not 0 <= start < end <= len(article.text):
        return "", "", ""
    before = article.text[max(0, start - CONTEXT_CHARS) : start]
    return before, article.text[start:end], article.text[end : end + CONTEXT_CHARS]


def write(reports: Sequence[Report], *, json_path: Path | None, html_path: Path | None) -> None:
    """Write the reports that have a path."""
    for path, render in ((json_path, to_json), (html_path, to_html)):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(render(reports), encoding="utf-8")
