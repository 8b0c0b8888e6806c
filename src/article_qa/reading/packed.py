"""Files that are zip archives of XML: what Word, EPUB and OpenDocument files have in common."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zipfile import BadZipFile, ZipFile

from article_qa.errors import ArticleError
from article_qa.reading.layout import one_line
from article_qa.reading.source import Source


@contextmanager
def unpacked(source: Source) -> Iterator[ZipFile]:
    """Open a file as an archive, if it unpacks to no more than the settings allow.

    Nothing is unpacked to find out: ``zipfile`` reads no more of a part than its entry in the list
    says, so the list can be trusted.

    Raises:
        ArticleError: it does not, or is no archive, or what is done with it fails as it does with
            a damaged one.
    """
    from lxml.etree import LxmlError

    try:
        with ZipFile(io.BytesIO(source.data)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > source.settings.max_unpacked_bytes:
                raise source.too_much("bytes when unpacked", size, "max_unpacked_bytes")
            yield archive
    except (
        BadZipFile, LxmlError, KeyError, ValueError, AttributeError, TypeError, EOFError,
        NotImplementedError, RecursionError, RuntimeError,
    ) as error:  # fmt: skip
        told = isinstance(error, BadZipFile | LxmlError) and one_line(str(error))
        raise ArticleError(
            f"{source.name} is not a readable {source.suffix} "
            f"({told or 'a part is damaged or missing'}). Open it in the program that wrote it and "
            "save it anew, or save its text as .txt."
        ) from error


def parsed(xml: bytes) -> Any:
    """Return the root of a part's XML; entities are not followed, nothing else is opened."""
    from lxml.etree import XMLParser, fromstring

    return fromstring(xml, XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
