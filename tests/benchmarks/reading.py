"""How fast files are read, and in how much memory: ``python -m tests.benchmarks.reading``.

The seed article, many times over, is written as a web page of 1 MB and as a PDF of two columns and
some 300 pages, which is the largest file here; each is read in a process of its own, three times,
of which the fastest counts. Peak memory is the process's own (as Linux counts it), with Python and
the libraries, which a small page shows.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from makes import as_html, as_pdf

from article_qa.reading.article import read_article

SEED = next((Path(__file__).parents[2] / "seeds").glob("*.txt"))
HTML_BYTES = 1_000_000
PDF_TIMES = 152


def measure(path: Path) -> None:
    """Print what the reading of one file took: seconds, bytes at most, the last page."""
    seconds = []
    for _ in range(3):
        began = time.process_time()
        article = read_article(path)
        seconds.append(time.process_time() - began)
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    pages = article.pages[-1][1] if article.pages else 0
    print(min(seconds), int(peak[1]) * 1024 if peak else 0, pages)


def measured(name: str, data: bytes) -> tuple[float, int, int]:
    """Return what ``measure`` prints of a file, read in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        command = [sys.executable, "-m", "tests.benchmarks.reading", str(path)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(said[0]), int(said[1]), int(said[2])


def main() -> None:
    """Make the files and print a line for each."""
    text = read_article(SEED).text
    page = as_html(text)
    files = {
        "small.html": page,
        "large.html": as_html("\n\n".join([text] * (HTML_BYTES // len(page) + 1))),
        "large.pdf": as_pdf("\n\n".join([text] * PDF_TIMES), 2),
    }
    for name, data in files.items():
        seconds, peak, pages = measured(name, data)
        speed = (
            f"{pages / seconds:.0f} pages/s" if pages else f"{len(data) / 1e6 / seconds:.2f} MB/s"
        )
        print(
            f"{name:11} {len(data) / 1e6:6.2f} MB  {pages:4} pages  {seconds:6.2f} s  {speed:>12}  "
            f"peak memory {peak / 1e6:.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:]:
        measure(Path(sys.argv[1]))
    else:
        main()
