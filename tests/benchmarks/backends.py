"""The reader under fp32 torch, onnxruntime (fp32, int8) and OpenVINO: time and F1.

Run ``python tests/benchmarks/backends.py SQUAD_FILE`` after
``pip install onnx onnxscript onnxruntime openvino``. Each question is read in the paragraph of its
answer (F1, exact match) and, timed, in the five paragraphs next to it, as it is in the product: one
padded batch, two threads.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

from article_qa.evaluation.metrics import exact_match, token_f1
from article_qa.reader import BUNDLED_READER, MAX_TOKENS, _decode
from article_qa.training.data import Example, read_squad

Run = Callable[[dict[str, np.ndarray]], tuple[np.ndarray, np.ndarray]]
NAMES = ("input_ids", "attention_mask", "token_type_ids")
QUESTIONS, TIMED = 400, 60


def with_torch(model: Any) -> Run:
    def run(batch: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode():
            out = model(**{k: torch.from_numpy(v) for k, v in batch.items()})
        return out.start_logits.numpy(), out.end_logits.numpy()

    return run


def with_onnxruntime(path: Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda batch: tuple(session.run(None, batch))


def with_openvino(path: Path) -> Run:
    import openvino

    compiled = openvino.Core().compile_model(
        path, "CPU", {"INFERENCE_NUM_THREADS": 2, "PERFORMANCE_HINT": "LATENCY"}
    )
    return lambda batch: tuple(compiled(batch).values())


def export(model: Any, path: Path) -> None:
    """Write the model as ONNX with free batch and length."""
    example = tuple(torch.ones((2, 16), dtype=torch.long) for _ in NAMES)
    axes = {name: {0: "batch", 1: "length"} for name in (*NAMES, "start", "end")}
    torch.onnx.export(
        model, example, str(path), input_names=list(NAMES), output_names=["start", "end"],
        dynamic_axes=axes, opset_version=17, dynamo=False,
    )  # fmt: skip


class Positional(torch.nn.Module):
    """Takes the inputs in ``NAMES``' order, as the exporter passes them."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Any, mask: Any, types: Any) -> Any:
        out = self.model(input_ids=ids, attention_mask=mask, token_type_ids=types)
        return out.start_logits, out.end_logits


def batch_of(tokenizer: Any, question: str, windows: list[str]) -> Any:
    return tokenizer(
        [question] * len(windows), windows, truncation="only_second", max_length=MAX_TOKENS,
        padding=True, return_offsets_mapping=True, return_tensors="np",
    )  # fmt: skip


def measure(name: str, run: Run, tokenizer: Any, asked: list[tuple[Example, list[str]]]) -> None:
    em, f1 = [], []
    for example, _ in asked:
        batch = batch_of(tokenizer, example.question, [example.context])
        starts, ends = run({k: batch[k].astype(np.int64) for k in NAMES})
        spans = _decode(starts[0], ends[0], batch["offset_mapping"][0],
                        batch.sequence_ids(0), batch.word_ids(0), 1)  # fmt: skip
        answer = example.context[spans[0].span.start : spans[0].span.end] if spans else ""
        golds = [example.context[s:e] for s, e in example.answers]
        em.append(exact_match(answer, golds))
        f1.append(token_f1(answer, golds))
    times = []
    for example, windows in asked[:TIMED]:
        began = time.perf_counter()
        batch = batch_of(tokenizer, example.question, windows)
        run({k: batch[k].astype(np.int64) for k in NAMES})
        times.append(1000 * (time.perf_counter() - began))
    print(
        f"{name:18} five windows: median {np.median(times):.0f} ms, p95 "
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
        (e, [paragraphs[(place[e.context] + i) % len(paragraphs)] for i in range(5)])
        for e in random.Random(0).sample(examples, min(QUESTIONS, len(examples)))
    ]
    model = AutoModelForQuestionAnswering.from_pretrained(BUNDLED_READER).float().eval()
    tokenizer = AutoTokenizer.from_pretrained(BUNDLED_READER)
    measure("torch fp32", with_torch(model), tokenizer, asked)
    with tempfile.TemporaryDirectory() as folder:
        full, small = Path(folder) / "reader.onnx", Path(folder) / "reader.int8.onnx"
        export(Positional(model), full)
        measure("onnxruntime fp32", with_onnxruntime(full), tokenizer, asked)
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(full, small, weight_type=QuantType.QInt8, per_channel=True)
        print(f"int8 file: {small.stat().st_size / 1e6:.1f} MB")
        measure("onnxruntime int8", with_onnxruntime(small), tokenizer, asked)
        measure("OpenVINO", with_openvino(full), tokenizer, asked)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
