"""The page over an engine that comes out as its question says, at once.

Of the question's words: 'perhaps' is answered unsurely, 'nothing' is refused, 'both' cites two
passages, 'him' is understood as something else, 'about' cites the headline, 'hang' never ends; any
other question is answered with the first sentence of the last paragraph. An own article is indexed
in three steps; where its text says 'slow', it waits for a file 'go' before the last. Nothing is
analysed: what is shown at a glance is written here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from article_qa.answering.citations import verify
from article_qa.reading.article import parse_article, read_article
from article_qa.types import Answer, Article, Draft, Event, Evidence, Statement
from article_qa.web import create_app, page, serve
from article_qa.web.options import ServiceOptions

FILLER = "\n\n".join(
    f"On day {n} the water stood at {n} metres. Nobody went out." for n in range(60)
)
LIBRARY = (
    read_article(
        ("bell.md", (f"# The Bell\n\n## Its making\n\n{FILLER}\n\n## Its sound\n\n"
                     "The bell was cast by Ada Brandt. It is heard for two miles.").encode()),
        id="bell",
    ),
    parse_article("The Ferry\n\nThe ferry sails at dawn. It is old.", id="ferry"),
)  # fmt: skip


class StatesQA:
    """The little of an ``ArticleQA`` that the page calls."""

    chat_model = None
    embeddings = SimpleNamespace(load=lambda: None)

    def __init__(self, articles: Sequence[Article] = LIBRARY) -> None:
        self.articles = tuple(articles)

    def warm_up(self) -> None:
        pass

    def with_articles(self, articles: Sequence[Article], progress: Any = None) -> StatesQA:
        progress(1, 3)
        while "slow" in articles[0].text and not Path("go").exists():
            time.sleep(0.2)
            progress(2, 3)
        progress(3, 3)
        return StatesQA(articles)

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Any] = (),
        article_ids: Sequence[str] | None = None,
        **_: Any,
    ) -> Answer:
        while "hang" in question:
            time.sleep(0.1)
        article = next(a for a in self.articles if article_ids is None or a.id in article_ids)
        block = article.blocks[0 if "about" in question else -1]
        spans = block.sentences[: 2 if "both" in question else 1]
        said = tuple(Statement((Evidence(article.id, span),)) for span in spans)
        draft = Draft(said, confidence=0.9)
        if "perhaps" in question:
            draft = Draft(said, confidence=0.4, status="unsure")
        if "nothing" in question:
            draft = Draft(reason="Nothing is about this.")
        understood = "Who is Ada Brandt?" if "him" in question and history else None
        return verify(draft, question, (), {article.id: article}, understood_as=understood)

    def stream(self, question: str, **more: Any) -> Iterator[Event]:
        yield Event("answer", answer=self.ask(question, **more))


def glanced(article: Article) -> dict[str, list[dict[str, Any]]]:
    """Return what a glance at the bell shows: a kind each, and nothing of any other article."""
    said = {
        "sentences": ["The bell was cast by Ada Brandt.", "It is heard for two miles."],
        "people": ["Ada Brandt"],
        "dates": ["day 1", "day 2"],
        "numbers": ["two miles"],
    }
    kinds: dict[str, list[dict[str, Any]]] = {}
    for kind, words in said.items() if article.id == "bell" else ():
        for text in words:
            start = article.text.index(text)
            sentence = article.text[start : article.text.index(".", start) + 1]
            place = {"start": start, "end": start + len(text), "text": text, "sentence": sentence}
            kinds.setdefault(kind, []).append(place)
    return kinds


if __name__ == "__main__":
    page.glance = glanced  # type: ignore[attr-defined]
    options = ServiceOptions(port=int(os.environ["PORT"]), feedback="feedback.jsonl")
    serve(create_app(StatesQA, options), options)  # type: ignore[arg-type]
