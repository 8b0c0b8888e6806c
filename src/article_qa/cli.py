"""The command line: ``article-qa index | ask | chat | serve | mcp | eval | bench``.

Exit codes: 0 answered (or done), 3 refused, 2 wrong usage and invalid questions, 1 an error. An
error is one line and the next command to run; with ``--json`` it is an object on standard output.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec

import typer

from article_qa.config import Settings
from article_qa.errors import ArticleQAError
from article_qa.evaluation.command import evaluate_command

if TYPE_CHECKING:
    from article_qa.bot import ArticleQA
    from article_qa.types import Answer, Article

REFUSED, INVALID = 3, 2
CHAT_MODEL_VARIABLE = "ARTICLE_QA_CHAT_MODEL"
SEEDS = Path("seeds")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Ask an article: short answers, every statement with an exact passage of it.",
)

P = ParamSpec("P")
IndexDir = Annotated[Path, typer.Option("--index", help="Folder of the built index.")]
StoreAddress = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="ARTICLE_QA_STORE",
        help="Milvus collection in place of the folder: milvus+file:///path/library.db or "
        "milvus+http://host:19530/collection (its token in ARTICLE_QA_MILVUS_TOKEN).",
    ),
]
Objects = Annotated[
    str | None,
    typer.Option(
        envvar="ARTICLE_QA_OBJECTS",
        help="Where a store keeps the articles' texts: a folder, or s3://bucket/prefix.",
    ),
]
ChatModel = Annotated[
    str | None,
    typer.Option(
        envvar=CHAT_MODEL_VARIABLE,
        help="Chat model that writes the answers, as LangChain names it (ollama:llama3.2). "
        "Without one the built-in reader answers.",
    ),
]


def _plainly(command: Callable[P, None]) -> Callable[P, None]:
    """Turn the package's errors into one line on stderr and exit code 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except ArticleQAError as error:
            _print_error(str(error), type(error).__name__, as_json=bool(kwargs.get("as_json")))
            raise typer.Exit(1) from None

    return run


def _print_error(message: str, kind: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"error": {"type": kind, "message": message}}, indent=2))
    else:
        typer.echo(f"Error: {message}", err=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"article-qa {version('article-qa')}")
        raise typer.Exit


@app.callback()
def _main(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


@app.command()
@_plainly
def index(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Articles, or folders of them (default: seeds).")
    ] = None,
    out: IndexDir = Path("index"),
    store: StoreAddress = None,
    objects: Objects = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that read and embed; with --store.")
    ] = 1,
    ray: Annotated[
        str | None, typer.Option(help="Ray cluster that reads and embeds; with --store.")
    ] = None,
) -> None:
    """Read articles and build the index; what is unchanged is not embedded again.

    A folder's index holds exactly these articles, a store keeps those that it has beside them.
    Files that cannot be read are listed and left out.
    """
    if store is not None:
        _index_into(store, paths or [SEEDS], objects, workers, ray)
        return
    if workers > 1 or ray is not None:
        raise typer.BadParameter("--workers and --ray go with --store.")
    from article_qa.errors import IndexUnusableError
    from article_qa.retrieval.embeddings import load_embeddings
    from article_qa.retrieval.store_local import LocalStore

    settings = Settings()
    embeddings = load_embeddings(settings)
    articles = _readable(paths or [SEEDS], settings)
    try:
        built = LocalStore.load(out, settings, embeddings, articles)
    except IndexUnusableError:
        built = LocalStore.build(articles, settings, embeddings)
    built.save(out)
    for article in built.articles:
        count = sum(p.article_id == article.id for p in built.passages)
        typer.echo(f"{article.id}: {article.title!r}, {count} passages")
        for note in article.notes:
            typer.echo(f"  note: {note}")
    typer.echo(f"Wrote {out}")


def _readable(paths: Sequence[Path], settings: Settings) -> list[Article]:
    """Read articles, and list those files that cannot be read.

    Raises:
        ArticleError: none can.
    """
    from article_qa.errors import ArticleError
    from article_qa.reading.article import find_files, read_article

    articles, problem = [], None
    for path, id in find_files(paths):
        try:
            articles.append(read_article(path, id=id, settings=settings))
        except ArticleError as error:
            problem = error
            typer.echo(f"Left out: {error}", err=True)
    if problem is not None and not articles:
        raise problem
    return articles


def _index_into(
    address: str, paths: Sequence[Path], objects: str | None, workers: int, ray: str | None
) -> None:
    """Bring articles into a store, and say what was done."""
    from article_qa.reading.article import find_files
    from article_qa.retrieval.embeddings import load_embeddings
    from article_qa.retrieval.indexing import index_files
    from article_qa.retrieval.store_milvus import MilvusStore

    settings = Settings()
    store = MilvusStore(address, settings, load_embeddings(settings), objects=objects, create=True)
    files = find_files(paths)
    began = time.perf_counter()
    done = index_files(files, store, workers=workers, ray=ray)
    seconds = time.perf_counter() - began
    for path, reason in done.failed:
        typer.echo(f"Left out: {path}: {reason}", err=True)
    typer.echo(
        f"{done.articles:,} articles written ({done.passages:,} passages, "
        f"{done.passages / seconds:,.1f}/s), {done.unchanged:,} unchanged, "
        f"{len(done.failed):,} left out, in {seconds:,.1f} s"
    )
    held = store.counts()
    typer.echo(f"{address} holds {held.articles:,} articles, {held.passages:,} passages")


@app.command()
@_plainly
def ask(
    question: Annotated[
        str, typer.Argument(help="The question, in quotes; - reads it from stdin.")
    ],
    article: Annotated[
        list[Path] | None,
        typer.Option(help="Ask this file (or folder) in place of the index. Repeatable."),
    ] = None,
    index: IndexDir = Path("index"),
    store: StoreAddress = None,
    objects: Objects = None,
    chat_model: ChatModel = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print Answer.to_dict().")] = False,
    stream: Annotated[
        bool,
        typer.Option(help="Print words as they are written, unverified; then the answer."),
    ] = False,
) -> None:
    """Answer one question, with the exact passages it rests on."""
    text = sys.stdin.read() if question == "-" else question
    if problem := _problem(text):
        _print_error(problem, "InvalidQuestion", as_json=as_json)
        raise typer.Exit(INVALID)
    qa = _open(index, article, chat_model, store, objects)
    answer = _streamed(qa, text, as_json=as_json) if stream else qa.ask(text)
    if as_json and not stream:
        typer.echo(json.dumps(answer.to_dict(), ensure_ascii=False, indent=2))
    elif not as_json:
        _print_answer(answer, qa)
    if answer.refused:
        raise typer.Exit(REFUSED)


def _problem(question: str) -> str | None:
    """Say why a question cannot be asked at all."""
    limit = Settings().max_question_chars
    if not question.strip():
        return "The question is empty."
    if len(question) > limit:
        return f"The question has {len(question):,} characters; at most {limit:,} are read."
    return None


def _streamed(qa: ArticleQA, question: str, *, as_json: bool) -> Answer:
    """Print events as they come (with --json one object a line); return the answer."""
    said = False
    for event in qa.stream(question):
        if event.answer is not None:
            if as_json:
                typer.echo(json.dumps({"event": "answer", "answer": event.answer.to_dict()}))
            elif said:
                typer.echo("\n")
            return event.answer
        said = True
        if as_json:
            typer.echo(json.dumps({"event": "text", "text": event.text}))
        else:
            typer.echo(event.text, nl=False)
    raise RuntimeError("the engine ended its stream without an answer")


@app.command()
@_plainly
def chat(
    article: Annotated[
        list[Path] | None,
        typer.Option(help="Ask this file (or folder) in place of the index. Repeatable."),
    ] = None,
    index: IndexDir = Path("index"),
    store: StoreAddress = None,
    objects: Objects = None,
    chat_model: ChatModel = None,
) -> None:
    """Hold a conversation; every answer shows the passage it rests on."""
    from article_qa.terminal import converse

    converse(_open(index, article, chat_model, store, objects))


@app.command()
@_plainly
def serve(
    index: Annotated[
        Path | None, typer.Option("--index", help="Folder of the built index (default: index).")
    ] = None,
    store: StoreAddress = None,
    objects: Objects = None,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on (127.0.0.1); 0.0.0.0 for all.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Default: 7860, or the next free one.")] = None,
    chat_model: ChatModel = None,
    allowed_host: Annotated[
        list[str] | None, typer.Option(help="A name the service may be called by. Repeatable.")
    ] = None,
    mcp: Annotated[bool | None, typer.Option(help="Also serve MCP, at /mcp.")] = None,
    log_json: Annotated[bool | None, typer.Option(help="Log JSON objects.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Serve the page and the REST interface (see /docs); options also come from ARTICLE_QA_*."""
    from article_qa.web.options import read_options

    options = read_options(
        index=index, store=store, objects=objects, host=host, port=port, chat_model=chat_model,
        mcp=mcp, log_json=log_json, allowed_hosts=allowed_host and tuple(allowed_host),
    )  # fmt: skip
    _quiet()
    from article_qa.web import launch

    launch(options, open_browser=browser)


@app.command()
@_plainly
def mcp(
    article: Annotated[
        list[Path] | None,
        typer.Option(help="Serve this file (or folder) in place of the index. Repeatable."),
    ] = None,
    index: IndexDir = Path("index"),
    store: StoreAddress = None,
    objects: Objects = None,
    chat_model: ChatModel = None,
) -> None:
    """Serve the articles to an assistant, over standard input and output (MCP)."""
    qa = _open(index, article, chat_model, store, objects)
    from article_qa.web.mcp import serve_stdio
    from article_qa.web.service import Service
    from article_qa.web.sessions import Library

    serve_stdio(Service(Library(qa)))


@app.command()
@_plainly
def bench(
    questions: Annotated[
        Path, typer.Option("--set", help="Question set in JSON Lines, asked once to warm up.")
    ] = Path("tests/regression/seed.jsonl"),
    index: IndexDir = Path("index"),
    squad: Annotated[
        Path | None,
        typer.Option(help="Measure retrieval on this SQuAD-format file, the whole as the corpus."),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Ask so many of its questions.")] = None,
    page: Annotated[bool, typer.Option(help="Also time `python app.py`.")] = True,
) -> None:
    """Measure speed and memory, or, with --squad, retrieval."""
    from article_qa.evaluation import bench as benchmarks

    rows = (
        benchmarks.retrieval(squad, limit)
        if squad is not None
        else benchmarks.speed(_open(index, None, None), questions, page=page)
    )
    benchmarks.show(rows)


app.command("eval")(_plainly(evaluate_command))


def _open(
    index: Path,
    files: Sequence[Path] | None,
    chat_model: str | None,
    store: str | None = None,
    objects: str | None = None,
) -> ArticleQA:
    _quiet()
    from article_qa.bot import ArticleQA

    if files:
        return ArticleQA.from_files(files, chat_model=chat_model)
    return ArticleQA.load(store or index, chat_model=chat_model, objects=objects)


def _quiet() -> None:
    """Keep the model libraries' notices off the terminal; set before they are imported."""
    for name, value in {
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }.items():
        os.environ.setdefault(name, value)


def _print_answer(answer: Answer, qa: ArticleQA) -> None:
    """Print an answer for people: the words, then each quote and where it stands."""
    typer.echo(answer.text)
    if answer.reason:
        typer.echo(answer.reason)
    if answer.notice:
        typer.echo(f"({answer.notice})")
    several = qa.store.counts().articles > 1
    if answer.nearest:
        typer.echo("\nNearest passages:")
    for citation in answer.citations or answer.nearest:
        quote = " ".join(citation.quote.split())
        where = f"{citation.article_id}, " if several else ""
        mark = f"[{citation.number}]" if answer.citations else " - "
        typer.echo(f"\n{mark} “{quote}”")
        page = "" if citation.page is None else f"p. {citation.page}, "
        typer.echo(f"    {where}{page}characters {citation.start}-{citation.end}")
    if not answer.refused:
        typer.echo(f"\nConfidence {answer.confidence:.0%}")


def main() -> Any:
    """Run the command line."""
    return app()
