"""Files made to run for hours, to fill the memory or to be read in another's name."""

from __future__ import annotations

import io
import os
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from article_qa.config import Settings
from article_qa.errors import ArticleError, ArticleQAError, LimitError
from article_qa.reading.article import read_article, read_articles
from article_qa.reading.isolation import read_untrusted
from article_qa.types import Article
from article_qa.web.upload import read_upload

SMALL = Settings(
    max_chars=400_000, child_memory_bytes=400_000_000, child_cpu_seconds=3, child_seconds=10
)
SLACK = 5.0
"""Seconds that a slow machine may take beside the limits."""
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override '
    'PartName="/d.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'wordprocessingml.document.main+xml"/><Default Extension="rels" ContentType="application/'
    'vnd.openxmlformats-package.relationships+xml"/></Types>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="a" Target="d.xml" Type="http://schemas.openxmlformats.org/officeDocument/'
    '2006/relationships/officeDocument"/></Relationships>'
)
CONTAINER = '<container><rootfiles><rootfile full-path="b.opf"/></rootfiles></container>'
OASIS = "urn:oasis:names:tc:opendocument:xmlns"
SECRET = '<!DOCTYPE x [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


def docx(body: str, head: str = "", paragraphs: int = 0) -> bytes:
    """Return the smallest Word document with this in it, after so many empty paragraphs."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr("_rels/.rels", RELATIONS)
        with archive.open("d.xml", "w", force_zip64=True) as part:
            part.write(f'{head}<w:document xmlns:w="{W}">'.encode())
            for _ in range(paragraphs // 100_000):
                part.write(b"<w:p/>" * 100_000)
            part.write(f"{body}</w:document>".encode())
    return out.getvalue()


def said(words: str) -> str:
    return f"<w:body><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:body>"


def wide() -> bytes:
    cell = '<w:tc><w:tcPr><w:gridSpan w:val="100000000"/></w:tcPr><w:p><w:r><w:t>Deep</w:t></w:r>'
    return docx(f"<w:body><w:tbl><w:tr>{cell}</w:p></w:tc></w:tr></w:tbl></w:body>")


def laughs() -> bytes:
    lines = ["<!ENTITY a0 'ha'>"]
    lines += [f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)]
    return docx(said("&a9;"), f"<!DOCTYPE x [{''.join(lines)}]>")


def bomb(megabytes: int) -> bytes:
    return docx(said("The bell rang."), paragraphs=megabytes * 1_000_000 // 6)


def liar() -> bytes:
    """Return a bomb whose list says that a part unpacks to 100 bytes."""
    data = bytearray(bomb(100))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    return bytes(data)


def zipped(name: str, *parts: str, ballast: int = 0) -> bytes:
    """Return an archive of a part, and of one more with so many blanks."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("meta.xml", "<meta/>")
        archive.writestr(name, "".join(parts))
        with archive.open("more.html", "w", force_zip64=True) as part:
            part.write(b"The bell rang.")
            for _ in range(ballast // 1_000_000):
                part.write(b" " * 1_000_000)
    return out.getvalue()


def odt(body: str, head: str = "", ballast: int = 0) -> bytes:
    """Return the smallest OpenDocument text with this in it."""
    names = " ".join(f'xmlns:{n}="{OASIS}:{n}:1.0"' for n in ("office", "text", "table"))
    opened = f"<office:document {names}><office:body><office:text>"
    closed = "</office:text></office:body></office:document>"
    return zipped("content.xml", head, opened, body, closed, ballast=ballast)


def epub(hrefs: list[str], head: str = "", ballast: int = 0) -> bytes:
    """Return a book whose spine names these files."""
    items = "".join(
        f'<item id="i{n}" href="{href}" media-type="text/html"/>' for n, href in enumerate(hrefs)
    )
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(hrefs)))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf">'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    return zipped("b.opf", head, package, ballast=ballast)


def pdf(pages: int, words: str) -> bytes:
    """Return a PDF whose pages all show the same packed text."""
    shown = b"BT /F 9 Tf 20 700 Td 10 TL " + f"({words}) ' ".encode() * 60 + b"ET"
    packed = zlib.compress(shown)
    kids = b"3 0 R " * pages
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
        b"/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s endobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d" % (size, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table) + end


REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a bomb of 400 MB": ("a.docx", lambda: bomb(400)),
    "a bomb of 250 MB": ("a.docx", lambda: bomb(250)),
    "a bomb that says it is small": ("a.docx", liar),
    "bad XML": ("a.docx", lambda: docx("<w:body><w:p")),
    "no body": ("a.docx", lambda: docx("")),
    "no parts": ("a.docx", lambda: b"PK\x05\x06" + bytes(18)),
    "entities in entities": ("a.docx", laughs),
    "elements in elements": ("a.docx", lambda: docx("<w:body>" + "<w:p>" * 200_000)),
    "an entity of a file": (
        "a.docx",
        lambda: docx(said("&x;"), SECRET),
    ),
    "an entity of a file in a book's list": ("a.epub", lambda: epub(["&x;"], SECRET)),
    "a bomb among a book's files": ("a.epub", lambda: epub(["more.html"], ballast=4 * 10**8)),
    "a chapter that lies elsewhere": ("a.epub", lambda: epub(["../../../etc/passwd"])),
    "an OpenDocument bomb": ("a.odt", lambda: odt("", ballast=4 * 10**8)),
    "paragraphs in paragraphs": ("a.odt", lambda: odt("<text:p>" * 200_000)),
    "braces in braces": ("a.rtf", lambda: b"{\\rtf1 " + b"{" * 3_000_000),
    "a PDF of 100,000 pages": ("a.pdf", lambda: pdf(100_000, "The bell rang.")),
    "a PDF of endless text": ("a.pdf", lambda: pdf(2000, "The bell rang. " * 60)),
    "a mail in a mail in a mail": (
        "a.eml",
        lambda: b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n)
            for n in range(20_000)
        ),
    ),
    "nothing timed": ("a.srt", lambda: b"1\n" * 1_000_000),
    "a page of brackets": ("a.html", lambda: b"<div>" * 1_000_000 + b"Deep"),
}
READ: dict[str, tuple[str, Callable[[], bytes]]] = {
    "891 bytes over a hundred million columns": ("a.docx", wide),
    "a paper of 94 pages": ("a.pdf", lambda: pdf(94, "The bell rang.")),
    "an entity of a file in a text": ("a.odt", lambda: odt("<text:p>&x;</text:p>", SECRET)),
    "a book of one file many times": (
        "a.epub",
        lambda: epub(["more.html"] * 200, ballast=5 * 10**6),
    ),
    "bold in bold": ("a.rtf", lambda: b"{\\rtf1 The bell rang." + b"{\\b " * 50_000),
    "a note in a note in a note": (
        "a.odt",
        lambda: odt("<text:p>Bell<text:note>" * 100 + "</text:note></text:p>" * 100),
    ),
    "marks that nothing closes": ("a.md", lambda: b"The bell. " + b"![" * 50_000),
    "tags that nothing closes": (
        "a.vtt",
        lambda: b"00:01.000 --> 00:02.000\nBell " + b"<v " * 9999,
    ),
}


def read(name: str, data: bytes, settings: Settings = SMALL) -> Article:
    began = time.perf_counter()
    try:
        return read_untrusted(name, data, settings, id="own")
    finally:
        assert time.perf_counter() - began < settings.child_seconds + SLACK


@pytest.mark.parametrize("attack", REFUSED)
def test_a_hostile_file_is_one_plain_line(attack: str) -> None:
    name, make = REFUSED[attack]
    with pytest.raises(ArticleError) as raised:
        read(name, make())
    line = str(raised.value)
    assert line.startswith(name) and "\n" not in line and len(line) < 300
    assert not any(word in line for word in ("Traceback", "Error", "object has no", "NoneType"))


@pytest.mark.parametrize("attack", READ)
def test_a_file_that_is_only_odd_is_read(attack: str) -> None:
    name, make = READ[attack]
    article = read(name, make())
    assert all(article.text[s.start : s.end].strip() for s in article.sentences)
    assert "root:" not in article.text


def test_the_widest_table_is_small() -> None:
    assert len(wide()) < 1200
    assert read("a.docx", wide()).text == "Deep"


# -- The process -----------------------------------------------------------------------------------

SLOW = ("a.pdf", pdf(2000, "The bell rang."))


def test_more_memory_than_allowed_is_ended() -> None:
    patient = replace(SMALL, child_cpu_seconds=60, child_seconds=60)
    with pytest.raises(ArticleError, match="not a readable"):  # with 4 GB it is read
        read("a.docx", bomb(20), patient)


def test_more_computing_than_allowed_is_ended() -> None:
    with pytest.raises(ArticleError, match="takes more than"):
        read(*SLOW, replace(SMALL, max_chars=10**8, child_cpu_seconds=1, child_seconds=300))


def test_more_time_than_allowed_is_ended() -> None:
    with pytest.raises(ArticleError, match="takes more than 1 seconds"):
        read(*SLOW, replace(SMALL, max_chars=10**8, child_cpu_seconds=60, child_seconds=1))


def test_others_are_read_meanwhile_or_told_to_wait() -> None:
    settings = replace(SMALL, max_chars=10**8, child_seconds=4, children_at_once=1)
    slow = threading.Thread(target=_read_quietly, args=(*SLOW, settings))
    slow.start()
    time.sleep(0.5)
    assert read_upload("text", "The bell rang.", set()).text == "The bell rang."
    with pytest.raises(LimitError, match="Try again"):
        read("a.txt", b"The bell rang.", replace(settings, child_seconds=1))
    slow.join()
    assert read("a.txt", b"The bell rang.", settings).text == "The bell rang."


def _read_quietly(name: str, data: bytes, settings: Settings) -> None:
    with suppress(ArticleQAError):
        read_untrusted(name, data, settings, id="own")


def test_the_process_knows_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    from article_qa.reading import isolation

    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert "secret" not in str(isolation._environment())


def test_a_visitors_file_is_read_as_at_home() -> None:
    seed = next((Path(__file__).parents[2] / "seeds").glob("*.txt"))
    own = read_upload(seed.name, seed.read_bytes(), set())
    home = read_article(seed)
    assert (own.text, own.blocks, own.title) == (home.text, home.blocks, home.title)


# -- What is no file -------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.txt")
    for named in (tmp_path, tmp_path / "a.txt"):
        with pytest.raises(ArticleError, match="not a file"):
            read_articles([named])


def test_a_device_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to("/dev/zero")
    with pytest.raises(ArticleError, match="not a file"):
        read_articles([tmp_path / "a.txt"])


def test_a_link_out_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("The key is under the mat.")
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "own.txt").write_text("The bell rang.")
    (folder / "again.txt").symlink_to(folder / "own.txt")
    assert len(read_articles([folder])) == 2
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(ArticleError, match="leads out of the folder"):
        read_articles([folder])
    assert read_articles([folder / "out.txt"])[0].text.startswith("The key")
