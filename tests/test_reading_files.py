from __future__ import annotations

from pathlib import Path

import pytest

from article_qa.config import Settings
from article_qa.errors import ArticleError
from article_qa.reading.files import read_article, read_articles

# -- Files and their encodings ---------------------------------------------------------------------


def test_newlines_become_one_kind(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"Head\r\n\r\nOne.\rTwo.\n")
    assert read_article(tmp_path / "a.txt").text == "Head\n\nOne.\nTwo.\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_files(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_bytes("Żółw — naïve 😀.".encode(encoding))
    article = read_article(tmp_path / "a.txt")
    assert article.text == "Żółw — naïve 😀."
    assert bool(article.notes) == (encoding in ("utf-16", "utf-32"))


def test_other_encoding_is_detected_and_said(tmp_path: Path) -> None:
    text = "Le café où l’été commençait était fermé. Voilà pourquoi il préférait l’hôtel. " * 5
    (tmp_path / "a.txt").write_bytes(text.encode("cp1252"))
    article = read_article(tmp_path / "a.txt")
    assert article.text == text
    assert "cp1252" in article.notes[0]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.txt", b"", "holds no text"),
        ("a.txt", b" \n\t \r\n", "holds no text"),
        ("a.txt", bytes(range(256)) * 20, "binary"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "binary"),
        ("a.md", b"%PDF-1.7 hello", "binary"),
        ("a.html", b"<html><script>var x = 1</script></html>", "holds no text"),
        ("a.pdf", b"not a pdf", "not a readable PDF"),
        ("a.docx", b"not a docx", "not a readable .docx"),
        ("a.exe", b"MZ", "expected one of .txt"),
        ("article", b"text", "expected one of .txt"),
    ],
)
def test_bad_files_are_refused_with_advice(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ArticleError, match=said) as raised:
        read_article(tmp_path / name)
    assert str(tmp_path / name) in str(raised.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ArticleError, match="does not exist"):
        read_article(tmp_path / "none.txt")
    with pytest.raises(ArticleError, match="is a folder"):
        read_article(tmp_path)
    with pytest.raises(ArticleError, match="holds no article"):
        read_articles([tmp_path])
    with pytest.raises(ArticleError, match="No articles named"):
        read_articles([])


def test_folders_are_read_in_order_with_unique_ids(tmp_path: Path) -> None:
    for name in ("b.txt", "a.md", "sub/a.txt", ".hidden/c.txt", "picture.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"Text of {name}.")
    articles = read_articles([tmp_path, tmp_path / "b.txt"])
    assert [article.id for article in articles] == ["a", "b", "a-2"]
    assert articles[2].text == "Text of sub/a.txt."
    assert articles[2].source == str(tmp_path / "sub" / "a.txt")


def test_more_text_than_the_settings_allow_is_refused() -> None:
    with pytest.raises(ArticleError, match=r"20 characters.*max_chars"):
        read_article(("a.txt", b"The bell rang twice."), settings=Settings(max_chars=19))
