"""An e-mail (``.eml``) -> parts: its body; its headers are metadata.

Read by the standard library. The plain body is taken, or the HTML one where there is no plain one.
What is quoted of an earlier mail is a quotation; a signature is no part of what the mail tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage, MIMEPart
from itertools import groupby

from article_qa.errors import ArticleError
from article_qa.reading.html import read_html
from article_qa.reading.layout import Part, one_line
from article_qa.reading.source import Document, Source
from article_qa.reading.text import block_spans
from article_qa.types import BlockKind, Metadatum

_NAMES = {"Subject": "title", "From": "author", "To": "recipient", "Date": "published"}


def read_mail(source: Source) -> Document:
    """Read an e-mail.

    Raises:
        ArticleError: it is none, or is over a limit of the settings.
    """
    try:
        mail = message_from_bytes(source.data, policy=policy.default)
        metadata = dict(_metadata(mail))
        body = mail.get_body(("plain", "html"))
        if not metadata or body is None:
            raise ValueError("no headers" if body is not None else "no text in it")
        left_out = sum(1 for _ in mail.iter_attachments()) if mail.is_multipart() else 0
        text, notes = _decoded(body, source)
        is_html = body.get_content_subtype() == "html"
    except (
        MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError,
    ) as error:  # fmt: skip
        raise ArticleError(
            f"{source.name} is not a readable e-mail ({error}). Save its text as a .txt file."
        ) from error
    if left_out:
        notes += (f"attachments left out: {left_out}",)
    if is_html:
        page = read_html(replace(source, data=text.encode("utf-8", "replace")))
        return Document(page.parts, metadata, notes + page.notes)
    return Document(tuple(_parts(text)), metadata, notes)


def _decoded(body: MIMEPart, source: Source) -> tuple[str, tuple[str, ...]]:
    """Return a body's text by the encoding it names, or, where that does not fit, as a file's."""
    data = body.get_payload(decode=True)
    assert isinstance(data, bytes)
    try:
        text, notes = data.decode(body.get_content_charset("utf-8")), tuple[str, ...]()
    except (LookupError, UnicodeDecodeError):
        text, notes = replace(source, data=data).decode()
    return text.replace("\r\n", "\n").replace("\r", "\n"), notes


def _parts(text: str) -> Iterator[Part]:
    """Yield a plain body's blocks; the first one, 'Dear Otto,', is no headline."""
    text, _, signature = f"\n{text}".partition("\n-- \n")
    first: BlockKind | None = "paragraph"
    for quoted, group in groupby(text.split("\n"), key=lambda line: line.startswith(">")):
        lines = "\n".join(line.lstrip("> ") if quoted else line for line in group)
        for span in block_spans(lines) if lines.strip() else ():
            yield Part(lines[span.start : span.end], "quote" if quoted else first)
            first = None
    yield Part(signature, "boilerplate")


def _metadata(mail: EmailMessage) -> Iterator[tuple[str, Metadatum]]:
    for header, name in _NAMES.items():
        date = getattr(mail[header], "datetime", None)
        value = date.isoformat() if date else one_line(str(mail[header] or ""))
        if value:
            yield name, Metadatum(value, "mail headers")
