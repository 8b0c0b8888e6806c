from __future__ import annotations

import pytest
from reading_helpers import parts

from article_qa.errors import ArticleError
from article_qa.reading.files import read_article
from article_qa.types import Article

HEAD = """From: Ada Brandt <ada@example.org>
Subject: =?utf-8?q?The_bell_=E2=80=94_dusk?=
Date: Tue, 3 Mar 2026 10:00:00 +0100
MIME-Version: 1.0
"""
PLAIN = """
Dear Otto,

the bell rang twice.

> Does the bell still ring?
> I hear nothing.

Ada
--\x20
Ada Brandt, Keeper
"""


def mail(rest: str, encoding: str = "utf-8") -> Article:
    return read_article(("a.eml", (HEAD + rest).encode(encoding)))


def test_headers_are_metadata_and_no_text() -> None:
    article = mail(PLAIN)
    assert article.title == "The bell — dusk"
    assert article.metadata["author"].value == "Ada Brandt <ada@example.org>"
    assert article.metadata["published"].value == "2026-03-03T10:00:00+01:00"
    assert article.metadata["title"].origin == "mail headers"
    assert article.text.startswith("Dear Otto,")


def test_what_is_quoted_and_the_signature_are_told_apart() -> None:
    article = mail(PLAIN)
    assert parts(article, "headline") == []
    assert parts(article, "quote") == ["Does the bell still ring?", "I hear nothing."]
    assert parts(article, "boilerplate") == ["Ada Brandt, Keeper"]


def test_a_mail_of_html_alone_is_read_as_a_page() -> None:
    article = mail(
        "Content-Type: text/html; charset=utf-8\n\n<p>It rang <b>twice</b> – at dusk.</p>"
    )
    assert article.text == "It rang twice – at dusk."


def test_the_plain_body_is_taken_and_attachments_are_told() -> None:
    article = mail(
        "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain; "
        "charset=latin-1\n\nDie Glocke läutete.\n--x\nContent-Type: text/plain\n"
        "Content-Disposition: attachment; filename=b.txt\n\nNot this.\n--x--\n",
        "latin-1",
    )
    assert article.text == "Die Glocke läutete."
    assert article.notes == ("attachments left out: 1",)


def test_a_wrong_charset_is_guessed() -> None:
    assert "bell" in mail("Content-Type: text/plain; charset=klingon\n\nThe bell rang.\n").text


@pytest.mark.parametrize("data", [b"", b"no mail at all", b"Content-Type: image/png\n\nx"])
def test_what_is_no_mail_is_refused_with_advice(data: bytes) -> None:
    with pytest.raises(ArticleError, match=r"a\.eml is not a readable e-mail"):
        read_article(("a.eml", data))
