"""Questions a second over REST: ``python -m tests.benchmarks.load``.

Starts ``article-qa serve`` on the index of the repository and says how long it takes until
``/readyz`` says so. Then 1, 10 and 50 clients ask at once, each waiting for its answer before its
next question; every answer must be the very bytes that the same question gets alone. On Linux the
server's processor time, which says more than the clock where others use the machine, and the peak
of its memory are printed, too.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from article_qa.evaluation.loading import load_questions

ROOT = Path(__file__).parents[2]
START = "from article_qa.cli import app; app()"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(port: int) -> tuple[subprocess.Popen[bytes], float]:
    """Start the service; return it, and the seconds until it was ready."""
    began = time.monotonic()
    server = subprocess.Popen(
        [sys.executable, "-c", START, "serve", "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"ARTICLE_QA_FEEDBACK": "", "ARTICLE_QA_LOG_LEVEL": "WARNING"},
        stdout=subprocess.DEVNULL,
    )
    while server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60).close()
            return server, time.monotonic() - began
        except (urllib.error.URLError, OSError):  # 503 while it loads, refused before it listens
            time.sleep(0.2)
    raise SystemExit("the service ended before it was ready")


def processor(server: subprocess.Popen[bytes]) -> float:
    """Return the seconds of processor that a process has used; 0 where the system does not say."""
    try:
        fields = Path(f"/proc/{server.pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(server: subprocess.Popen[bytes]) -> float:
    """Return the most megabytes of memory that a process has had; 0 where nothing says it."""
    try:
        status = Path(f"/proc/{server.pid}/status").read_text("ascii")
    except OSError:
        return 0.0
    (kilobytes,) = (row.split()[1] for row in status.splitlines() if row.startswith("VmHWM"))
    return int(kilobytes) / 1000


def ask(port: int, question: str) -> tuple[float, bytes]:
    """Ask; return seconds and the answer's bytes."""
    began = time.monotonic()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/ask",
        json.dumps({"question": question}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=600) as response:
        return time.monotonic() - began, response.read()


def crowd(port: int, clients: int, asked: list[str], alone: dict[str, bytes]) -> str:
    """Have clients ask at once, each its own order of the questions; return what came of it."""

    def client(number: int) -> list[tuple[float, bool]]:
        turned = asked[number % len(asked) :] + asked[: number % len(asked)]
        answers = [(question, *ask(port, question)) for question in turned]
        return [(seconds, answer != alone[question]) for question, seconds, answer in answers]

    began = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        rows = [row for rows in pool.map(client, range(clients)) for row in rows]
    wall = time.monotonic() - began
    seconds = sorted(seconds for seconds, _ in rows)
    p95 = statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
    return (
        f"{clients} clients, {len(rows)} questions: {len(rows) / wall:.1f} a second, median "
        f"{statistics.median(seconds):.2f} s, 95th percentile {p95:.2f} s, "
        f"{sum(mixed for _, mixed in rows)} mixed up"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--questions", type=int, default=10, help="that each client asks")
    options = parser.parse_args()
    rows = load_questions(ROOT / "tests" / "regression" / "seed.jsonl")
    asked = list(dict.fromkeys(row.turns[-1] for row in rows))[: options.questions]
    port = free_port()
    server, ready = start(port)
    try:
        print(f"start to ready {ready:.1f} s, {processor(server):.1f} of processor", flush=True)
        alone = {question: ask(port, question)[1] for question in asked}
        for clients in options.clients:
            before = processor(server)
            told = crowd(port, clients, asked, alone)
            each = (processor(server) - before) / (clients * len(asked))
            print(f"{told}, {each:.2f} s of processor a question", flush=True)
        print(f"peak of memory {peak(server):.0f} MB")
    finally:
        server.terminate()
        server.wait(timeout=60)


if __name__ == "__main__":
    main()
