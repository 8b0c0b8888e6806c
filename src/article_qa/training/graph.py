"""Write the encoders' graphs without their weights (extra ``training``).

Run ``python -m article_qa.training.graph --embedding`` for ``models/bert.onnx``, in single
precision, or ``--reader MODEL`` for ``models/reader.onnx``, whose matrices are multiplied in 8-bit
integers (dynamic quantisation, one scale for each output). ``article_qa.retrieval.encoder`` says
who reads them and makes the 8-bit weights.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import onnx
import torch
from transformers import AutoModel

from article_qa.retrieval.embeddings import bundled_folder
from article_qa.retrieval.encoder import GRAPH, QUANTISED, READER_GRAPH, TURNED


class _Hidden(torch.nn.Module):
    """The encoder's last layer, with the inputs in the order that the exporter passes them."""

    def __init__(self, bert: Any) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, ids: torch.Tensor, types: torch.Tensor) -> Any:
        return self.bert(input_ids=ids, token_type_ids=types).last_hidden_state


def write_graph(bert: Any, path: Path, *, quantise: bool) -> None:
    """Trace a BERT encoder and write its graph.

    Args:
        bert: the encoder.
        path: where to.
        quantise: multiply by 8-bit weights.
    """
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        _export(bert, whole, fold=quantise)
        model = onnx.load(whole)
        if quantise:
            _name_turned(model, bert)
            onnx.save(model, whole)
            model = _quantise(whole)
    for node in model.graph.node:  # weights by the names they have in model.safetensors
        node.input[:] = [name.removeprefix("bert.") for name in node.input]
    known = {*bert.state_dict()}
    for weight in model.graph.initializer:
        weight.name = weight.name.removeprefix("bert.")
        base = weight.name
        for end in (*QUANTISED, TURNED):
            base = base.removesuffix(end)
        if base in known:
            for name in ("raw_data", "float_data", "int32_data"):
                weight.ClearField(name)
            weight.data_location = onnx.TensorProto.EXTERNAL
            weight.external_data.add(key="location", value="model.safetensors")
    path.write_bytes(model.SerializeToString())


def _export(bert: Any, path: Path, *, fold: bool) -> None:
    names = ["input_ids", "token_type_ids"]
    example = torch.ones((1, 16), dtype=torch.long)
    torch.onnx.export(
        _Hidden(bert.eval()),
        (example, example),
        str(path),
        input_names=names,
        output_names=["hidden"],
        dynamic_axes={name: {1: "length"} for name in (*names, "hidden")},
        opset_version=17,
        dynamo=False,
        do_constant_folding=fold,  # it turns and renames the weights
    )


def _name_turned(model: Any, bert: Any) -> None:
    """Name the weights that constant folding has turned after those they were."""
    state = {name: value.numpy() for name, value in bert.state_dict().items() if value.ndim == 2}
    named = {}
    for weight in model.graph.initializer:
        array = onnx.numpy_helper.to_array(weight)
        for name, value in state.items() if array.ndim == 2 else ():
            if array.shape == value.T.shape and (array == value.T).all():
                named[weight.name] = weight.name = name + TURNED
    for node in model.graph.node:
        node.input[:] = [named.get(name, name) for name in node.input]


def _quantise(path: Path) -> Any:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    out = path.with_name("quantised.onnx")
    quantize_dynamic(
        path,
        out,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=True,  # else sums overflow on processors without 8-bit dot products
        op_types_to_quantize=["MatMul"],
    )
    return onnx.load(out)


def main() -> None:
    """Parse the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embedding", action="store_true")
    parser.add_argument("--reader", type=Path, metavar="MODEL", help="folder of a trained reader")
    options = parser.parse_args()
    if options.embedding:
        bert = AutoModel.from_pretrained(
            bundled_folder(), add_pooling_layer=False, attn_implementation="eager"
        )
        write_graph(bert, GRAPH, quantise=False)
    if options.reader:
        from article_qa.training.model import SpanReader

        write_graph(SpanReader(options.reader, attention="eager").bert, READER_GRAPH, quantise=True)


if __name__ == "__main__":
    main()
