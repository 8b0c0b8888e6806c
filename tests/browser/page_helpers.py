"""The app in a process of its own; what a person does on its page, and what they see there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from fpdf import FPDF
from playwright.sync_api import Page

STARTS_WITHIN = 120
"""Seconds; a busy machine is slow to import torch."""
MARKED = """n => {
  const reader = document.querySelector("#reader");
  const pieces = [...reader.querySelectorAll("mark")]
    .filter((m) => m.dataset.n.split(" ").includes(String(n)));
  const before = document.createRange();
  before.setStart(reader, 0);
  before.setEndBefore(pieces[0]);
  const joined = (list) => list.map((m) => m.textContent).join("");
  return {
    start: [...before.toString()].length,
    text: joined(pieces),
    focus: joined(pieces.filter((m) => m.classList.contains("focus"))),
  };
}"""
"""The marked passage n: where it starts (in code points), its text, and its stronger part."""


def ask(page: Page, question: str) -> Any:
    """Type a question and Enter; return the finished turn."""
    turns = page.locator(".turn").count()
    if not page.locator("#question").is_visible():  # a phone shows the article
        page.locator('[data-view="talk"]').click()
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    page.wait_for_selector(f'.turn[data-turn="{turns + 1}"][data-done]')
    return page.locator(f'.turn[data-turn="{turns + 1}"]')


def reload(page: Page) -> None:
    page.reload()
    page.wait_for_selector("#aq[data-state=ready]")


def add(page: Page, text: str) -> None:
    """Add a text under Articles, and stay there."""
    page.get_by_role("button", name="Articles", exact=True).click()
    page.get_by_label("or paste a text").fill(text)
    page.get_by_role("button", name="Add the text").click()
    page.locator("#source-list .new").last.wait_for()


def bring(page: Page, text: str) -> None:
    """Add a text, read it and ask it from now on."""
    add(page, text)
    page.locator("#source-list .new [data-do=source-ask]").last.click()
    page.locator("#sources").wait_for(state="hidden")


def printed(*pages: str) -> bytes:
    """Return a PDF file with a page for each text, its paragraphs in lines."""
    document = FPDF()
    document.set_font("helvetica", size=12)
    for text in pages:
        document.add_page()
        document.multi_cell(0, 7, text)
    return bytes(document.output())


def citations(page: Page, turn: int) -> list[dict[str, Any]]:
    script = f"""JSON.parse(document.querySelector('.turn[data-turn="{turn}"] [data-citations]')
        .dataset.citations)"""
    return cast(list[dict[str, Any]], page.evaluate(script))


def marked(page: Page, number: int) -> dict[str, Any]:
    return cast(dict[str, Any], page.evaluate(MARKED, number))


def in_view(page: Page, selector: str) -> bool:
    """Say whether the element lies in the window and is not covered there."""
    return bool(
        page.evaluate(
            """selector => {
              const box = document.querySelector(selector).getClientRects()[0];
              const x = box.left + box.width / 2, y = box.top + box.height / 2;
              const at = document.elementFromPoint(x, y);
              return box.top >= 0 && box.bottom <= innerHeight
                && at !== null && (at.matches(selector) || at.closest("mark") !== null);
            }""",
            selector,
        )
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"the app ended with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"no page at {address} after {STARTS_WITHIN} s")


def serving(script: Path, folder: Path, port: int | None = None) -> Iterator[str]:
    """Run a script that serves the page, as long as the caller needs it; yield its address."""
    server = Server(script, folder, port)
    try:
        yield server.running()
    finally:
        server.kill()


class Server:
    """A script that serves the page, which can be killed and started again at its address."""

    def __init__(self, script: Path, folder: Path, port: int | None = None) -> None:
        self.script, self.folder = script, folder
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}/"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = os.environ | {"PORT": str(self.port), "NO_BROWSER": "1"}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(self.script)],
                cwd=self.folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_for(self.address, self.process)

    def running(self) -> str:
        """Start it unless it runs; return its address."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        return self.address

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(timeout=20)


def settle(page: Page) -> None:
    """Wait until both panes have stood still for a third of a second: they scroll smoothly."""
    page.evaluate(
        """() => new Promise(done => {
          let last = -1, same = 0;
          const timer = setInterval(() => {
            const now = ["talk", "paper"].map((id) => document.getElementById(id).scrollTop).join();
            same = now === last ? same + 1 : 0;
            last = now;
            if (same > 5) { clearInterval(timer); done(); }
          }, 60);
        })"""
    )
