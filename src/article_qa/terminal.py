"""A conversation in the terminal, with the passage that each answer rests on."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from article_qa.chat.clean import clean
from article_qa.types import Answer, Citation, Span

if TYPE_CHECKING:
    from article_qa.bot import ArticleQA

LEAVE = frozenset({"exit", "quit", "/exit", "/quit", ":q"})


def converse(qa: ArticleQA, console: Console | None = None) -> None:
    """Ask and answer until the input ends.

    Args:
        qa: whom to ask.
        console: where to talk; None for the terminal.
    """
    console = console or Console()
    titles = ", ".join(a.title for a in itertools.islice(qa.store.articles_by_id.values(), 5))
    console.print(Text(f"Ask about: {clean(titles)}", style="bold"))
    console.print(Text("Follow-ups are understood. An empty line ends it.", style="dim"))
    chat = qa.chat()
    while True:
        try:
            question = console.input("\n[bold cyan]?[/] ").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return
        if not question or question.lower() in LEAVE:
            return
        with console.status("Reading"):
            answer = chat.ask(question)
        show(answer, qa, console)


def show(answer: Answer, qa: ArticleQA, console: Console) -> None:
    """Print an answer, and each passage it cites in its block of the article."""
    if answer.understood_as:
        console.print(Text(f"understood as: {answer.understood_as}", style="dim"))
    console.print(Text(clean(answer.text), style="bold"))
    for line in (answer.reason, answer.notice):
        if line:
            console.print(Text(clean(line), style="yellow"))
    articles = qa.store.articles_by_id
    for citation in answer.citations or answer.nearest:
        article = articles[citation.article_id]
        block = article.block_at(citation.start)
        around = block.span if block else Span(citation.start, citation.end)
        end = max(around.end, citation.end)
        mark = f"[{citation.number}] " if answer.citations else "nearest: "
        where = f"{mark}{article.title}, {citation.start}-{citation.end}"
        console.print(
            Panel(
                _passage(article.text, Span(around.start, end), citation),
                title=Text(clean(where)[:80]),
                title_align="left",
            )
        )
    if not answer.refused:
        console.print(Text(f"confidence {answer.confidence:.0%}", style="dim"))


def _passage(text: str, around: Span, citation: Citation) -> Text:
    """Return a block with the quote marked, and the answer's own words in it marked stronger."""
    passage = Text()
    points = {around.start, citation.start, citation.end, around.end}
    points |= {edge for span in citation.focus for edge in (span.start, span.end)}
    edges = sorted(points)
    for start, end in itertools.pairwise(edges):
        focused = any(span.start <= start and end <= span.end for span in citation.focus)
        quoted = citation.start <= start and end <= citation.end
        style = "bold reverse" if focused else "bold yellow" if quoted else "dim"
        passage.append(clean(text[start:end]), style=style)
    return passage
