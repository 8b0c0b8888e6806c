"""Fit ``models/calibration.json`` on development articles.

Run ``python -m article_qa.training.calibrate --data FOLDER``.

Each article is asked, as a person would ask it, with no hint where to look:

- its own questions, and those that SQuAD 2.0's writers made unanswerable;
- the same article without every other paragraph: questions on those left out have no answer there
  any more, though all that surrounds it is on their topic;
- its own questions with a name or number swapped or a word turned into its opposite;
- questions about another article.

An answer is right when its F1 with an annotator's is at least 0.5 (SQuAD's normalisation). The
logistic regressions see each article's features with the others' labels held out once (leave one
article out), which gives the figures that are printed; the shipped one is fitted on all.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from article_qa.answering.extractive import (
    ExtractiveEngine,
    features_of,
    sentence_features,
    sentences_of,
)
from article_qa.answering.judge import CALIBRATION
from article_qa.answering.question import analyse
from article_qa.bot import ArticleQA
from article_qa.config import Settings
from article_qa.evaluation.metrics import answer_is_right
from article_qa.reading.article import parse_article
from article_qa.training.data import (
    DEV_SQUAD2_TITLES,
    DEV_WIKI_ARTICLES,
    Example,
    read_jsonl,
    read_squad,
)
from article_qa.training.pairs import swap


@dataclass(frozen=True)
class Case:
    """One question to one article; no golds: the article does not answer it."""

    article: str
    question: str
    golds: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class Outcome:
    """What the engine found for a case, before any threshold."""

    case: Case
    span: Mapping[str, float]
    span_right: bool
    sentence: Mapping[str, float]
    sentence_right: bool
    answer: str


def development_examples(folder: Path) -> list[Example]:
    """Return the examples of the articles held out for development."""
    wiki = list(read_squad(folder / "squadshifts_new_wiki.json"))
    titles = list(dict.fromkeys(example.title for example in wiki))[-DEV_WIKI_ARTICLES:]
    squad2 = read_jsonl(folder / "squad2_six_articles.jsonl")
    return [e for e in wiki if e.title in titles] + [
        e for e in squad2 if e.title in DEV_SQUAD2_TITLES
    ]


def development_cases(
    examples: Sequence[Example], seed: int, most: int
) -> tuple[dict[str, str], list[Case]]:
    """Return the articles' texts by name, and the questions to ask of each."""
    rng = random.Random(seed)
    by_title: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_title[example.title].append(example)
    texts: dict[str, str] = {}
    cases: list[Case] = []
    for title, own in by_title.items():
        paragraphs = list(dict.fromkeys(e.context for e in own))
        kept = set(paragraphs[::2])
        texts[title] = "\n\n".join(paragraphs)
        texts[f"{title} (half)"] = "\n\n".join(p for p in paragraphs if p in kept)
        others = [e for e in examples if e.title != title and e.answers]
        drawn = rng.sample(own, min(len(own), most))
        cases += [_case(e, title, "own" if e.answers else "adversarial") for e in drawn]
        for e in rng.sample([e for e in own if e.answers], min(len(own) // 3, most // 2)):
            name = f"{title} (half)"
            cases.append(
                _case(e, name, "half") if e.context in kept
                else Case(name, e.question, (), "removed")
            )  # fmt: skip
        answerable = rng.sample([e for e in own if e.answers], min(len(own) // 3, most // 4))
        altered = [swap(e.question, e.context, rng) for e in answerable]
        cases += [Case(title, question, (), "altered") for question in altered if question]
        cases += [Case(title, e.question, (), "off topic") for e in rng.sample(others, most // 8)]
    return texts, cases


def _case(example: Example, article: str, kind: str) -> Case:
    golds = tuple(example.context[s:e] for s, e in example.answers)
    return Case(article, example.question, golds, kind)


def collect(texts: Mapping[str, str], cases: Sequence[Case], settings: Settings) -> list[Outcome]:
    """Ask every case and gather the features of the best answer."""
    by_article: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        by_article[case.article].append(case)
    outcomes = []
    base: ArticleQA | None = None
    for name, own in by_article.items():
        article = parse_article(texts[name], id=name)
        base = (
            ArticleQA.from_articles([article], settings)
            if base is None
            else base.with_articles([article])
        )
        outcomes += [o for case in own if (o := _outcome(base, case))]
        print(f"{name}: {len(own)} questions", flush=True)
    return outcomes


def _outcome(qa: ArticleQA, case: Case) -> Outcome | None:
    articles = qa.index.articles_by_id
    text = articles[case.article].text
    hits = qa.as_retriever().hits(case.question)
    asked = analyse(case.question)
    candidates = ExtractiveEngine(qa.reader, qa.settings).candidates(asked, hits, articles)
    if not candidates:
        return None
    best = candidates[0].span
    answer = text[best.start : best.end]
    hit = max(hits, key=lambda h: h.sentence_score)
    sentence = text[hit.sentence.start : hit.sentence.end]
    cited = sentences_of(articles[case.article], best)
    return Outcome(
        case,
        features_of(asked, candidates, articles),
        bool(case.golds) and answer_is_right(answer, case.golds),
        sentence_features(asked, hit, articles),
        any(gold in sentence for gold in case.golds),
        f"{answer} | {text[cited.start : cited.end]}",
    )


def fit(rows: Sequence[Mapping[str, float]], labels: Sequence[bool]) -> dict[str, Any]:
    """Fit one logistic regression; return it in the form ``load_calibrators`` reads."""
    from sklearn.linear_model import LogisticRegression

    names = sorted(rows[0])
    x = np.array([[row[name] for name in names] for row in rows])
    mean, scale = x.mean(0), np.maximum(x.std(0), 1e-6)
    model = LogisticRegression(C=0.3, max_iter=2000).fit((x - mean) / scale, labels)
    return {
        "bias": round(float(model.intercept_[0]), 6),
        "weights": {
            name: [round(float(v), 6) for v in (mean[i], scale[i], model.coef_[0][i])]
            for i, name in enumerate(names)
        },
    }


def held_out(outcomes: Sequence[Outcome], what: str) -> list[float]:
    """Return each outcome's probability from a model that never saw its article."""
    from article_qa.answering.judge import Calibrator

    result = [0.0] * len(outcomes)
    titles = [o.case.article.removesuffix(" (half)") for o in outcomes]
    for title in sorted(set(titles)):
        rest = [o for o, t in zip(outcomes, titles, strict=True) if t != title]
        data = fit([getattr(o, what) for o in rest], [getattr(o, f"{what}_right") for o in rest])
        model = Calibrator({k: tuple(v) for k, v in data["weights"].items()}, data["bias"])
        for i, o in enumerate(outcomes):
            if titles[i] == title:
                result[i] = model.probability(getattr(o, what))
    return result


def report(outcomes: Sequence[Outcome], p: Sequence[float], what: str) -> Iterator[str]:
    """Yield lines: discrimination, calibration, and what each threshold gives."""
    from sklearn.metrics import roc_auc_score

    right = np.array([getattr(o, f"{what}_right") for o in outcomes])
    answerable = np.array([bool(o.case.golds) for o in outcomes])
    prob = np.array(p)
    bins = np.clip((prob * 10).astype(int), 0, 9)
    ece = sum(
        abs(prob[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean()
        for b in range(10)
        if (bins == b).any()
    )
    yield (
        f"{what}: {len(p)} questions, right at full coverage "
        f"{right[answerable].mean():.3f} of the answerable, AUROC "
        f"{roc_auc_score(right, prob):.3f}, ECE {ece:.3f}"
    )
    for threshold in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7):
        given = prob >= threshold
        kinds = " ".join(
            f"{kind} {1 - given[mask].mean():.2f}"
            for kind in ("adversarial", "removed", "altered", "off topic")
            if (mask := np.array([o.case.kind == kind for o in outcomes])).any()
        )
        yield (
            f"  at {threshold:.2f}: answered {given[answerable].mean():.3f} of the answerable; "
            f"of those right {right[given & answerable].mean():.3f}, of all answers "
            f"{right[given].mean():.3f}; refused of the unanswerable: {kinds}"
        )


def main() -> None:
    """Parse the command line, collect, fit, report and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of QA files")
    parser.add_argument("--reader", default="bundled", help="reader model (default: bundled)")
    parser.add_argument("--most", type=int, default=120, help="questions of an article at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=CALIBRATION)
    options = parser.parse_args()
    settings = Settings(reader_model=options.reader)
    texts, cases = development_cases(development_examples(options.data), options.seed, options.most)
    outcomes = collect(texts, cases, settings)
    fitted = {}
    for what in ("span", "sentence"):
        fitted[what] = fit(
            [getattr(o, what) for o in outcomes], [getattr(o, f"{what}_right") for o in outcomes]
        )
        print("\n".join(report(outcomes, held_out(outcomes, what), what)))
    options.out.write_text(json.dumps(fitted, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
