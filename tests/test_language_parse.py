import hashlib
import subprocess
import sys
import threading
import time
from importlib.resources import files

import pytest

from article_qa.errors import IndexCorruptError
from article_qa.language import parse as language
from article_qa.language.parse import Parsed, parse, parse_question
from article_qa.reading.article import parse_article
from article_qa.types import Span

TEXT = "Ferry halted\n\nAda Lund said the ferry was late. It sank in 2011, nobody was hurt."


def test_tokens_stand_where_the_article_has_them() -> None:
    article = parse_article(TEXT, id="ferry")
    parsed = parse(article)
    assert len(parsed.docs) == len(article.quotable)
    for i, doc in enumerate(parsed.docs):
        for token in doc:
            span = parsed.span_of(token, i)
            assert article.text[span.start : span.end] == token.text
    at = TEXT.index("was late")
    tokens = parsed.tokens_in(Span(at, at + 8))
    assert tokens is not None and tokens.text == "was late"
    assert parsed.span_of(tokens, 1) == Span(at, at + 8)


def test_an_analysis_is_kept_as_bytes() -> None:
    article = parse_article(TEXT, id="ferry")
    parsed = parse(article)
    again = Parsed.from_bytes(parsed.to_bytes(), article)
    assert [[(t.text, t.lemma_, t.dep_, t.head.i, t.ent_type_) for t in d] for d in again.docs] == [
        [(t.text, t.lemma_, t.dep_, t.head.i, t.ent_type_) for t in d] for d in parsed.docs
    ]
    assert again.to_bytes() == parsed.to_bytes()
    assert parse(article) is parsed


def test_of_long_unused_articles_the_bytes_alone_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_MAX_READ", 25)
    one, two = (parse_article(f"{TEXT} It rang {n} times.", id="ferry") for n in (3, 4))
    first = parse(one)
    assert parse(one) is first
    parse(two)
    made = []
    monkeypatch.setattr(language.pipeline(), "pipe", lambda texts: made.append(texts))
    again = parse(one)
    assert again is not first and again.to_bytes() == first.to_bytes()
    assert not made, "it was analysed a second time"


def test_a_question_is_analysed_while_a_long_article_is(monkeypatch: pytest.MonkeyPatch) -> None:
    real, order = language.pipeline(), []

    class Slow:
        vocab = real.vocab

        def pipe(self, texts: list[str]) -> list[object]:
            order.append("sentence")
            time.sleep(0.02)
            return list(real.pipe(texts))

        def __call__(self, text: str) -> object:
            order.append("question")
            return real(text)

    monkeypatch.setattr(language, "pipeline", Slow)
    monkeypatch.setattr(language, "_BATCH", 1)
    article = parse_article("It rang. " * 30 + "It fell.", id="bell")
    reading = threading.Thread(target=parse, args=(article,))
    reading.start()
    parse_question("what rang thirty times")
    reading.join()
    assert order[-1] == "sentence"


def test_the_pipeline_is_loaded_anew_when_it_has_learned_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = language.pipeline()
    monkeypatch.setattr(language, "_MAX_STRINGS", len(old.vocab.strings) - 1)
    parse(parse_article("The gong of Quorrl rang.", id="gong"))
    assert language.pipeline() is not old


@pytest.mark.parametrize("cut", [0, 20, 100])
def test_damaged_bytes_are_refused(cut: int) -> None:
    article = parse_article(TEXT, id="ferry")
    with pytest.raises(IndexCorruptError, match="ferry"):
        Parsed.from_bytes(parse(article).to_bytes()[:cut], article)


def test_bytes_of_another_text_are_refused() -> None:
    article = parse_article(TEXT, id="ferry")
    other = parse_article(TEXT.replace("late", "early"), id="other")
    with pytest.raises(IndexCorruptError, match="another text"):
        Parsed.from_bytes(parse(article).to_bytes(), other)


def test_a_question_is_analysed_once() -> None:
    assert parse_question("who sank") is parse_question("who sank")
    assert len(parse_question("")) == 0


def test_the_pipeline_does_not_load_torch() -> None:
    code = (
        "import sys; from article_qa.language.parse import pipeline; pipeline(); "
        "print('torch' in sys.modules, [f for f in sys.meta_path if 'article_qa' in repr(f)])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False []"


def test_the_shipped_files_are_as_noted() -> None:
    folder = files("article_qa") / "models" / "english"
    for line in (folder / "SHA256SUMS").read_text("utf-8").splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
