"""What a person does on the page, in a real browser, with the real engine on the seed article."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from page_helpers import ask, bring, citations, in_view, marked, settle
from playwright.sync_api import Page, expect

from article_qa.types import Article

Visit = Callable[..., Page]

ENVOY = "Who is Biden's special envoy for Afghanistan?"
AUTHOR = "Who wrote this article?"
OFF_TOPIC = "What is the boiling point of mercury?"
TWICE = (
    "The Bell of Orr 🔔\n\n"
    "The harbour was quiet. Café owners closed early 👩‍👩‍👧. It rang at dusk.\n\n"
    "Nobody was at sea. It rang at dusk.\n\n"
    "The bell was cast by Ada Brandt in Lannick. It rang at dusk."
)
HOSTILE = (
    "<script>window.owned = 1</script> The <b>Tower</b>\n\n"
    "The tower was built by <img src=x onerror='window.owned = 2'> Ada Brandt in 1974. "
    "It is **very** tall, $$\\frac{1}{2}$$ and <svg onload=window.owned=3> "
    "[old](javascript:owned=4).\n\n"
    "</article></section><h1>Not a heading</h1> ${window.owned = 5} {{owned}}"
)


def test_ask_read_and_follow_a_citation(visit: Visit, seed: Article) -> None:
    page = visit()
    assert page.evaluate("document.querySelector('#reader').textContent") == seed.text
    turn = ask(page, ENVOY)
    expect(turn.locator(".said")).to_contain_text("Khalilzad")
    turn.locator(".chip").first.click()
    citation = citations(page, 1)[0]
    found = marked(page, 1)
    assert found["text"] == citation["quote"] == seed.text[citation["start"] : citation["end"]]
    assert found["start"] == citation["start"]
    focus = "".join(seed.text[start:end] for start, end in citation["focus"])
    assert found["focus"] == focus
    assert "Khalilzad" in focus
    settle(page)
    assert in_view(page, "mark")
    assert page.evaluate("document.querySelector('#reader').textContent") == seed.text


def test_a_chip_shows_its_quote_on_hover_and_on_focus(visit: Visit) -> None:
    page = visit()
    chip = ask(page, AUTHOR).locator(".chip").first
    quote = citations(page, 1)[0]["quote"]
    chip.hover()
    expect(page.locator("#tip")).to_have_text(quote)
    page.mouse.move(5, 5)
    expect(page.locator("#tip")).to_be_hidden()
    chip.focus()
    expect(page.locator("#tip")).to_have_text(quote)


def test_it_works_by_keyboard_alone(visit: Visit) -> None:
    page = visit()
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type(AUTHOR)
    page.keyboard.press("Enter")
    page.wait_for_selector(".turn[data-done]")
    for _ in range(30):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.matches('.chip')"):
            break
    else:
        pytest.fail("no citation can be reached with Shift+Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.keyboard.press("Enter")
    expect(page.locator("mark.here:focus")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('.chip')")


def test_answers_are_announced(visit: Visit) -> None:
    page = visit()
    ask(page, AUTHOR)
    region = page.locator("#say")
    assert region.get_attribute("aria-live") == "polite"
    expect(region).to_contain_text("Michael Crowley")


def test_a_refusal_looks_different(visit: Visit) -> None:
    page = visit()
    turn = ask(page, OFF_TOPIC)
    expect(turn).to_contain_text("The article does not say")
    expect(turn.locator(".chip")).to_have_count(0)
    expect(turn.locator(".trust")).to_have_count(0)
    if turn.locator(".quote").count():
        expect(turn.locator(".label")).to_have_text("Nearest passages")
        turn.locator(".quote").first.click()
        assert marked(page, 1)["text"] == citations(page, 1)[0]["quote"]


def test_a_glance_shows_who_and_when_and_leads_there(visit: Visit, seed: Article) -> None:
    page = visit()
    glance = page.locator("#glance")
    people, dates = glance.locator(".people button"), glance.locator(".dates button")
    expect(people.first).to_be_visible(timeout=60_000)
    expect(dates.first).to_be_visible()
    expect(glance.locator(".sentences button")).to_have_count(3)
    name = people.first.inner_text()
    people.first.click()
    expect(page.locator("mark.here")).to_have_text(name)
    assert seed.text[marked(page, 0)["start"] :].startswith(name)
    ask(page, AUTHOR)
    expect(glance).not_to_have_attribute("open", "")


def test_suggested_questions_are_answered(visit: Visit) -> None:
    page = visit()
    first = page.locator("#suggestions button").first
    expect(first).to_be_visible(timeout=60_000)
    first.click()
    page.wait_for_selector(".turn[data-done]")
    expect(page.locator(".turn .unsaid")).to_have_count(0)
    following = page.locator(".follow button")
    expect(following.first).to_be_visible(timeout=60_000)
    following.first.click()
    page.wait_for_selector('.turn[data-turn="2"][data-done]')
    expect(page.locator(".turn .unsaid")).to_have_count(0)


def test_a_phone_has_one_column_and_no_sideways_scrolling(visit: Visit) -> None:
    page = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    turn = ask(page, "Who appointed Mr. Khalilzad?")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert in_view(page, "#question")
    turn.locator(".chip").first.tap()
    settle(page)
    assert in_view(page, "mark")
    assert marked(page, 1)["text"] == citations(page, 1)[0]["quote"]
    page.get_by_role("button", name="Back to the answer").tap()
    settle(page)
    assert in_view(page, ".asked")


def test_dark_follows_the_system_and_the_switch(visit: Visit) -> None:
    page = visit(color_scheme="dark")
    colour = "getComputedStyle(document.querySelector('#reader')).color"
    light_ink = page.evaluate(colour)
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate(colour) != light_ink
    page.reload()
    page.wait_for_selector("#aq[data-state=ready]")
    assert page.evaluate(colour) != light_ink


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_serious(visit: Visit, scheme: str, width: int) -> None:
    page = visit(color_scheme=scheme, viewport={"width": width, "height": 844})
    page.emulate_media(reduced_motion="reduce")
    found = []

    def check(state: str) -> None:
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                found.append((state, violation["id"], violation["nodes"][0]["html"][:200]))

    check("first")
    ask(page, AUTHOR).locator(".chip").first.click()
    check("answered")
    ask(page, OFF_TOPIC)
    check("refused")
    page.get_by_role("button", name="Articles", exact=True).click()
    check("articles")
    assert not found


def test_the_same_sentence_twice_is_marked_where_it_was_cited(visit: Visit) -> None:
    page = visit()
    bring(page, TWICE)
    assert page.evaluate("document.querySelector('#reader').textContent") == TWICE
    turn = ask(page, "Who cast the bell?")
    expect(turn.locator(".said")).to_contain_text("Ada Brandt")
    turn.locator(".chip").first.click()
    citation = citations(page, 1)[0]
    found = marked(page, 1)
    assert (found["start"], found["text"]) == (citation["start"], citation["quote"])
    second = TWICE.index("It rang", TWICE.index("Nobody"))
    page.evaluate(
        """([start, quote]) => {
          const list = document.querySelector("[data-citations]");
          const [first] = JSON.parse(list.dataset.citations);
          list.dataset.citations = JSON.stringify(
            [{...first, start, end: start + quote.length, quote, focus: []}]);
          document.querySelector(".chip").click();
        }""",
        [second, "It rang at dusk."],
    )
    settle(page)
    found = marked(page, 1)
    assert (found["start"], found["text"]) == (second, "It rang at dusk.")


def test_a_hostile_article_is_only_text(visit: Visit) -> None:
    page = visit()
    bring(page, HOSTILE)
    assert page.evaluate("document.querySelector('#reader').textContent") == HOSTILE
    turn = ask(page, "Who built the tower?")
    turn.locator("button").first.click()
    ask(page, HOSTILE[:200])
    page.wait_for_timeout(300)
    assert page.evaluate("window.owned") is None
    assert page.locator("#reader :is(script, img, svg, b, a, h1)").count() == 0
    assert page.locator(".turn :is(script, img, h1, a)").count() == 0


def test_a_file_is_read_and_used_in_this_window_only(
    visit: Visit, seed: Article, tmp_path: Path
) -> None:
    path = tmp_path / "bell tower.md"
    path.write_text("# The Bell of Orr\n\nBy Ada Brandt\n\nThe bell is old and loud.", "utf-8")
    page, other = visit(), visit()
    page.get_by_role("button", name="Articles", exact=True).click()
    page.get_by_label("Add files").set_input_files(path)
    page.locator("#source-list .new [data-do=source-ask]").click(timeout=60_000)
    expect(page.locator("#sources")).to_be_hidden()
    own = page.locator("#scope").input_value()
    expect(page.locator("#reader")).to_contain_text("The bell is old and loud")
    expect(ask(page, AUTHOR).locator(".said")).to_contain_text("Ada Brandt")
    expect(page.locator(".turn [data-do=rate]")).to_have_count(0)
    assert other.locator(f'#scope option[value="{own}"]').count() == 0
    expect(ask(other, AUTHOR).locator(".said")).to_contain_text("Michael Crowley")
    page.locator("#scope").select_option(seed.id)
    expect(page.locator("#reader")).to_contain_text("Afghan")
    expect(ask(page, AUTHOR).locator(".said")).to_contain_text("Michael Crowley")


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("empty.txt", b"  \n ", "empty"),
        ("noise.txt", bytes(range(256)) * 40, "noise.txt"),
        ("broken.pdf", b"%PDF-1.4 nothing", "broken.pdf"),
        ("big.txt", b"word " * 100_000, "400,000"),
    ],
)
def test_an_unreadable_file_gets_one_calm_line(
    visit: Visit, tmp_path: Path, name: str, content: bytes, complaint: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    page = visit()
    page.get_by_role("button", name="Articles", exact=True).click()
    page.get_by_label("Add files").set_input_files(path)
    rejected = page.locator("#arrivals .rejected .status")
    expect(rejected).to_contain_text(complaint)
    assert "/tmp" not in rejected.inner_text()
    assert "Traceback" not in rejected.inner_text()
    page.get_by_label("Add files").set_input_files(path)  # what was rejected makes room
    expect(page.locator("#arrivals li")).to_have_count(1)


def test_two_visitors_at_once_keep_their_own_conversations(visit: Visit) -> None:
    one, two = visit(), visit()
    for page, question in ((one, AUTHOR), (two, "When was it published?")):
        page.locator("#question").fill(question)
    one.locator("#question").press("Enter")
    two.locator("#question").press("Enter")
    for page, word in ((one, "Michael Crowley"), (two, "2021")):
        page.wait_for_selector(".turn[data-done]")
        expect(page.locator(".turn")).to_have_count(1)
        expect(page.locator(".turn .said")).to_contain_text(word)


def test_a_question_in_the_very_moment_of_an_answer_is_not_lost(visit: Visit) -> None:
    page = visit()
    page.evaluate(
        """question => {
          const field = document.querySelector("#question"), log = document.querySelector("#log");
          let asked = 0;
          const ask = () => {
            if (log.querySelectorAll("[data-done]").length < asked || asked === 5) return;
            asked += 1;
            field.value = question;
            field.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
          };
          new MutationObserver(ask).observe(log, {subtree: true, attributes: true});
          ask();
        }""",
        AUTHOR,
    )
    expect(page.locator(".turn[data-done]")).to_have_count(5)


def test_a_follow_up_is_understood(visit: Visit) -> None:
    page = visit()
    ask(page, ENVOY)
    understood = ask(page, "Who appointed him?").locator(".understood")
    expect(understood).to_contain_text("Understood as")
    expect(understood).to_contain_text("Khalilzad")


def test_the_conversation_can_be_kept(visit: Visit, seed: Article) -> None:
    page = visit()
    ask(page, AUTHOR)
    ask(page, OFF_TOPIC)
    contents = {}
    for label in ("Markdown", "JSON"):
        page.locator("#keep summary").click()
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save as {label}").click()
        contents[label] = download.value.path().read_text("utf-8")
    data = json.loads(contents["JSON"])
    assert [row["question"] for row in data["answers"]] == [AUTHOR, OFF_TOPIC]
    assert data["answers"][1]["refused"]
    quotes = data["answers"][0]["citations"]
    assert quotes
    for quote in quotes:
        assert seed.text[quote["start"] : quote["end"]] == quote["quote"]
        assert quote["quote"] in contents["Markdown"]
        assert f"characters {quote['start']} to {quote['end']}" in contents["Markdown"]


def test_an_answer_can_be_copied_and_linked_to(visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    turn = ask(page, AUTHOR)
    turn.get_by_role("button", name="Copy the answer").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert AUTHOR in copied
    assert citations(page, 1)[0]["quote"] in copied
    turn.get_by_role("button", name="Copy a link").click()
    expect(page.locator("#say")).to_have_text("Link copied.")
    page.goto(page.evaluate("navigator.clipboard.readText()"))
    page.wait_for_selector(".turn[data-done]")
    expect(page.locator(".asked")).to_have_text(AUTHOR)
    expect(page.locator(".said")).to_contain_text("Michael Crowley")


def test_a_link_asks_its_question(visit: Visit) -> None:
    page = visit("?q=%3Cb%3EWho%20wrote%20this%3F%3C%2Fb%3E")
    page.wait_for_selector(".turn[data-done]")
    expect(page.locator(".asked")).to_have_text("<b>Who wrote this?</b>")


def test_a_verdict_is_stored_as_a_regression_question(visit: Visit, folder: Path) -> None:
    page = visit()
    turn = ask(page, AUTHOR)
    down = turn.locator('[data-verdict="down"]').first  # "No" below an answer that is not sure
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    line = (folder / "feedback" / "feedback.jsonl").read_text("utf-8").splitlines()[-1]
    row = json.loads(line)
    assert (row["kind"], row["verdict"], row["question"]) == ("feedback", "down", AUTHOR)
    cited = citations(page, 1)
    assert [q["text"] for q in row["quotes"][0]] == [c["quote"] for c in cited]


def test_selected_words_can_be_asked_about(visit: Visit) -> None:
    page = visit()
    paragraph = page.locator("#reader .paragraph", has_text="Islamic Emirate").first
    paragraph.scroll_into_view_if_needed()
    paragraph.evaluate(
        """node => {
          const text = node.firstChild, at = text.data.indexOf("Islamic Emirate");
          const range = document.createRange();
          range.setStart(text, at);
          range.setEnd(text, at + 15);
          getSelection().removeAllRanges();
          getSelection().addRange(range);
        }"""
    )
    page.get_by_role("button", name="Ask about this").click()
    expect(page.locator("#question")).to_have_value(
        "What does the article say about “Islamic Emirate”?"
    )
    expect(page.locator("#question")).to_be_focused()
    page.locator("#question").fill("What is it?")  # 'it' is what is selected
    page.locator("#question").press("Enter")
    page.wait_for_selector(".turn[data-done]")
    expect(page.locator(".turn .span")).to_have_text("About “Islamic Emirate”")
    expect(page.locator(".understood")).to_contain_text("Islamic Emirate")


def test_a_question_too_long_is_told_so_before_it_is_sent(visit: Visit) -> None:
    page = visit()
    page.locator("#question").fill("why " * 30_000)
    page.locator("#question").press("Enter")
    expect(page.locator("#line")).to_contain_text("up to 2000 characters")
    expect(page.locator(".turn")).to_have_count(0)
    page.locator("#question").fill("   ")
    page.locator("#question").press("Enter")
    expect(page.locator(".turn")).to_have_count(0)


def test_screenshots_for_the_readme(visit: Visit, request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--screenshots", default=False):
        pytest.skip("run with --screenshots to write the README's pictures")
    sizes: dict[str, dict[str, Any]] = {
        "desktop": {"viewport": {"width": 1440, "height": 900}},
        "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True},
    }
    target = Path(__file__).parent / "screenshots"
    target.mkdir(exist_ok=True)
    for name, options in sizes.items():
        page = visit(**options)
        expect(page.locator("#suggestions button")).to_have_count(4)
        ask(page, "Who appointed Mr. Khalilzad?")
        page.wait_for_selector(".follow button")
        settle(page)
        session = page.context.new_cdp_session(page)
        shot = session.send("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": False})
        (target / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
        assert (target / f"{name}.png").stat().st_size < 300_000
