"""Measure the page: ``python tests/benchmarks/page.py`` (needs chromium; two minutes).

Prints seconds from ``python app.py`` to the visible page and to the first answer, milliseconds from
Enter to the finished answer on screen, what twenty visitors see who ask at once, and the page's
weight.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
VISITORS = 20
EACH = 3
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ENTER = """question => new Promise((done) => {
  const field = document.querySelector("#question"), log = document.querySelector("#log");
  field.value = question;
  const began = performance.now(), turns = log.childElementCount;
  const watch = new MutationObserver(() => {
    if (log.querySelectorAll("[data-done]").length > turns) {
      watch.disconnect();
      log.getBoundingClientRect(); // laid out
      done(performance.now() - began);
    }
  });
  watch.observe(log, {subtree: true, childList: true, attributes: true});
  field.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
})"""
"""Ask as the Enter key does; resolve to milliseconds when the answer is laid out."""


def questions() -> list[str]:
    """Return the single questions on the seed article, but hostile ones."""
    lines = (ROOT / "tests/regression/seed.jsonl").read_text("utf-8").splitlines()
    rows = map(json.loads, lines)
    return [row["question"] for row in rows if row.get("question") and row["kind"] != "hostile"]


def open_first(browser: Browser, address: str, began: float) -> tuple[Page, float, float, int]:
    """Open the page as soon as it is served; return when it was visible and when it answered."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    weight = 0

    def finished(event: dict[str, Any]) -> None:
        nonlocal weight
        weight += int(event["encodedDataLength"])

    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.loadingFinished", finished)
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                break
        except OSError:
            time.sleep(0.05)
    page.goto(address)
    page.locator("#question").wait_for()
    visible = time.monotonic() - began
    page.locator("#reader .headline").wait_for(timeout=120_000)
    loaded = weight
    page.locator("#question").fill("Who wrote this article?")
    page.locator("#question").press("Enter")
    page.locator(".turn[data-done]").wait_for(timeout=120_000)
    return page, visible, time.monotonic() - began, loaded


def call(address: str, question: str) -> tuple[float, str]:
    """Ask over HTTP; return seconds and the answer as JSON."""
    began = time.monotonic()
    body = json.dumps({"question": question}).encode()
    url = f"{address}gradio_api/call"
    request = urllib.request.Request(f"{url}/v2/ask", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as response:
        event = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{url}/ask/{event}", timeout=300) as response:
        text = response.read().decode()
    if "event: complete" not in text:
        raise RuntimeError(f"no answer to {question!r}: {text[:200]}")
    return time.monotonic() - began, text.rsplit("data: ", 1)[1].strip()


def crowd(address: str, asked: list[str]) -> None:
    """Print what visitors see who ask at once; each answer must equal the one asked alone."""
    alone = {question: call(address, question)[1] for question in asked}
    jobs = [asked[n % len(asked)] for n in range(VISITORS * EACH)]
    began = time.monotonic()
    with ThreadPoolExecutor(VISITORS) as pool:
        results = list(pool.map(lambda question: call(address, question), jobs))
    wall = time.monotonic() - began
    mixed = sum(alone[job] != answer for job, (_, answer) in zip(jobs, results, strict=True))
    p95 = statistics.quantiles([seconds for seconds, _ in results], n=20)[-1]
    print(
        f"{VISITORS} visitors at once, {len(jobs)} questions: all answered, {mixed} mixed up, "
        f"95th percentile {p95:.2f} s, {len(jobs) / wall:.1f} answers/s"
    )


def main() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    asked = questions()
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        browser.new_page().goto("about:blank")
        began = time.monotonic()
        server = subprocess.Popen(
            [sys.executable, str(ROOT / "app.py")],
            env=os.environ | {"PORT": str(port), "NO_BROWSER": "1"},
            stdout=subprocess.DEVNULL,
        )
        try:
            page, visible, answered, weight = open_first(browser, address, began)
            print(f"python app.py -> page visible {visible:.1f} s, first answer {answered:.1f} s")
            print(f"page weight {weight / 1000:.0f} KB transferred")
            time.sleep(20)  # until the suggested questions are checked in the background
            page.set_default_timeout(60_000)
            times = sorted(float(page.evaluate(ENTER, question)) for question in asked[:30])
            print(
                f"Enter -> finished answer on screen, {len(times)} questions: median "
                f"{statistics.median(times):.0f} ms, slowest {times[-1]:.0f} ms"
            )
            crowd(address, asked[:VISITORS])
        finally:
            browser.close()
            server.terminate()
            server.wait(timeout=20)


if __name__ == "__main__":
    main()
