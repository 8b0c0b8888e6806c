"""Fit the judge, ``models/judge.json``, on articles that the reader never saw.

Run ``python -m article_qa.training.calibrate --data FOLDER --questions FILE ...``.

Asked are, with no hint where to look:

- development articles of the question-answering files: their own questions, those that SQuAD 2.0's
  writers made unanswerable, questions whose paragraph was left out, questions with a word changed,
  questions about another article; every other one as people type it;
- held-out contexts of other files, put together to articles, yes/no questions among them;
- regression questions on articles of the ``dev`` split.

Every proposal of every question is a row, right or wrong. The figures that are printed are of
judges that never saw the article (five groups of articles, each left out once); the confidence is
fitted on the same left-out scores, the shipped trees on all rows.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from article_qa.answering.extractive import ExtractiveEngine
from article_qa.answering.features import is_short, says_the_same
from article_qa.answering.judge import JUDGE, Judge, Tree
from article_qa.answering.proposals import Proposal
from article_qa.bot import ArticleQA
from article_qa.config import Settings
from article_qa.evaluation.loading import load_questions, locate_gold
from article_qa.evaluation.metrics import answer_is_right
from article_qa.evaluation.records import Question
from article_qa.reading.article import parse_article, read_articles
from article_qa.training.data import DEV_FILES, Example, split_examples
from article_qa.training.pairs import swap
from article_qa.training.typed import type_question
from article_qa.types import Article, Span

CONTEXTS = 12
"""Contexts of different sources that make an article."""

TREES = {"n_estimators": 160, "max_depth": 4, "learning_rate": 0.06, "subsample": 0.7,
         "min_samples_leaf": 25, "max_features": 0.4, "random_state": 0}  # fmt: skip
"""Chosen on left-out articles: deeper or more trees gain nothing there."""

FOLDS = 5

_TELL = ("Tell me about {}", "What does the article say about {}?", "what does it say on {}")
_NAME = re.compile(r"(?<![.!?] )(?<!^)\b[A-Z][a-z]{2,} [A-Z][a-z]{2,}\b")


@dataclass(frozen=True, slots=True)
class Case:
    """A question to an article, with what makes a proposal right.

    Args:
        article: id of the article.
        question: what is asked.
        kind: what it tests.
        golds: acceptable words; none for an unanswerable question or where only the place counts.
        places: groups of alternative ranges; a right proposal cites one of every group.
        weight: what its rows count.
    """

    article: str
    question: str
    kind: str
    golds: tuple[str, ...] = ()
    places: tuple[tuple[Span, ...], ...] = ()
    weight: float = 1.0

    def is_right(self, proposal: Proposal) -> bool:
        """Say whether a proposal answers: in its words, and at a right place."""
        if not self.places or proposal.article.id != self.article:
            return False
        cited = [e.span for s in proposal.statements for e in s.evidence]
        placed = all(any(c.overlaps(g) for c in cited for g in group) for group in self.places)
        return placed and answer_is_right(_said(proposal), self.golds)


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one question's proposals."""

    group: str
    kind: str
    question: str
    answerable: bool
    weight: float
    features: list[dict[str, float]]
    right: list[bool]
    same: list[list[bool]]
    short: list[bool]
    said: list[str]


def _said(proposal: Proposal) -> str:
    text = proposal.article.text
    parts = []
    for statement in proposal.statements:
        spans = [s for e in statement.evidence for s in (e.focus or ())]
        spans = spans or [e.span for e in statement.evidence]
        words = statement.text or " ".join(text[s.start : s.end] for s in spans)
        parts.append(words)
    return " ".join(parts)


def development_cases(folder: Path, seed: int, most: int) -> tuple[dict[str, str], list[Case]]:
    """Return articles made of development data, by id, and what to ask of each."""
    rng = random.Random(seed)
    _, development = split_examples(folder)
    texts: dict[str, str] = {}
    cases: list[Case] = []
    for name in ("squadshifts_new_wiki", "squad2_six_articles"):
        by_title: dict[str, list[Example]] = defaultdict(list)
        for example in development.pop(name):
            by_title[example.title].append(example)
        for title, own in by_title.items():
            others = [e for t, rows in by_title.items() if t != title for e in rows]
            cases += _whole_article(title, own, others, texts, rng, most)
    for name in sorted(development):
        if name not in DEV_FILES:
            cases += _made_articles(name, development[name], texts, rng, most)
    return texts, [
        Case(**{**_fields(case), "question": type_question(case.question, rng)}) for case in cases
    ]


def _fields(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in Case.__dataclass_fields__}


def _whole_article(
    title: str,
    own: Sequence[Example],
    others: Sequence[Example],
    texts: dict[str, str],
    rng: random.Random,
    most: int,
) -> Iterator[Case]:
    paragraphs = list(dict.fromkeys(e.context for e in own))
    texts[title] = "\n\n".join(paragraphs)
    texts[f"{title} (half)"] = "\n\n".join(paragraphs[::2])
    for e in rng.sample(own, min(len(own), most)):
        yield _case(e, title, "own" if e.answers else "adversarial", texts)
    answerable = rng.sample([e for e in own if e.answers], min(len(own) // 3, most // 3))
    for e in answerable:
        yield _case(e, f"{title} (half)", "half" if e.context in paragraphs[::2] else "removed",
                    texts)  # fmt: skip
        if rng.random() < 0.5 and (changed := swap(e.question, e.context, rng)):
            yield Case(title, changed, "altered")
    for e in rng.sample(list(others), min(len(others), most // 10)):
        yield Case(title, e.question, "off topic")
    yield from _topics(title, texts[title], " ".join(e.context for e in others), rng, most // 8)


def _topics(title: str, text: str, other: str, rng: random.Random, most: int) -> Iterator[Case]:
    """Ask to be told about names that the article has, and about names that only others have."""
    names, absent = ({m.group() for m in _NAME.finditer(t)} for t in (text, other))
    for name in rng.sample(sorted(names), min(len(names), most)):
        places = tuple(Span(*m.span()) for m in re.finditer(re.escape(name), text))
        yield Case(title, rng.choice(_TELL).format(name), "topic", (), (places,))
    absent = {name for name in absent if name.lower() not in text.lower()}
    for name in rng.sample(sorted(absent), min(len(absent), most // 2)):
        yield Case(title, rng.choice(_TELL).format(name), "absent topic")


def _made_articles(
    name: str, rows: Sequence[Example], texts: dict[str, str], rng: random.Random, most: int
) -> Iterator[Case]:
    by_context: dict[str, list[Example]] = defaultdict(list)
    for example in rows:
        by_context[example.context].append(example)
    contexts = rng.sample(sorted(by_context), min(len(by_context), most))
    for number, begin in enumerate(range(0, len(contexts), CONTEXTS)):
        part = contexts[begin : begin + CONTEXTS]
        title = f"{name} {number}"
        texts[title] = "\n\n".join(part)
        for context in part:
            for e in by_context[context][:2]:
                yield _case(e, title, f"{name} {e.verdict}", texts)


def _case(example: Example, article: str, kind: str, texts: dict[str, str]) -> Case:
    begin = texts[article].find(example.context)
    if example.verdict == "none" or begin < 0:
        return Case(article, example.question, kind)
    if example.verdict != "span":
        places = (Span(begin, begin + len(example.context)),)
        return Case(article, example.question, kind, (example.verdict,), (places,))
    golds = tuple(example.context[s:e] for s, e in example.answers)
    answers = tuple(Span(begin + s, begin + e) for s, e in example.answers)
    return Case(article, example.question, kind, golds, (answers,))


def regression_cases(questions: Iterable[Question], weight: float) -> list[Case]:
    """Return the single questions of the ``dev`` split as cases."""
    return [
        Case(q.article, q.text, q.kind, q.answers,
             tuple(tuple(quote.span for quote in group) for group in q.quotes), weight)
        for q in questions
        if q.split == "dev" and len(q.turns) == 1
    ]  # fmt: skip


def collect(articles: Iterable[Article], cases: Sequence[Case], settings: Settings) -> list[Row]:
    """Ask every case and gather the features of all proposals."""
    by_article: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_article[case.article].append(case)
    rows = []
    base: ArticleQA | None = None
    for article in articles:
        own = by_article[article.id]
        if not own:
            continue
        qa = base.with_articles([article]) if base else ArticleQA.from_articles([article], settings)
        base = base or qa
        rows += [row for case in own if (row := _row(qa, case))]
        print(f"{article.id}: {len(own)} questions", flush=True)
    return rows


def _row(qa: ArticleQA, case: Case) -> Row | None:
    hits = qa.as_retriever().hits(case.question)
    engine = ExtractiveEngine(qa.reader, qa.settings)
    found, proposals, features = engine.propose(case.question, hits, qa.store.articles_by_id)
    if not proposals:
        return None
    return Row(
        case.article.removesuffix(" (half)"), case.kind, case.question, bool(case.places),
        case.weight, features, [case.is_right(p) for p in proposals],
        [[says_the_same(p, other) for other in proposals] for p in proposals],
        [is_short(found.question, p) for p in proposals],
        [_said(p)[:120] for p in proposals],
    )  # fmt: skip


# --- fitting --------------------------------------------------------------------------------------


def fit_trees(rows: Sequence[Row]) -> tuple[float, tuple[Tree, ...]]:
    """Fit boosted trees to all proposals; return the base score and the trees."""
    from sklearn.ensemble import GradientBoostingClassifier

    names = sorted(rows[0].features[0])
    x = np.array([[f[name] for name in names] for row in rows for f in row.features])
    y = np.array([right for row in rows for right in row.right])
    weight = np.array([row.weight for row in rows for _ in row.right])
    model = GradientBoostingClassifier(**TREES).fit(x, y, sample_weight=weight)
    share = float(np.average(y, weights=weight))
    rate = TREES["learning_rate"]
    trees = []
    for (regressor,) in model.estimators_:
        tree = regressor.tree_
        leaf = tree.children_left < 0
        value = np.where(leaf, rate * tree.value[:, 0, 0], tree.threshold)
        trees.append(
            Tree(
                tuple(None if leaf[i] else names[tree.feature[i]] for i in range(len(leaf))),
                tuple(float(f"{v:.6g}") for v in value),
                tuple(max(0, int(i)) for i in tree.children_left),
                tuple(max(0, int(i)) for i in tree.children_right),
            )
        )
    return float(np.log(share / (1 - share))), tuple(trees)


def left_out_scores(rows: Sequence[Row]) -> list[list[float]]:
    """Return all proposals' scores by judges that never saw their article."""
    groups = sorted({row.group for row in rows})
    random.Random(0).shuffle(groups)
    fold = {group: i % FOLDS for i, group in enumerate(groups)}
    scores: list[list[float]] = [[] for _ in rows]
    for held in range(FOLDS):
        base, trees = fit_trees([row for row in rows if fold[row.group] != held])
        judge = Judge(base, trees, 0.0, 1.0, 0.0)
        for i, row in enumerate(rows):
            if fold[row.group] == held:
                scores[i] = [judge.score(f) for f in row.features]
    return scores


def fit_confidence(
    rows: Sequence[Row], scores: Sequence[Sequence[float]]
) -> tuple[float, float, float]:
    """Fit bias, weight of the score and weight of the lead on left-out scores."""
    from sklearn.linear_model import LogisticRegression

    plain = Judge(0.0, (), 0.0, 1.0, 0.0)
    x, y, weight = [], [], []
    for row, own in zip(rows, scores, strict=True):
        best = plain.choose(own, row.same, row.short).best
        rivals = [s for i, s in enumerate(own) if not row.same[best][i]]
        lead = min(6.0, own[best] - max(rivals, default=own[best] - 6.0))
        x.append((own[best], lead))
        y.append(row.right[best])
        weight.append(row.weight)
    model = LogisticRegression(C=10.0).fit(np.array(x), y, sample_weight=weight)
    score, lead = model.coef_[0]
    return float(model.intercept_[0]), float(score), float(lead)


def report(rows: Sequence[Row], scores: Sequence[Sequence[float]], judge: Judge) -> Iterator[str]:
    """Yield lines: how often the best proposal is right, calibration, what thresholds give."""
    from sklearn.metrics import roc_auc_score

    chosen = [judge.choose(own, row.same, row.short) for row, own in zip(rows, scores, strict=True)]
    right = np.array([row.right[c.best] for row, c in zip(rows, chosen, strict=True)])
    confidence = np.array([c.confidence for c in chosen])
    answerable = np.array([row.answerable for row in rows])
    possible = np.array([any(row.right) for row in rows])
    bins = np.clip((confidence * 10).astype(int), 0, 9)
    error = sum(
        abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
        for b in range(10)
        if (bins == b).any()
    )
    yield (
        f"{len(rows)} questions, {answerable.sum()} answerable; best proposal right "
        f"{right[answerable].mean():.3f} of the answerable (some proposal right "
        f"{possible[answerable].mean():.3f}); AUROC {roc_auc_score(right, confidence):.3f}, "
        f"calibration error {error:.3f}"
    )
    for threshold in np.arange(0.1, 0.95, 0.05):
        given = confidence >= threshold
        yield (
            f"  at {threshold:.2f}: given {given[answerable].mean():.3f} of the answerable, right "
            f"of all given {right[given].mean():.3f}; given of the unanswerable "
            f"{given[~answerable].mean():.3f}"
        )
    for kind in sorted({row.kind for row in rows}):
        of = np.array([row.kind == kind for row in rows])
        yield (
            f"  {kind:28} n {of.sum():4}  right {right[of].mean():.2f}  "
            f"sure (0.6) {(confidence[of] >= 0.6).mean():.2f}"
        )


def main() -> None:
    """Parse the command line, collect, fit, report and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of QA files")
    parser.add_argument("--questions", type=Path, nargs="*", default=[], help="regression files")
    parser.add_argument("--articles", type=Path, nargs="*", default=[], help="their articles")
    parser.add_argument("--reader", default="bundled", help="reader model (default: bundled)")
    parser.add_argument("--most", type=int, default=60, help="questions of an article at most")
    parser.add_argument("--weight", type=float, default=4.0, help="of a regression question")
    parser.add_argument("--rows", type=Path, help="keep what was collected here, or read it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=JUDGE)
    options = parser.parse_args()
    if options.rows and options.rows.exists():
        rows = [Row(**json.loads(line)) for line in options.rows.open(encoding="utf-8")]
    else:
        texts, cases = development_cases(options.data, options.seed, options.most)
        articles = [parse_article(text, id=name) for name, text in texts.items()]
        if options.questions:
            own = read_articles(options.articles)
            asked = [q for path in options.questions for q in load_questions(path)]
            placed, _ = locate_gold(asked, {article.id: article for article in own})
            articles += own
            cases += regression_cases(placed, options.weight)
        rows = collect(articles, cases, Settings(reader_model=options.reader))
        if options.rows:
            options.rows.write_text("".join(json.dumps(asdict(r)) + "\n" for r in rows), "utf-8")
    scores = left_out_scores(rows)
    bias, score_weight, lead_weight = fit_confidence(rows, scores)
    base, trees = fit_trees(rows)
    judge = Judge(base, trees, bias, score_weight, lead_weight)
    print("\n".join(report(rows, scores, judge)))
    options.out.write_text(json.dumps(_record(judge)) + "\n", "utf-8")


def _record(judge: Judge) -> dict[str, Any]:
    return {
        "base": judge.base,
        "bias": judge.bias,
        "score_weight": judge.score_weight,
        "lead_weight": judge.lead_weight,
        "trees": [[tree.feature, tree.value, tree.left, tree.right] for tree in judge.trees],
    }


if __name__ == "__main__":
    main()
