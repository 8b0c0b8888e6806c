"""What visitors' own articles cost in memory, on Linux: ``python -m tests.benchmarks.memory``.

``--articles N`` visitors bring an article of 2 KB each and ask it one question; printed is how much
the process has grown beside one that has answered ten questions of the shared article. The peak of
a whole service is printed by ``tests.benchmarks.load``.
"""

from __future__ import annotations

import argparse
import os
import random
from pathlib import Path

from article_qa import ArticleQA
from article_qa.evaluation.loading import load_questions
from article_qa.web import app  # noqa: F401  (what `serve` imports, gradio among it)
from article_qa.web.service import Asked, Service
from article_qa.web.sessions import Library

ROOT = Path(__file__).parents[2]
TYPED = ROOT / "tests" / "regression" / "typed" / "articles"
ARTICLE_BYTES = 2000


def megabytes() -> float:
    """Return the memory of this process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def texts(count: int) -> list[str]:
    """Make different articles of real sentences."""
    paragraphs = [
        paragraph.strip()
        for path in sorted(TYPED.iterdir())
        for paragraph in path.read_text("utf-8").split("\n\n")
        if 200 < len(paragraph) < 1000
    ]
    draw = random.Random(8)
    made = []
    for n in range(count):
        text = f"Visitor {n} Writes\n"
        while len(text) < ARTICLE_BYTES:
            text += f"\n{draw.choice(paragraphs)}\n"
        made.append(text[:ARTICLE_BYTES])
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=200)
    options = parser.parse_args()
    service = Service(Library(lambda: ArticleQA.load(ROOT / "index")))
    service.library.ready.result()
    asked = load_questions(ROOT / "tests" / "regression" / "seed.jsonl")
    questions = [question.turns[-1] for question in asked]
    for question in questions[:10]:
        service.ask(Asked(question, way="benchmark"))
    before = megabytes()
    for n, text in enumerate(texts(options.articles), 1):
        session = service.sessions.open("")
        article = service.add(session, "own", text, way="benchmark")
        question = questions[n % len(questions)]
        service.ask(Asked(question, way="benchmark", article_ids=[article.id], session=session))
        if n % 50 == 0 or n == options.articles:
            print(f"{n} own articles: {megabytes() - before:.0f} MB more", flush=True)


if __name__ == "__main__":
    main()
