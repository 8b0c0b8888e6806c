"""The Milvus side of a store: its address, its two collections and what they were made with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from article_qa.errors import IndexUnusableError, MissingExtraError

if TYPE_CHECKING:
    from pymilvus import CollectionSchema, MilvusClient

MANIFEST = "article_qa"
"""The property of the collection of articles that says what it was made with."""

TEXT_BYTES = 65_535
"""What Milvus takes in a text field at most."""

_FORMS = "milvus+file:///path/library.db or milvus+http://host:19530/collection"
_VARIABLES = {
    "token": "ARTICLE_QA_MILVUS_TOKEN",
    "server_pem_path": "ARTICLE_QA_MILVUS_SERVER_CERTIFICATE",
    "ca_pem_path": "ARTICLE_QA_MILVUS_CA",
    "client_pem_path": "ARTICLE_QA_MILVUS_CERTIFICATE",
    "client_key_path": "ARTICLE_QA_MILVUS_KEY",
}
"""What opens a server, by the client's name for it; never in an address, which is shown."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a library is kept.

    Args:
        uri: as the client takes it: a server's, or the path of a Milvus Lite file.
        collection: name of the collection of passages.
        objects: where the articles are kept by default; None where that must be named.
    """

    uri: str
    collection: str
    objects: str | None

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``milvus+file:///path/library.db`` or ``milvus+http://host:19530/collection``.

        Raises:
            IndexUnusableError: it is neither, or bears a password.
        """
        parts = urlsplit(text)
        path = parts.path
        if parts.username or parts.password:
            raise IndexUnusableError(
                f"A store's address bears no password: put it into {_VARIABLES['token']}."
            )
        if parts.scheme == "milvus+file" and not parts.netloc and path.endswith(".db"):
            return cls(path, "passages", str(Path(path).with_suffix(".objects")))
        name = path.strip("/")
        if (
            parts.scheme in ("milvus+http", "milvus+https")
            and parts.hostname
            and name.isidentifier()
        ):
            return cls(f"{parts.scheme.removeprefix('milvus+')}://{parts.netloc}", name, None)
        raise IndexUnusableError(f"{text!r} is not the address of a store: expected {_FORMS}.")

    @property
    def articles(self) -> str:
        """Name of the collection of articles."""
        return f"{self.collection}_articles"


def connect(address: Address) -> MilvusClient:
    """Open a connection; what opens the server comes from the environment.

    Raises:
        IndexUnusableError: nobody answers there.
        MissingExtraError: the client is not installed.
    """
    try:
        from pymilvus import MilvusClient

        if address.uri.endswith(".db"):
            import milvus_lite  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "A store in Milvus needs its client: pip install 'article-qa[milvus]'"
        ) from error
    options: dict[str, Any] = {
        name: os.environ[v] for name, v in _VARIABLES.items() if os.environ.get(v)
    }
    if address.uri.endswith(".db"):
        Path(address.uri).parent.mkdir(parents=True, exist_ok=True)
        # The client pings every ten seconds, and Milvus Lite hangs up on whom it finds a nuisance.
        options["grpc_options"] = {"grpc.keepalive_time_ms": 2**31 - 1}
    with speaking(address):
        return MilvusClient(uri=address.uri, **options)


@contextmanager
def speaking(address: Address) -> Iterator[None]:
    """Turn the client's errors into ours, which say where and what next.

    Raises:
        IndexUnusableError: the client failed.
    """
    from pymilvus import MilvusException

    try:
        yield
    except MilvusException as error:
        here = address.uri.endswith(".db")
        remedy = (
            "A file is open in one process at a time; for several: milvus-lite server --data-dir "
            f"{address.uri}, and milvus+http://127.0.0.1:19530/{address.collection}"
            if here
            else "See that the server runs, and that its token is in the environment"
        )
        raise IndexUnusableError(f"Milvus at {address.uri}: {error.message}. {remedy}.") from error


def create(client: MilvusClient, address: Address, manifest: dict[str, Any], width: int) -> None:
    """Make the two collections, the one of articles last: it says that the store is there."""
    from pymilvus import DataType, Function, FunctionType

    passages = client.create_schema(auto_id=False)
    passages.add_field("id", DataType.VARCHAR, is_primary=True, max_length=64)
    passages.add_field("article", DataType.VARCHAR, max_length=64)
    passages.add_field("version", DataType.VARCHAR, max_length=64)
    passages.add_field("position", DataType.INT64)
    passages.add_field("published", DataType.VARCHAR, max_length=10)
    passages.add_field("place", DataType.JSON)
    passages.add_field("text", DataType.VARCHAR, max_length=TEXT_BYTES)
    passages.add_field("vectors", DataType.VARCHAR, max_length=TEXT_BYTES)
    passages.add_field("vector", DataType.FLOAT_VECTOR, dim=width)
    passages.add_field(
        "words",
        DataType.VARCHAR,
        max_length=TEXT_BYTES,
        enable_analyzer=True,
        analyzer_params={"tokenizer": "standard"},
    )
    passages.add_field("bm25", DataType.SPARSE_FLOAT_VECTOR)
    passages.add_function(
        Function("bm25", FunctionType.BM25, input_field_names="words", output_field_names="bm25")
    )
    index = client.prepare_index_params()
    index.add_index("vector", index_type="AUTOINDEX", metric_type="IP")
    index.add_index(
        "bm25",
        index_type="SPARSE_INVERTED_INDEX",
        metric_type="BM25",
        params={"params": {"bm25_k1": 1.2, "bm25_b": 0.75}},  # the form that Lite reads, too
    )
    _create(client, address.collection, passages, index, {})

    articles = client.create_schema(auto_id=False)
    articles.add_field("key", DataType.VARCHAR, is_primary=True, max_length=64)
    articles.add_field("id", DataType.VARCHAR, max_length=TEXT_BYTES)
    articles.add_field("version", DataType.VARCHAR, max_length=64)
    articles.add_field("object", DataType.VARCHAR, max_length=64)
    articles.add_field("title", DataType.VARCHAR, max_length=TEXT_BYTES)
    articles.add_field("published", DataType.VARCHAR, max_length=10)
    articles.add_field("passages", DataType.INT64)
    articles.add_field("none", DataType.FLOAT_VECTOR, dim=2)  # a collection must have a vector
    index = client.prepare_index_params()
    index.add_index("none", index_type="FLAT", metric_type="IP")
    _create(client, address.articles, articles, index, {MANIFEST: json.dumps(manifest)})


def _create(
    client: MilvusClient,
    name: str,
    schema: CollectionSchema,
    index: Any,
    properties: dict[str, str],
) -> None:
    if not client.has_collection(name):
        client.create_collection(
            name,
            schema=schema,
            index_params=index,
            properties=properties,
            consistency_level="Strong",
        )


def read_manifest(client: MilvusClient, address: Address) -> dict[str, Any] | None:
    """Return what a store was made with; None where there is no store.

    Raises:
        ValueError: there is a collection of this name that is none of ours.
    """
    if not client.has_collection(address.articles):
        return None
    properties = client.describe_collection(address.articles).get("properties", {})
    manifest: dict[str, Any] = json.loads(properties.get(MANIFEST, ""))
    return manifest
