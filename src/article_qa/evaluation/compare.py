"""What changed since the accepted baseline, and whether the figures hold their floors.

The baseline is JSON with one question a line, so that a pull request's diff shows each question
that an update changes.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from article_qa.errors import EvaluationError
from article_qa.evaluation.metrics import FIGURES, format_figure
from article_qa.evaluation.records import Report, Row


class Outcome(NamedTuple):
    """What the baseline keeps of a row."""

    correct: bool
    refused: bool
    f1: float
    answer: str


def outcome(row: Row) -> Outcome:
    """Return what the baseline keeps of a row: what a person would have seen."""
    shown = row.answer.plain if row.answer is not None and row.shown else ""
    f1 = round(row.f1, 4) if row.shown else 0.0
    return Outcome(row.correct, row.refused, f1, row.error or shown)


def write_baseline(report: Report, path: str | Path) -> None:
    """Write a report as the accepted baseline; the same report gives the same bytes."""
    head = {
        "system": report.system,
        "thresholds": report.thresholds._asdict(),
        "settings": report.settings,
        "questions": len(report.rows),
        "correct": sum(row.correct for row in report.rows),
    }
    lines = [
        f"{json.dumps(row.question.id)}: {json.dumps(outcome(row)._asdict(), ensure_ascii=False)}"
        for row in report.rows
    ]
    body = ",\n".join(lines)
    text = f'{{"summary": {json.dumps(head)},\n"rows": {{\n{body}\n}}}}\n'
    Path(path).write_text(text, encoding="utf-8")


def read_baseline(path: str | Path) -> dict[str, Outcome]:
    """Read a baseline: outcomes by question id.

    Raises:
        EvaluationError: no such file, or it is not a baseline.
    """
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))["rows"]
        return {id: Outcome(**row) for id, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EvaluationError(
            f"{path} is not a baseline ({type(error).__name__}: {error}); "
            "write one with: article-qa eval --baseline FILE --update-baseline"
        ) from error


class Change(NamedTuple):
    """A question whose outcome is not what it was."""

    id: str
    before: Outcome
    after: Outcome

    @property
    def verdict(self) -> str:
        """``"better"`` or ``"worse"`` in being correct, else ``"different"``."""
        if self.before.correct == self.after.correct:
            return "different"
        return "better" if self.after.correct else "worse"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A report against a baseline, over the questions in both.

    Args:
        changes: questions whose outcome differs, in the report's order.
        added: ids only in the report.
        removed: ids only in the baseline.
        correct: share right in the baseline and now; NaN without shared questions.
        f1: mean F1 at the threshold in the baseline and now.
        correct_p: p-value of McNemar's exact test on being right.
        f1_p: p-value of the paired permutation test on F1.
    """

    changes: tuple[Change, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    correct: tuple[float, float]
    f1: tuple[float, float]
    correct_p: float
    f1_p: float

    def regressed(self, tolerance: float) -> bool:
        """Say whether the share right or F1 fell by more than the tolerance (a share)."""
        slack = tolerance + 1e-9  # a fall of exactly the tolerance is within it
        return any(before - after > slack for before, after in (self.correct, self.f1))


def compare(report: Report, baseline: dict[str, Outcome], set: str | None = None) -> Comparison:
    """Compare question by question with a baseline; of one set, or of all."""
    now = {row.question.id: outcome(row) for row in report.select(set=set)}
    asked = {row.question.id for row in report.rows}
    pairs = [(id, baseline[id], after) for id, after in now.items() if id in baseline]
    before = np.array([[b.correct, b.f1] for _, b, _ in pairs], dtype=np.float64).reshape(-1, 2)
    after = np.array([[a.correct, a.f1] for _, _, a in pairs], dtype=np.float64).reshape(-1, 2)
    means = [
        (float(b.mean()), float(a.mean())) if pairs else (math.nan, math.nan)
        for b, a in zip(before.T, after.T, strict=True)
    ]
    return Comparison(
        changes=tuple(Change(id, b, a) for id, b, a in pairs if b != a),
        added=tuple(id for id in now if id not in baseline),
        removed=tuple(id for id in baseline if id not in asked),
        correct=means[0],
        f1=means[1],
        correct_p=mcnemar(before[:, 0], after[:, 0]),
        f1_p=permutation(before[:, 1], after[:, 1]),
    )


def mcnemar(before: np.ndarray, after: np.ndarray) -> float:
    """Return the two-sided p-value of McNemar's exact test on paired outcomes (0 or 1).

    Only questions that changed count: if nothing truly changed, each was as likely to get better
    as worse, a binomial with p = 1/2. Source: McNemar 1947, Psychometrika 12; the exact form.
    """
    from scipy.stats import binomtest

    better, worse = int((after > before).sum()), int((after < before).sum())
    return float(binomtest(better, better + worse).pvalue) if better + worse else 1.0


def permutation(before: np.ndarray, after: np.ndarray, *, seed: int = 0) -> float:
    """Return the two-sided p-value of a paired permutation test on a mean.

    Exact where few questions changed, else over 9,999 random sign flips with a fixed seed. Source:
    Fisher 1935; Dror et al. 2018, The hitchhiker's guide to testing statistical significance in
    NLP.
    """
    from scipy.stats import permutation_test

    changed = before != after
    if changed.sum() < 2:
        return 1.0  # one flip alone can always be chance: p = 1
    result = permutation_test(
        (after[changed], before[changed]),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


# --- floors ---------------------------------------------------------------------------------


class Floor(NamedTuple):
    """A bound that a figure must hold."""

    figure: str
    reason: str
    at_least: float | None = None
    at_most: float | None = None
    split: str | None = None
    kind: str | None = None
    genre: str | None = None
    set: str | None = None
    system: str = "extractive"


def read_floors(path: str | Path) -> tuple[Floor, ...]:
    """Read the file of floors.

    ::

        [[floor]]
        figure = "f1"              # a key of metrics.FIGURES
        at_least = 0.70            # or at_most; shares are 0..1, times are seconds
        split = "test"             # or "dev"; left out for both together
        kind = "who"               # left out for all kinds
        genre = "news"             # left out for all makes of article
        set = "typed"              # or "old"; left out for both together
        system = "extractive"      # the default
        reason = "what was reached on ..., less two standard errors"

    Raises:
        EvaluationError: not TOML, an unknown figure or key, no bound, or no reason.
    """
    try:
        entries: list[dict[str, Any]] = tomllib.loads(Path(path).read_text("utf-8"))["floor"]
    except (OSError, ValueError, KeyError) as error:
        raise EvaluationError(f"{path}: expected TOML with [[floor]] tables: {error}") from error
    floors = []
    for number, entry in enumerate(entries, 1):
        place = f"{path}: floor {number}"
        if unknown := sorted(set(entry) - set(Floor._fields)):
            raise EvaluationError(f"{place}: unknown {unknown}; known: {list(Floor._fields)}")
        if entry.get("figure") not in FIGURES:
            known = ", ".join(FIGURES)
            raise EvaluationError(f"{place}: no figure {entry.get('figure')!r}; known: {known}")
        if ("at_least" in entry) == ("at_most" in entry):
            raise EvaluationError(f"{place}: expected either at_least or at_most")
        if not entry.get("reason"):
            raise EvaluationError(f"{place}: a floor needs a reason")
        floors.append(Floor(**entry))
    return tuple(floors)


def check_floors(report: Report, floors: Sequence[Floor]) -> tuple[str, ...]:
    """Return, in words, every floor that the report does not hold, quote integrity first.

    A floor over rows that are not in the report is not checked (the other split, another system);
    one whose figure is undefined is not held.
    """
    failures = [
        f"{report.system}: question {row.question.id} has an altered quote: {problem}"
        for row in report.rows
        for problem in row.altered
    ]
    for floor in floors:
        if floor.system != report.system:
            continue
        where = {name: getattr(floor, name) for name in ("set", "split", "kind", "genre")}
        if not report.select(**where):
            continue
        value = report.figures(**where, intervals=False)[floor.figure].value
        low = -math.inf if floor.at_least is None else floor.at_least
        high = math.inf if floor.at_most is None else floor.at_most
        if not low <= value <= high:
            bound = f"at least {low:g}" if floor.at_most is None else f"at most {high:g}"
            place = ", ".join(part for part in where.values() if part) or "all"
            failures.append(
                f"{report.system}: {FIGURES[floor.figure].label} ({place}) is "
                f"{format_figure(floor.figure, value)}, expected {bound}: {floor.reason}"
            )
    return tuple(failures)
