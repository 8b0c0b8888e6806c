"""The main states look as they did: pictures of them are compared, with tolerance.

After a change that is meant, ``pytest tests/browser/test_screens.py --screenshots`` draws them
anew, in ``screens/``: look at each.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from page_helpers import Server, add, ask, printed, settle
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Page, expect

Visit = Callable[..., Page]

SCREENS = Path(__file__).with_name("screens")
WIDE = {"viewport": {"width": 1280, "height": 800}}
PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
DARK = {"color_scheme": "dark"}
SHRUNK = 4
"""Pictures are kept at a quarter of their width: enough to see what stands where."""
DIFFERS = 12
"""Levels of 255 by which a point must differ to count: letters moved by one pixel do not."""
MOST = 0.01
"""Share of the points that may differ; of a state moved by four pixels, 2% or more do."""
FONTS = """() => {
  document.body.style.setProperty("--sans", "'DejaVu Sans'");
  document.body.style.setProperty("--serif", "'DejaVu Serif'");
}"""
"""Whatever else is installed; they come with the tests' Chromium."""


@pytest.fixture
def address(server: Server) -> str:
    return server.running()


def start(page: Page) -> None:
    expect(page.locator("#suggestions button").first).to_be_visible()
    expect(page.locator("#glance")).to_be_visible()


def answered(question: str) -> Callable[[Page], None]:
    def state(page: Page) -> None:
        start(page)
        ask(page, question)
        expect(page.locator(".follow button").first).to_be_visible()

    return state


def passage(page: Page) -> None:
    answered("both")(page)
    page.locator(".chip").first.tap()
    expect(page.locator("mark.here").first).to_be_visible()


def articles(page: Page) -> None:
    start(page)
    add(page, "The Mast\n\nThe mast broke at dusk. Nobody was hurt.")


def pdf(page: Page) -> None:
    lines = "\n".join(f"On day {n} the water stood at {n} metres." for n in range(25))
    data = printed(lines, f"{lines}\nThe mast broke at dusk.")
    page.get_by_role("button", name="Articles", exact=True).click()
    file = {"name": "mast.pdf", "mimeType": "application/pdf", "buffer": data}
    page.get_by_label("Add files").set_input_files(file)  # type: ignore[arg-type]
    page.locator("#source-list .new [data-do=source-ask]").click()
    ask(page, "both")
    expect(page.locator(".follow button").first).to_be_visible()
    page.get_by_role("button", name="Show the page").click()
    expect(page.locator("#sheet .box").first).to_be_visible()


STATES: dict[str, tuple[Callable[[Page], None], dict[str, object]]] = {
    "start": (start, WIDE),
    "answer": (answered("both"), WIDE),
    "unsure": (answered("Who, perhaps?"), WIDE | DARK),
    "refusal": (answered("nothing"), WIDE),
    "articles": (articles, WIDE),
    "page": (pdf, WIDE),
    "phone": (answered("both"), PHONE),
    "phone-passage": (passage, PHONE | DARK),
}


@pytest.fixture(scope="module")
def rewrite(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--screenshots", default=False))


@pytest.mark.parametrize("name", STATES)
def test_a_state_looks_as_it_did(visit: Visit, name: str, rewrite: bool, tmp_path: Path) -> None:
    state, options = STATES[name]
    page = visit("" if name == "page" else "?article=bell", **options)
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(FONTS)
    state(page)
    page.locator("#aq").evaluate("() => document.activeElement.blur()")
    settle(page)
    seen = shrunk(page.screenshot(animations="disabled", caret="hide"))
    kept = SCREENS / f"{name}.png"
    if rewrite:
        seen.save(kept, optimize=True)
    share = difference(seen, Image.open(kept))
    if share > MOST:
        seen.save(tmp_path / f"{name}.png")
        pytest.fail(f"{share:.1%} of {name} looks otherwise: compare {tmp_path} with {kept}")


def shrunk(png: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(png)).convert("L")
    return image.resize((image.width // SHRUNK, image.height // SHRUNK), Image.Resampling.BOX)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the share of points that differ, apart from how letters are drawn."""
    if one.size != other.size:
        return 1.0
    soft = [image.filter(ImageFilter.GaussianBlur(1.5)) for image in (one, other)]
    differing = ImageChops.difference(*soft).point(lambda value: 255 * (value > DIFFERS))
    return differing.histogram()[255] / (one.width * one.height)
