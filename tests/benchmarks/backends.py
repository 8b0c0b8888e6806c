"""The reader in torch, ONNX Runtime (fp32, as shipped, and int8) and OpenVINO: time and F1.

Run ``python tests/benchmarks/backends.py SQUAD_FILE`` after
``pip install onnx onnxscript openvino``. Each question is read in the paragraph of its answer (F1,
exact match) and, timed, in the three paragraphs next to it, one at a time, as in the product.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForQuestionAnswering

from article_qa.answering.reader import BUNDLED_READER, Reader, _bundled, _from_hugging_face, _Model
from article_qa.evaluation.metrics import exact_match, token_f1
from article_qa.training.data import Example, read_squad

NAMES = ["input_ids", "token_type_ids"]
QUESTIONS, TIMED, WINDOWS = 400, 60, 3


def with_onnxruntime(path: Path) -> Callable[[dict[str, np.ndarray]], Any]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, inputs)


def with_openvino(path: Path) -> Callable[[dict[str, np.ndarray]], Any]:
    import openvino

    hint = {"INFERENCE_NUM_THREADS": 2, "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(path, "CPU", hint)
    return lambda inputs: list(compiled(inputs).values())


def reading(run: Callable[[dict[str, np.ndarray]], Any]) -> _Model:
    """Make the reader's model of what maps inputs to a batch of start and end scores."""

    def logits(ids: Sequence[int], types: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        starts, ends = run({"input_ids": np.array([ids]), "token_type_ids": np.array([types])})
        return starts[0], ends[0]

    return _bundled()._replace(logits=logits)


class Positional(torch.nn.Module):
    """Takes the inputs in ``NAMES``' order, as the exporter passes them."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Any, types: Any) -> Any:
        out = self.model(input_ids=ids, token_type_ids=types)
        return out.start_logits, out.end_logits


def export(path: Path) -> None:
    """Write the bundled reader as ONNX with its weights."""
    model = AutoModelForQuestionAnswering.from_pretrained(BUNDLED_READER).float().eval()
    example = torch.ones((1, 16), dtype=torch.long)
    torch.onnx.export(
        Positional(model), (example, example), str(path), input_names=NAMES,
        output_names=["start", "end"], opset_version=17, dynamo=False,
        dynamic_axes={name: {1: "length"} for name in (*NAMES, "start", "end")},
    )  # fmt: skip


def measure(name: str, model: _Model, asked: list[tuple[Example, list[str]]]) -> None:
    reader = Reader()
    reader._loaded = model
    em, f1, times = [], [], []
    for example, _ in asked:
        (spans,) = reader.read(example.question, [example.context], top=1)
        answer = example.context[spans[0].span.start : spans[0].span.end] if spans else ""
        golds = [example.context[s:e] for s, e in example.answers]
        em.append(exact_match(answer, golds))
        f1.append(token_f1(answer, golds))
    for example, windows in asked[:TIMED]:
        began = time.perf_counter()
        reader.read(example.question, windows)
        times.append(1000 * (time.perf_counter() - began))
    print(
        f"{name:18} {WINDOWS} windows: median {np.median(times):.0f} ms, p95 "
        f"{np.percentile(times, 95):.0f} ms; given the paragraph: exact match "
        f"{np.mean(em):.3f}, F1 {np.mean(f1):.3f}",
        flush=True,
    )


def main(squad: Path) -> None:
    torch.set_num_threads(2)
    examples = [e for e in read_squad(squad) if e.answers]
    paragraphs = list(dict.fromkeys(e.context for e in examples))
    place = {p: i for i, p in enumerate(paragraphs)}
    asked = [
        (e, [paragraphs[(place[e.context] + i) % len(paragraphs)] for i in range(WINDOWS)])
        for e in random.Random(0).sample(examples, min(QUESTIONS, len(examples)))
    ]
    measure("ONNX Runtime fp32", _bundled(), asked)
    measure("torch fp32", _from_hugging_face(str(BUNDLED_READER)), asked)
    with tempfile.TemporaryDirectory() as folder:
        full, small = Path(folder) / "reader.onnx", Path(folder) / "reader.int8.onnx"
        export(full)
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(full, small, weight_type=QuantType.QInt8, per_channel=True)
        print(f"int8 file: {small.stat().st_size / 1e6:.1f} MB")
        measure("ONNX Runtime int8", reading(with_onnxruntime(small)), asked)
        measure("OpenVINO", reading(with_openvino(full)), asked)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
