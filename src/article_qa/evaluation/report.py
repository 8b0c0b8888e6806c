"""Reports for people and programs: terminal tables (rich), JSON, one self-contained HTML page."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from article_qa.evaluation import metrics
from article_qa.evaluation.metrics import FIGURES, Estimate, format_figure
from article_qa.evaluation.plots import Line, plot
from article_qa.evaluation.records import Report, Row, Split
from article_qa.types import Article

if TYPE_CHECKING:
    from rich.table import Table

CONTEXT_CHARS = 160
"""Characters of the article shown on each side of a citation in the HTML report."""
CURVE_POINTS = 100
"""Points a curve is drawn with; more cannot be seen."""
KIND_FIGURES = {
    "correct": "right",
    "coverage": "cover.",
    "accuracy_given": "given",
    "exact": "EM",
    "f1": "F1",
    "contains_gold": "gold",
    "citation_precision": "citP",
    "citation_recall": "citR",
    "recall@8": "rec@8",
    "curve_area": "area",
}
"""The figures of a kind's row and their short names; intervals stand in the totals only."""


# --- terminal -------------------------------------------------------------------------------


def tables(reports: Sequence[Report]) -> list[Table]:
    """Return the tables of a run: for each split the totals, then a row for each kind.

    The totals have a column for each system, with 95% intervals; dev and test stand apart.
    """
    result = []
    for split in reports[0].splits:
        result.append(_totals_table(reports, split))
        result.append(_kinds_table(reports, split))
    return result


def _totals_table(reports: Sequence[Report], split: Split) -> Table:
    from rich.table import Table

    n = len(reports[0].select(split))
    table = Table(title=f"{split}: {n} questions (95% bootstrap interval)", title_justify="left")
    table.add_column("figure")
    for report in reports:
        table.add_column(f"{report.system} ≥ {report.threshold:g}", justify="right")
    figures = [report.figures(split) for report in reports]
    for name, figure in FIGURES.items():
        table.add_row(figure.label, *(with_interval(name, f[name]) for f in figures))
    errors = [sum(row.error is not None for row in report.select(split)) for report in reports]
    table.add_row("errors", *map(str, errors))
    return table


def _kinds_table(reports: Sequence[Report], split: Split) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=f"{split}, by kind", title_justify="left", box=box.SIMPLE, padding=(0, 1))
    table.add_column("kind", no_wrap=True)
    if len(reports) > 1:
        table.add_column("system", no_wrap=True)
    table.caption = ", ".join(f"{s}: {FIGURES[name].label}" for name, s in KIND_FIGURES.items())
    table.caption_justify = "left"
    for heading in ("n", *KIND_FIGURES.values(), "refus.", "err"):
        table.add_column(heading, justify="right")
    for kind in (*reports[0].kinds, None):
        for report in reports:
            rows = report.select(split, kind)
            if not rows:
                continue
            figures = report.figures(split, kind, intervals=False)
            table.add_row(
                (kind or "all") if report is reports[0] else "",
                *([report.system] if len(reports) > 1 else []),
                str(len(rows)),
                *(format_figure(name, figures[name].value, digits=0) for name in KIND_FIGURES),
                str(sum(row.refused for row in rows)),
                str(sum(row.error is not None for row in rows)),
            )
    return table


def with_interval(name: str, estimate: Estimate) -> str:
    """Return a figure with its interval: ``81.5 (77.0-85.9)``."""
    value = format_figure(name, estimate.value)
    if math.isnan(estimate.low):
        return value
    return f"{value} ({format_figure(name, estimate.low)}–{format_figure(name, estimate.high)})"


# --- JSON -----------------------------------------------------------------------------------


def to_json(reports: Sequence[Report]) -> str:
    """Return all figures and rows as JSON; undefined figures are null."""
    return json.dumps(
        {"systems": [_report_dict(report) for report in reports]}, ensure_ascii=False, indent=1
    )


def _report_dict(report: Report) -> dict[str, Any]:
    def figures(split: Split | None) -> dict[str, Any]:
        return {
            name: {
                "value": _number(estimate.value),
                "interval": [_number(estimate.low), _number(estimate.high)],
                "n": estimate.n,
            }
            for name, estimate in report.figures(split).items()
        }

    return {
        "system": report.system,
        "threshold": report.threshold,
        "settings": report.settings,
        "figures": {split or "all": figures(split) for split in (*report.splits, None)},
        "kinds": {
            kind: {
                name: _number(estimate.value)
                for name, estimate in report.figures(kind=kind, intervals=False).items()
            }
            for kind in report.kinds
        },
        "unreviewed": [question.id for question in report.unreviewed],
        "rows": [_row_dict(row) for row in report.rows],
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)


def _row_dict(row: Row) -> dict[str, Any]:
    question, answer = row.question, row.answer
    return {
        "id": question.id,
        "article": question.article,
        "kind": question.kind,
        "split": question.split,
        "turns": list(question.turns),
        "answers": list(question.answers),
        "answerable": question.answerable,
        "correct": row.correct,
        "failure": row.failure,
        "refused": row.refused,
        "answer": answer.plain if answer is not None else None,
        "confidence": round(row.confidence, 6),
        "citations": [c.to_dict() for c in answer.citations] if answer is not None else [],
        "exact": row.exact,
        "f1": round(row.f1, 6),
        "citation_precision": round(row.citation_precision, 6),
        "citation_recall": round(row.citation_recall, 6),
        "contains_gold": round(row.contains_gold, 6),
        "ranks": list(row.ranks),
        "altered": list(row.altered),
        "error": row.error,
        "seconds": round(row.seconds, 4),
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
        splits=[
            {
                "name": split,
                "n": len(reports[0].select(split)),
                "rows": _totals(reports, split),
                "kinds": _kinds(reports, split),
            }
            for split in reports[0].splits
        ],
        failures=[
            (report.system, Counter(r.failure for r in report.rows if r.failure).most_common())
            for report in reports
        ],
        kinds=reports[0].kinds,
        kind_labels=[(short, FIGURES[name].label) for name, short in KIND_FIGURES.items()],
        plots=[_curve_plot(reports), _calibration_plot(reports)],
        cards=[_card(row, report) for report in reports for row in report.rows],
    )


def _totals(reports: Sequence[Report], split: Split) -> list[tuple[str, list[str]]]:
    figures = [report.figures(split) for report in reports]
    return [
        (figure.label, [with_interval(name, f[name]) for f in figures])
        for name, figure in FIGURES.items()
    ]


def _kinds(reports: Sequence[Report], split: Split) -> list[list[str]]:
    lines = []
    for kind in reports[0].kinds:
        for report in reports:
            rows = report.select(split, kind)
            if rows:
                figures = report.figures(split, kind, intervals=False)
                shown = [format_figure(name, figures[name].value) for name in KIND_FIGURES]
                lines.append([kind, report.system, str(len(rows)), *shown])
    return lines


def _curve_plot(reports: Sequence[Report]) -> str:
    lines = []
    for report in reports:
        coverage, accuracy = metrics.coverage_accuracy(metrics.columns(report.rows))
        step = max(1, len(coverage) // CURVE_POINTS)
        points = list(zip(coverage.tolist(), accuracy.tolist(), strict=True))
        lines.append(Line(report.system, [*points[::step], *points[-1:]]))
    return plot("Accuracy by coverage", "coverage (surest first)", "accuracy", lines)


def _calibration_plot(reports: Sequence[Report]) -> str:
    lines = [
        Line(
            report.system,
            [
                (b.confidence, b.accuracy)
                for b in metrics.calibration_bins(metrics.columns(report.rows))
            ],
            dots=True,
        )
        for report in reports
    ]
    return plot("Calibration", "confidence", "accuracy", lines, diagonal=True)


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


def explain(row: Row) -> str:
    """Say in words why a question failed; empty where it did not."""
    sure = f"confidence {row.confidence:.2f}, threshold {row.threshold:g}"
    reason = row.answer.reason if row.answer is not None and row.answer.refused else None
    held_back = "the answer held back was " + ("right" if row.right else "wrong")
    return {
        None: "",
        "error": row.error or "",
        "altered quote": "; ".join(row.altered),
        "answered the unanswerable": f"an answer was given ({sure}) where the article has none",
        "false refusal": f"refused: {reason or f'{sure}; {held_back}'}",
        "passage not retrieved": "the gold passage was not among the hits",
        "cited elsewhere": "the gold passage was found, but another one was cited",
        "other answer": f"cited where it stands, but worded otherwise (F1 {row.f1:.2f})",
    }[row.failure]


def write(reports: Sequence[Report], *, json_path: Path | None, html_path: Path | None) -> None:
    """Write the reports that have a path."""
    for path, render in ((json_path, to_json), (html_path, to_html)):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(render(reports), encoding="utf-8")
