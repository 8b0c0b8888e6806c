"""``article-qa eval``: mounted by ``cli``; light to import."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from article_qa.errors import EvaluationError, MissingExtraError

if TYPE_CHECKING:
    from rich.console import Console

    from article_qa.evaluation.compare import Comparison
    from article_qa.evaluation.records import Question, Report

REGRESSION = Path("tests/regression")
"""Where the regression sets, their baseline and their floors stand in the repository."""
SETS = {"old": REGRESSION, "typed": REGRESSION / "typed"}
"""The regression sets by name: well-formed questions, and questions as people type them."""
FAILED = 1
"""Exit code of a run that does not hold a floor, the tolerance, or quote integrity."""
TOLERANCE = 0.01
"""How far the share of right outcomes or the mean F1 may fall: 1 question of 100. Below that a
change cannot be told from noise on sets of this size, and the diff of the baseline shows it."""
LOG_WIDTH = 120
CHANGES_SHOWN = 40
"""Changed questions that are listed; the baseline's own diff has them all."""


class Suite(NamedTuple):
    """Questions and the corpus they are asked of."""

    questions: tuple[Question, ...]
    paths: tuple[Path, ...] = ()
    texts: dict[str, str] | None = None


def evaluate_command(
    sets: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="old, typed, all (default: both), or a question set in JSON Lines. Repeatable.",
        ),
    ] = None,
    squad: Annotated[
        list[Path] | None,
        typer.Option(help="File in SQuAD format: the whole file is one corpus."),
    ] = None,
    articles: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of the sets' articles (default: beside the set, and seeds)."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Ask so many of each SQuAD file's questions.")
    ] = None,
    systems: Annotated[
        list[str] | None,
        typer.Option("--system", help="extractive (default), retrieval or tutorial. Repeatable."),
    ] = None,
    chat_models: Annotated[
        list[str] | None,
        typer.Option("--chat-model", help="A chat model, as provider:model. Repeatable."),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Only dev or only test.")] = None,
    json_path: Annotated[
        Path | None, typer.Option("--json", help="Write figures and rows here.")
    ] = None,
    html_path: Annotated[
        Path | None, typer.Option("--html", help="Write a page for people here.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Compare the first system with this accepted run.")
    ] = None,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Write this run as the baseline.")
    ] = False,
    tolerance: Annotated[
        float, typer.Option(help="How far the share right or F1 may fall below the baseline.")
    ] = TOLERANCE,
    floors: Annotated[Path | None, typer.Option(help="Fail below the floors of this file.")] = None,
    failures: Annotated[
        int, typer.Option(min=0, help="Print so many failures, spread over the set, to read.")
    ] = 0,
    allow_missing: Annotated[
        bool,
        typer.Option(
            "--allow-missing-quotes", help="Name gold quotes that stand nowhere, and go on."
        ),
    ] = False,
    import_feedback: Annotated[
        Path | None,
        typer.Option(help="Print readers' feedback as questions of the set format, and stop."),
    ] = None,
) -> None:
    """Ask the regression set (or SQuAD files), report every figure, and gate on them.

    Exits with 1 if a quote is altered, a floor is not held, or the run is worse than the baseline
    by more than the tolerance.
    """
    from rich.console import Console

    from article_qa.evaluation import compare, loading, report

    if import_feedback is not None:
        for question in loading.feedback_to_questions(import_feedback):
            typer.echo(json.dumps(loading.to_record(question), ensure_ascii=False))
        return
    if find_spec("scipy") is None:  # said before the long run, not at its end
        raise MissingExtraError("evaluation needs scipy; run: pip install 'article-qa[eval]'")
    if split not in (None, "dev", "test"):
        raise EvaluationError(f"--split is {split!r}; expected dev or test")
    accepted = baseline or REGRESSION / "baseline.json"
    if update_baseline and baseline is None and (sets not in (None, [], ["all"]) or squad or split):
        raise EvaluationError(
            f"{accepted} is the whole regression set's; name another file with --baseline"
        )
    known = None
    if baseline is not None and not update_baseline:
        known = compare.read_baseline(baseline)  # before the long run, so that a typo costs nothing
    bounds = compare.read_floors(floors) if floors is not None else ()
    suites = find_suites(sets, squad, articles, limit, split)
    console = Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH  # a log has no width of its own, and 80 cuts the table
    names = [*(systems or ([] if chat_models else ["extractive"])), *(chat_models or [])]
    reports = [run_system(name, suites, console, allow_missing) for name in names]
    for table in report.tables(reports):
        console.print(table)
    print_outcomes(reports, console)
    if failures:
        for each in reports:
            console.print(report.failures(each, failures), markup=False, soft_wrap=True)
    report.write(reports, json_path=json_path, html_path=html_path)

    problems = [problem for r in reports for problem in compare.check_floors(r, bounds)]
    if update_baseline:
        compare.write_baseline(reports[0], accepted)
        console.print(f"Wrote {accepted}", markup=False, soft_wrap=True)
    if known is not None:
        for name in reports[0].values("set"):  # a set that falls is not made up for by another
            comparison = compare.compare(reports[0], known, set=name)
            print_comparison(name, comparison, console)
            if comparison.regressed(tolerance):
                problems.append(
                    f"{reports[0].system}: {name} is worse than {baseline} by more than "
                    f"{tolerance:g}; if that is accepted: article-qa eval --baseline {baseline} "
                    "--update-baseline"
                )
    for problem in problems:
        console.print(f"FAILED {problem}", markup=False, soft_wrap=True)
    if problems:
        raise typer.Exit(FAILED)


def find_suites(
    sets: Sequence[str] | None,
    squad: Sequence[Path] | None,
    articles: Sequence[Path] | None,
    limit: int | None,
    split: str | None,
) -> list[Suite]:
    """Load the questions and find the articles they are about.

    Raises:
        EvaluationError: there is nothing to ask, or an article or file is missing or malformed.
    """
    from article_qa.evaluation.loading import load_sets
    from article_qa.evaluation.squad import load_squad

    suites = []
    named = named_sets(sets or ([] if squad else ["all"]))
    if named:
        questions = load_sets(named)
        folders = articles or [p for s in named for p in (s.parent / "articles", s.parent)]
        wanted = dict.fromkeys(question.article for question in questions)
        paths = tuple(find_article(id, [*folders, Path("seeds")]) for id in wanted)
        suites.append(Suite(questions, paths))
    for path in squad or ():
        loaded = load_squad(path, limit=limit)
        questions = tuple(replace(question, set=path.stem) for question in loaded.questions)
        suites.append(Suite(questions, texts=dict(loaded.texts)))
    if split is not None:
        suites = [
            s._replace(questions=tuple(q for q in s.questions if q.split == split)) for s in suites
        ]
    suites = [suite for suite in suites if suite.questions]
    if not suites:
        raise EvaluationError(f"no question is of split {split!r}; leave --split out")
    return suites


def named_sets(names: Sequence[str]) -> dict[Path, str]:
    """Return the files of the sets named, each with its set's name.

    Raises:
        EvaluationError: a regression set that is not here.
    """
    files: dict[Path, str] = {}
    for name in names:
        for known in SETS if name == "all" else [name]:
            if known not in SETS:
                files[Path(known)] = Path(known).stem
                continue
            found = sorted(SETS[known].glob("*.jsonl"))
            if not found:
                raise EvaluationError(
                    f"no question set: {SETS[known]} holds none here; name one with --set or "
                    "--squad"
                )
            files |= dict.fromkeys(found, known)
    return files


def find_article(id: str, folders: Sequence[Path]) -> Path:
    """Return the file named ``id`` plus an article's suffix in the first folder that has one.

    Raises:
        EvaluationError: no folder has one.
    """
    from article_qa.reading.article import SUFFIXES

    for folder in folders:
        for suffix in SUFFIXES:
            path = folder / f"{id}{suffix}"
            if path.is_file():
                return path
    searched = ", ".join(str(folder) for folder in dict.fromkeys(folders))
    raise EvaluationError(
        f"no article file named {id}.txt (or {', '.join(SUFFIXES[1:])}) in {searched}; "
        "name its folder with --articles"
    )


def run_system(
    name: str, suites: Sequence[Suite], console: Console, allow_missing: bool = False
) -> Report:
    """Build one system over each corpus and ask it every question."""
    from rich.progress import track

    from article_qa.evaluation.records import merge
    from article_qa.evaluation.runner import evaluate
    from article_qa.evaluation.systems import build_system

    progress = partial(track, description=name, console=console, transient=True)
    reports = []
    for suite in suites:
        with console.status(f"{name}: reading the articles"):
            built = build_system(name, paths=suite.paths, texts=suite.texts)
            if hasattr(built.system, "warm_up"):
                built.system.warm_up()  # latency is that of a running page, not of loading models
        reports.append(
            evaluate(
                suite.questions,
                built.system,
                name=name,
                threshold=built.thresholds,
                settings=built.settings,
                allow_missing=allow_missing,
                progress=progress,
            )
        )
    return merge(reports)


def print_outcomes(reports: Sequence[Report], console: Console) -> None:
    """Say how many came out how, show every exception, and name what awaits review."""
    for report in reports:
        counts = Counter(row.why_wrong or row.outcome for row in report.rows)
        listed = ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
        lines = [f"{report.system}: {listed}"]
        lines += [f"  {r.question.id}: {r.error}" for r in report.rows if r.error is not None]
        if report.unreviewed:
            ids = ", ".join(question.id for question in report.unreviewed)
            lines.append(f"  await review, in no figure: {ids}")
        if report.missing:
            lines.append(f"  {len(report.missing)} gold quotes stand nowhere in their article:")
            lines += [f"    {quote}" for quote in report.missing]
        console.print("\n".join(lines), markup=False, soft_wrap=True)


def print_comparison(name: str, comparison: Comparison, console: Console) -> None:
    """Print what changed since the baseline, and whether chance explains it."""
    console.print(
        f"{name}: right {comparison.correct[0]:.1%} -> {comparison.correct[1]:.1%} "
        f"(McNemar exact p = {comparison.correct_p:.3f}), "
        f"F1 {comparison.f1[0]:.1%} -> {comparison.f1[1]:.1%} "
        f"(permutation p = {comparison.f1_p:.3f}); {len(comparison.changes)} questions changed, "
        f"{len(comparison.added)} new, {len(comparison.removed)} gone",
        soft_wrap=True,
    )
    order = {"worse": 0, "better": 1, "different": 2}
    changes = sorted(comparison.changes, key=lambda change: order[change.verdict])
    for change in changes[:CHANGES_SHOWN]:
        before, after = (o.answer or "(refused)" for o in (change.before, change.after))
        console.print(
            f"  {change.verdict:9} {change.id}: {before[:80]!r} -> {after[:80]!r}",
            markup=False,
            soft_wrap=True,
        )
    if len(changes) > CHANGES_SHOWN:
        console.print(f"  ... and {len(changes) - CHANGES_SHOWN} more")
