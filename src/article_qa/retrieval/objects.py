"""Articles as objects named by the digest of their content, in any place that fsspec knows."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path

from article_qa.errors import IndexCorruptError, IndexUnusableError, MissingExtraError


class Objects:
    """A folder or bucket of objects that never change.

    Args:
        place: a folder, or an fsspec address (``s3://bucket/prefix``); credentials come from where
            its file system looks for them, never from here.

    Raises:
        IndexUnusableError: no file system reads such an address.
        MissingExtraError: fsspec is not installed.
    """

    def __init__(self, place: str) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise MissingExtraError(
                "Articles outside an index's folder need fsspec: pip install 'article-qa[milvus]'"
            ) from error
        self.place = place if "://" in place else str(Path(place).absolute())
        try:
            self._files, self._root = url_to_fs(self.place)
        except (ImportError, ValueError) as error:
            raise IndexUnusableError(f"Articles cannot be kept in {place!r}: {error}.") from error

    def put(self, data: bytes) -> str:
        """Keep some bytes; the same ones again cost nothing.

        Returns:
            Their name: the hex SHA-256 of their content.
        """
        name = hashlib.sha256(data).hexdigest()
        path = self._path(name)
        if not self._files.exists(path):
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            part = (
                f"{path}.{uuid.uuid4().hex}"  # a crash leaves this behind, never half of an object
            )
            self._files.pipe_file(part, data)
            self._files.mv(part, path)
        return name

    def get(self, name: str) -> bytes:
        """Return the bytes of a name.

        Raises:
            FileNotFoundError: there are none.
            IndexCorruptError: they are not what they were.
        """
        data: bytes = self._files.cat_file(self._path(name))
        if hashlib.sha256(data).hexdigest() != name:
            raise IndexCorruptError(
                f"The article {name} in {self.place} is truncated or was edited. "
                "Bring it back from a copy, or run `article-qa index` into another --store."
            )
        return data

    def remove(self, name: str) -> None:
        """Let go of the bytes of a name, if they are there."""
        if self._files.exists(path := self._path(name)):
            self._files.rm_file(path)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name[:2]}/{name}.json"
