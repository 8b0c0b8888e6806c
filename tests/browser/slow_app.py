"""The page over an engine that is slow on purpose.

It is loaded when a file "go" lies in the working directory, and says a word every 0.2 s.

A question with 'slowly' in it is answered so; any other at once, with the first sentence.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from article_qa.answering.citations import verify
from article_qa.reading.article import parse_article
from article_qa.types import Answer, Draft, Event, Evidence, Statement
from article_qa.web import create_app, serve
from article_qa.web.options import ServiceOptions

WORDS = 30


class SlowQA:
    chat_model = None
    articles = (parse_article("The Bell\n\nThe bell rang. It was old.", id="bell"),)

    def warm_up(self) -> None:
        while not Path("go").exists():
            time.sleep(0.05)

    def ask(self, question: str, **_: Any) -> Answer:
        (article,) = self.articles
        evidence = Evidence("bell", article.blocks[-1].sentences[0])
        draft = Draft((Statement((evidence,)),), confidence=0.9)
        return verify(draft, question, (), {"bell": article})

    def stream(self, question: str, **_: Any) -> Iterator[Event]:
        for n in range(WORDS if "slowly" in question else 0):
            time.sleep(0.2)
            yield Event("text", text=f"word{n} ")
        yield Event("answer", answer=self.ask(question))


if __name__ == "__main__":
    options = ServiceOptions(port=int(os.environ["PORT"]), feedback="")
    serve(create_app(SlowQA, options), options)  # type: ignore[arg-type]
