"""Write the graphs that ONNX Runtime reads (extra ``training``).

``python -m article_qa.training.graph`` writes ``models/bert.onnx``: the encoder's graph without its
weights, for one text at a time; ``article_qa.retrieval.encoder`` says who reads it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import onnx
import torch
from transformers import AutoModel

from article_qa.answering.verifier import WORDS
from article_qa.retrieval.embeddings import bundled_folder
from article_qa.retrieval.encoder import GRAPH


class _Hidden(torch.nn.Module):
    """The encoder's last layer, with the inputs in the order that the exporter passes them."""

    def __init__(self, bert: Any) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, ids: torch.Tensor, types: torch.Tensor) -> Any:
        return self.bert(input_ids=ids, token_type_ids=types).last_hidden_state


def write_verifier(model: Any, path: Path) -> None:
    """Write a trained verifier with its weights in 8 bits, without the word embeddings.

    Matrices are quantised per column, their inputs as they come (dynamic quantisation); 7 bits of a
    weight are used, since processors without VNNI would overflow.

    Args:
        model: a ``SentenceVerifier``.
        path: the file to write.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        whole, small = Path(folder) / "whole.onnx", Path(folder) / "small.onnx"
        example = torch.ones((1, 16), dtype=torch.long)
        torch.onnx.export(
            model.eval(),
            (example, example),
            str(whole),
            input_names=["input_ids", "token_type_ids"],
            output_names=["log_odds"],
            dynamic_axes={name: {1: "length"} for name in ("input_ids", "token_type_ids")},
            opset_version=17,
            dynamo=False,
        )
        quantize_dynamic(
            whole, small, op_types_to_quantize=["MatMul"], per_channel=True, reduce_range=True,
            weight_type=QuantType.QInt8,
        )  # fmt: skip
        graph = onnx.load(small)
    for weight in graph.graph.initializer:
        if weight.name == WORDS:
            weight.ClearField("raw_data")
            weight.data_location = onnx.TensorProto.EXTERNAL
            weight.external_data.add(key="location", value="model.safetensors")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(graph.SerializeToString())


def write_graph(path: Path = GRAPH) -> None:
    """Trace the bundled embedding model's encoder and write its graph to ``path``."""
    bert = AutoModel.from_pretrained(
        bundled_folder(), add_pooling_layer=False, attn_implementation="eager"
    )
    names = ["input_ids", "token_type_ids"]
    example = torch.ones((1, 16), dtype=torch.long)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        torch.onnx.export(
            _Hidden(bert.eval()),
            (example, example),
            str(whole),
            input_names=names,
            output_names=["hidden"],
            dynamic_axes={name: {1: "length"} for name in (*names, "hidden")},
            opset_version=17,
            dynamo=False,
            do_constant_folding=False,  # it would rename and turn the weights
        )
        model = onnx.load(whole)
    for node in model.graph.node:  # weights by the names they have in model.safetensors
        node.input[:] = [name.removeprefix("bert.") for name in node.input]
    for weight in model.graph.initializer:
        weight.name = weight.name.removeprefix("bert.")
        weight.ClearField("raw_data")
        weight.data_location = onnx.TensorProto.EXTERNAL
        weight.external_data.add(key="location", value="model.safetensors")
    path.write_bytes(model.SerializeToString())


if __name__ == "__main__":
    write_graph()
