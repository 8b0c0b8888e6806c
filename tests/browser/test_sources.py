"""The articles that are asked, and how a visitor's own come and go, over an engine made for it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from page_helpers import Server, add, ask, bring, in_view, printed, reload, settle
from playwright.sync_api import Page, expect

Visit = Callable[..., Page]

OWN = "The Mast\n\nThe mast broke at dusk. Nobody was hurt."
GIVE = """([kind, files]) => {
  const data = new DataTransfer();
  for (const [name, content] of files) {
    const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
    data.items.add(new File([bytes], name));
  }
  const more = { bubbles: true, cancelable: true };
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { ...more, clipboardData: data })
    : new DragEvent(kind, { ...more, dataTransfer: data });
  document.querySelector("#talk").dispatchEvent(event);
}"""
"""Drags, drops or pastes files over the conversation."""


@pytest.fixture
def address(server: Server) -> str:
    (server.folder / "go").unlink(missing_ok=True)
    return server.running()


def give(page: Page, kind: str, **files: bytes) -> None:
    content = [[f"{n}.txt", base64.b64encode(data).decode()] for n, data in files.items()]
    page.evaluate(GIVE, [kind, content])


def test_what_is_added_waits_and_takes_nothing_over(visit: Visit) -> None:
    page = visit("?article=bell")
    add(page, OWN)
    expect(page.locator("#scope")).to_have_value("bell")
    assert "Ada Brandt" in page.locator("#reader").inner_text()
    page.get_by_role("button", name="Ask it: The Mast").click()
    expect(page.locator("#reader")).to_contain_text("The mast broke")
    expect(ask(page, "What broke?").locator(".where")).to_have_text("The Mast")


def test_one_several_or_all_articles_are_asked(visit: Visit) -> None:
    page = visit("?article=bell")
    add(page, OWN)
    page.get_by_role("checkbox", name="The Ferry").check()
    page.keyboard.press("Escape")
    expect(page.locator("#scope option:checked")).to_have_text("2 articles")
    expect(ask(page, "Who?").locator(".where")).to_have_text("The Bell, The Ferry")
    page.locator("#scope").select_option("")
    expect(ask(page, "nothing").locator(".where")).to_have_text("All 3 articles")
    reload(page)
    expect(page.locator("#scope")).to_have_value("")


def test_files_are_counted_and_can_be_cancelled(visit: Visit, tmp_path: Path) -> None:
    files = []
    for name, text in (("one", "One is slow to be read."), ("two", "Two is read."), ("no", " ")):
        files.append(tmp_path / f"{name}.txt")
        files[-1].write_text(text, "utf-8")
    page = visit()
    page.get_by_role("button", name="Articles", exact=True).click()
    page.get_by_label("Add files").set_input_files(files)
    slow = page.locator("#arrivals li", has_text="one.txt")
    expect(slow.locator(".status")).to_have_text("Indexing 2 of 3")
    slow.get_by_role("button", name="Cancel").click()
    expect(page.locator("#arrivals .rejected")).to_contain_text("no.txt")
    titles = page.locator("#source-list label")
    expect(titles).to_have_text(["The Bell", "The Ferry", "Two is read."])


def test_an_own_article_is_renamed_and_removed(visit: Visit) -> None:
    page = visit()
    bring(page, OWN)
    ask(page, "What broke?")
    page.get_by_role("button", name="Articles", exact=True).click()
    page.once("dialog", lambda dialog: dialog.accept("My mast"))
    page.get_by_role("button", name="Rename: The Mast").click()
    expect(page.locator("#scope option:checked")).to_have_text("My mast")
    reload(page)
    expect(page.locator("#scope option:checked")).to_have_text("My mast")
    page.get_by_role("button", name="Articles", exact=True).click()
    page.get_by_role("button", name="Remove: My mast").click()
    expect(page.locator("#source-list label")).to_have_text(["The Bell", "The Ferry"])
    assert "The mast broke at dusk. Nobody" not in page.evaluate("JSON.stringify(localStorage)")


def test_files_can_be_dropped_and_pasted_anywhere(visit: Visit) -> None:
    page = visit()
    give(page, "dragover", one=b"One is read.")
    expect(page.locator(".drop")).to_be_visible()
    give(page, "drop", one=b"One is read.", two=b"Two is read.")
    expect(page.locator(".drop")).to_be_hidden()
    expect(page.locator("#sources")).to_be_visible()
    titles = page.locator("#source-list label")
    expect(titles).to_have_text(["The Bell", "The Ferry", "One is read.", "Two is read."])
    page.keyboard.press("Escape")
    give(page, "paste", three=b"Three is read.")
    expect(titles.last).to_have_text("Three is read.")
    expect(page.locator("#scope option:checked")).to_have_text("2 articles")  # as before


def test_an_article_is_read_while_it_is_indexed(visit: Visit, server: Server) -> None:
    page = visit("?article=bell")
    page.get_by_role("button", name="Articles", exact=True).click()
    page.get_by_label("or paste a text").fill("The Mast\n\nThe mast is slow to fall.")
    page.get_by_role("button", name="Add the text").click()
    page.get_by_role("button", name="Read it meanwhile").click()
    expect(page.locator("#reader")).to_contain_text("The mast is slow to fall.")
    expect(ask(page, "Who?").locator(".said")).to_contain_text("Ada Brandt")
    (server.folder / "go").touch()
    expect(page.locator("#line")).to_contain_text("“The Mast” is ready")
    expect(page.locator("#reader")).to_contain_text("Ada Brandt")


def test_of_two_articles_the_one_chosen_last_is_shown(visit: Visit) -> None:
    page = visit("?article=bell")
    page.locator("#scope").evaluate(
        """scope => {
          for (const id of ["ferry", "bell", "ferry", "bell"]) {
            scope.value = id;
            scope.dispatchEvent(new Event("change"));
          }
        }"""
    )
    turn = ask(page, "Who?")
    expect(turn.locator(".where")).to_have_text("The Bell")
    expect(page.locator("#reader")).to_contain_text("Ada Brandt")


def test_a_ticked_article_is_shown_when_it_alone_is_asked(visit: Visit) -> None:
    page = visit("?article=bell")
    page.get_by_role("button", name="Articles", exact=True).click()
    page.get_by_role("checkbox", name="The Ferry").check()
    expect(page.get_by_role("checkbox", name="The Ferry")).to_be_focused()
    page.get_by_role("checkbox", name="The Bell").uncheck()
    expect(page.locator("#reader")).to_contain_text("The ferry sails")
    page.get_by_role("checkbox", name="The Ferry").click()  # something is always asked
    expect(page.get_by_role("checkbox", name="The Ferry")).to_be_checked()


def test_a_page_of_a_pdf_is_shown_with_its_passage(visit: Visit, tmp_path: Path) -> None:
    lines = "\n".join(f"On day {n} the water stood at {n} metres." for n in range(25))
    (tmp_path / "mast.pdf").write_bytes(printed(lines, f"{lines}\nThe mast broke at dusk."))
    page = visit()
    page.get_by_role("button", name="Articles", exact=True).click()
    page.get_by_label("Add files").set_input_files(tmp_path / "mast.pdf")
    page.locator("#source-list .new [data-do=source-ask]").click()
    turn = ask(page, "both")
    button = page.get_by_role("button", name="Show the page")
    button.click()
    expect(page.locator("#page-name")).to_have_text("p. 2")
    expect(page.locator("#sheet .box").first).to_be_visible()
    settle(page)
    assert in_view(page, "mark")
    page.get_by_role("button", name="Previous page").click()
    expect(page.locator("#page-name")).to_have_text("p. 1")
    expect(page.locator("#sheet img")).to_have_attribute("alt", "p. 1")
    expect(page.locator("#sheet .box")).to_have_count(0)
    turn.locator(".chip").first.click()
    expect(page.locator("#page-name")).to_have_text("p. 2")
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#page")).to_be_hidden()
    expect(button).to_be_focused()
