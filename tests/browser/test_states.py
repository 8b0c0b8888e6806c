"""What the page shows for each outcome, and that it loses nothing, over an engine made for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from page_helpers import Server, add, ask, bring, in_view, marked, reload, settle
from playwright.sync_api import Page, expect

Visit = Callable[..., Page]

OWN = "The Mast\n\nThe mast broke at dusk. Nobody was hurt."
PHONE = {"viewport": {"width": 390, "height": 700}, "has_touch": True, "is_mobile": True}


@pytest.fixture
def address(server: Server) -> str:
    return server.running()


def test_an_unsure_answer_looks_unsure_and_takes_a_verdict(visit: Visit, server: Server) -> None:
    page = visit()
    turn = ask(page, "Who, perhaps?")
    expect(turn.locator(".perhaps")).to_contain_text("Perhaps")
    expect(turn.locator(".said")).not_to_contain_text("Perhaps")
    assert marked(page, 1)["text"] == "The bell was cast by Ada Brandt."
    settle(page)
    assert in_view(page, "mark")
    turn.get_by_role("button", name="Yes, this answers it").click()
    expect(turn.get_by_role("button", name="Yes, this answers it")).to_have_attribute(
        "aria-pressed", "true"
    )
    row = json.loads((server.folder / "feedback.jsonl").read_text("utf-8").splitlines()[-1])
    assert (row["question"], row["verdict"]) == ("Who, perhaps?", "up")


def test_a_refusal_offers_what_is_answered(visit: Visit) -> None:
    page = visit("?article=bell")
    turn = ask(page, "nothing")
    expect(turn).to_contain_text("The article does not say")
    expect(turn).to_contain_text("You can ask what it says")
    offered = turn.locator(".follow button")
    expect(offered.first).to_be_visible()
    assert offered.count() <= 3
    offered.first.click()
    expect(page.locator('.turn[data-turn="2"] .chip').first).to_be_visible()
    expect(page.locator('.turn[data-turn="2"] .asked')).to_be_focused()


def test_a_question_can_be_asked_as_it_was_typed(visit: Visit) -> None:
    page = visit()
    ask(page, "Who?")
    turn = ask(page, "Is it him?")
    expect(turn.locator(".understood")).to_contain_text("Who is Ada Brandt?")
    turn.get_by_role("button", name="Ask as typed").click()
    page.wait_for_selector('.turn[data-turn="3"][data-done]')
    expect(page.locator('.turn[data-turn="3"] .asked')).to_have_text("Is it him?")
    expect(page.locator('.turn[data-turn="3"] .understood')).to_have_count(0)


def test_a_reload_and_back_lose_nothing(visit: Visit) -> None:
    page = visit()
    ask(page, "Who?")
    ask(page, "both")
    page.locator(".chip").last.click()
    settle(page)
    page.locator("#question").fill("half a ques")
    place = page.evaluate("document.querySelector('#paper').scrollTop")
    assert place > 500
    for turn_away in (lambda: reload(page), lambda: (page.goto("about:blank"), page.go_back())):
        turn_away()
        page.wait_for_selector("#aq[data-state=ready]")
        expect(page.locator(".asked")).to_have_text(["Who?", "both"])
        expect(page.locator("#question")).to_have_value("half a ques")
        assert abs(page.evaluate("document.querySelector('#paper').scrollTop") - place) < 5
        assert marked(page, 2)["text"] == "It is heard for two miles."
    expect(ask(page, "Is it him?").locator(".understood")).to_have_count(1)  # it has its history


def test_a_link_asks_once(visit: Visit) -> None:
    page = visit("?q=Who%3F&article=ferry")
    expect(page.locator(".turn[data-done] .said")).to_contain_text("sails at dawn")
    reload(page)
    expect(page.locator(".turn")).to_have_count(1)
    page.goto(page.url.split("?")[0] + "?q=Who%3F&article=gone")
    expect(page.locator("#line")).to_contain_text("is not here")
    expect(page.locator("#question")).to_have_value("Who?")
    expect(page.locator(".turn")).to_have_count(0)


def test_a_conversation_can_be_left_resumed_and_forgotten(visit: Visit) -> None:
    page = visit()
    ask(page, "Who?")
    page.locator("#keep summary").click()
    page.get_by_role("button", name="New conversation").click()
    earlier = page.get_by_role("button", name="Go on with the last conversation")
    expect(earlier).to_contain_text("Who?")
    earlier.click()
    expect(page.locator(".asked")).to_have_text("Who?")
    page.wait_for_selector("#aq[data-state=ready]")
    page.locator("#keep summary").click()
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget all").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.wait_for_selector("#aq[data-state=ready]")
    assert "Who?" not in page.evaluate("JSON.stringify(localStorage)")


def test_an_own_article_comes_back_after_a_reload(visit: Visit) -> None:
    page = visit()
    bring(page, OWN)
    turn = ask(page, "What broke?")
    expect(turn.locator(".where")).to_have_text("The Mast")
    expect(turn.locator("[data-do=link]")).to_have_count(0)
    reload(page)
    assert page.evaluate("document.querySelector('#reader').textContent") == OWN
    page.locator(".chip").first.click()
    assert marked(page, 1)["text"] == "The mast broke at dusk."
    expect(ask(page, "And then?").locator(".said")).to_contain_text("The mast broke at dusk")


def test_an_own_article_too_large_to_keep_is_said_to_be_lost(visit: Visit) -> None:
    page = visit()
    page.evaluate("localStorage.setItem('article-qa-own:x:y', 'x'.repeat(2000000))")
    add(page, OWN)
    expect(page.locator("#own-line")).to_contain_text("too large for this browser to keep")
    reload(page)
    expect(page.locator("#line")).to_contain_text("“The Mast” cannot come back")


def test_a_server_that_is_gone_is_said_and_a_retry_works(visit: Visit, server: Server) -> None:
    page = visit()
    ask(page, "Who?")
    page.locator("#question").fill("hang")
    page.locator("#question").press("Enter")
    expect(page.locator(".turn .wait")).to_be_visible()
    server.kill()
    began = time.monotonic()
    retry = page.get_by_role("button", name="Retry")
    retry.wait_for(timeout=15_000)
    assert time.monotonic() - began < 10
    page.locator("#question").fill("Is it him?")
    page.locator("#question").press("Enter")
    expect(retry).to_have_count(2, timeout=15_000)
    server.start()
    retry.last.click()
    answered = page.locator('.turn[data-turn="3"][data-done]')
    expect(answered.locator(".understood")).to_have_count(1)  # the new server has the history


def test_a_reload_in_the_middle_of_a_question_asks_it_again(visit: Visit) -> None:
    page = visit()
    page.locator("#question").fill("Who?")
    page.evaluate(
        """() => {
          document.querySelector("#composer").requestSubmit();
          location.reload();
        }"""
    )
    page.wait_for_selector('.turn[data-turn="1"][data-done]')
    expect(page.locator(".asked")).to_have_text("Who?")


def test_a_restart_between_two_questions_is_not_noticed(visit: Visit, server: Server) -> None:
    page = visit()
    ask(page, "Who?")
    server.kill()
    server.start()
    expect(ask(page, "Is it him?").locator(".understood")).to_have_count(1)


def test_citations_are_stepped_through_by_keys(visit: Visit) -> None:
    page = visit()
    ask(page, "both")
    page.locator(".asked").focus()
    for key, words in (("n", "The bell was cast"), ("n", "It is heard"), ("p", "The bell was")):
        page.keyboard.press(key)
        expect(page.locator("mark.here:focus")).to_contain_text(words)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('.chip[data-n=\"1\"]')")
    page.locator("#question").press("n")
    expect(page.locator("#question")).to_have_value("n")


def test_the_article_of_each_turn_is_named_and_follow_ups_go_with_it(visit: Visit) -> None:
    page = visit("?article=bell")
    turn = ask(page, "Who?")
    expect(turn.locator(".where")).to_have_text("The Bell")
    expect(turn.locator(".follow button").first).to_be_visible()
    page.locator("#scope").select_option("ferry")
    expect(page.locator("#reader")).to_contain_text("The ferry sails")
    expect(page.locator(".follow").get_by_text("The Ferry")).to_be_visible()
    expect(page.locator("#reader mark")).to_have_count(0)
    expect(ask(page, "When?").locator(".where")).to_have_text("The Ferry")


def test_contents_lead_to_a_heading(visit: Visit) -> None:
    page = visit("?article=bell")
    page.locator("#contents summary").click()
    page.get_by_role("button", name="Its sound").click()
    expect(page.locator("#reader .heading", has_text="Its sound")).to_be_focused()
    page.locator("#scope").select_option("ferry")
    expect(page.locator("#contents")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 390, 430])
def test_a_phone_shows_chat_or_article_and_targets_are_large(visit: Visit, width: int) -> None:
    page = visit("?article=bell", **PHONE | {"viewport": {"width": width, "height": 700}})
    turn = ask(page, "perhaps both")
    small = page.evaluate(
        """[...document.querySelectorAll("#aq button, #aq select, #aq summary")]
          .filter((node) => node.offsetParent && !node.matches(".chip, .skip"))
          .map((node) => [node.outerHTML.slice(0, 80), node.getBoundingClientRect()])
          .filter(([, box]) => box.height < 44).map(([html]) => html)"""
    )
    assert not small
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    turn.locator(".chip").first.tap()
    expect(page.locator("#talk")).to_be_hidden()
    settle(page)
    assert in_view(page, "mark")
    expect(page.locator("#tip")).to_be_hidden()
    page.get_by_role("button", name="Back to the answer").tap()
    expect(page.locator("#paper")).to_be_hidden()
    expect(turn.locator(".said")).to_be_in_viewport()
    for name, dialog in (
        ("Articles", "sources"),
        ("Past conversations", "talks"),
        ("Keys", "help"),
    ):
        if dialog != "sources":
            page.locator("#keep summary").tap()
        page.get_by_role("button", name=name).first.tap()
        box = page.locator(f"#{dialog}").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= width
        page.keyboard.press("Escape")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious_in_any_outcome(visit: Visit, scheme: str, width: int) -> None:
    page = visit(color_scheme=scheme, viewport={"width": width, "height": 844})
    page.emulate_media(reduced_motion="reduce")
    for question in ("perhaps", "both", "nothing", "is it him"):
        ask(page, question)
    page.locator(".chip").first.click()
    found = []

    def check(state: str) -> None:
        for violation in Axe().run(page).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                found.append((state, violation["id"], violation["nodes"][0]["html"][:200]))

    check("answers")
    page.evaluate("document.querySelector('#glance').open = true")
    page.evaluate("document.querySelector('[data-view=talk]').click()")
    check("glance")
    for dialog, button in (("#sources", "sources"), ("#talks", "talks"), ("#help", "help")):
        page.evaluate(f"document.querySelector('[data-do={button}]').click()")
        expect(page.locator(dialog)).to_be_visible()
        check(dialog)
        page.keyboard.press("Escape")
    assert not found


def test_a_mark_leads_back_to_its_answer(visit: Visit) -> None:
    page = visit("?article=bell")
    ask(page, "both")
    ask(page, "Who?")
    page.locator('.turn[data-turn="1"] .chip').last.click()
    page.locator('mark[role=link][data-n="1"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator('.turn[data-turn="1"] .chip[data-n="1"]')).to_be_focused()
    page.locator('mark[data-n="2"]').click()
    expect(page.locator('.turn[data-turn="1"] .chip[data-n="2"]')).to_be_focused()
    tick = page.locator(".tick")
    expect(tick).to_have_count(1)  # both begin on one line
    assert page.evaluate("parseFloat(document.querySelector('.tick').style.top)") > 90
    page.evaluate("document.querySelector('#paper').scrollTop = 0")
    tick.click()
    settle(page)
    assert in_view(page, "mark.here")


def test_the_reading_position_is_told(visit: Visit) -> None:
    page = visit("?article=bell")
    page.locator("#contents summary").click()
    page.get_by_role("button", name="Its sound").click()
    expect(page.locator("#here")).to_have_text("Its sound")
    settle(page)
    assert page.evaluate("parseFloat(document.querySelector('#read').style.scale)") > 0.9


def test_a_name_at_a_glance_leads_into_the_text_and_back(visit: Visit) -> None:
    page = visit("?article=bell")
    name = page.locator("#glance").get_by_role("button", name="Ada Brandt", exact=True)
    name.click()
    expect(page.locator("mark.here:focus")).to_have_text("Ada Brandt")
    page.keyboard.press("Escape")
    expect(name).to_be_focused()
    expect(page.locator("#glance .dates button")).to_contain_text(["day 1", "day 2"])
    page.locator("#scope").select_option("ferry")
    expect(page.locator("#reader")).to_contain_text("The ferry sails")
    expect(page.locator("#glance")).to_be_hidden()  # there is nothing to show


def test_past_conversations_are_named_opened_and_deleted(visit: Visit) -> None:
    page = visit()
    ask(page, "Who?")
    page.locator("#keep summary").click()
    page.get_by_role("button", name="New conversation").first.click()
    page.wait_for_selector("#aq[data-state=ready]")
    ask(page, "both")
    page.locator("#keep summary").click()
    page.get_by_role("button", name="Past conversations").click()
    expect(page.locator(".talk-name")).to_have_text(["both", "Who?"])
    page.once("dialog", lambda dialog: dialog.accept("The founder"))
    page.get_by_role("button", name="Rename: Who?").click()
    page.get_by_role("button", name="The founder", exact=True).click()
    expect(page.locator(".asked")).to_have_text("Who?")
    page.wait_for_selector("#aq[data-state=ready]")
    page.locator("#keep summary").click()
    page.get_by_role("button", name="Past conversations").click()
    page.get_by_role("button", name="Delete: both").click()
    expect(page.locator(".talk-name")).to_have_text(["The founder"])
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete all").click()
    page.wait_for_selector("#aq[data-state=ready]")
    expect(page.locator(".turn")).to_have_count(0)
    assert "Who?" not in page.evaluate("JSON.stringify(localStorage)")


def test_a_question_is_edited_asked_again_and_removed(visit: Visit) -> None:
    page = visit()
    turn = ask(page, "Who?")
    turn.get_by_role("button", name="Edit").click()
    expect(page.locator("#question")).to_have_value("Who?")
    expect(page.locator("#question")).to_be_focused()
    ask(page, "both")
    turn.get_by_role("button", name="Remove this question").click()
    expect(page.locator(".asked")).to_have_text(["both"])
    expect(page.locator(".asked")).to_be_focused()
    reload(page)
    expect(page.locator(".asked")).to_have_text(["both"])


def test_the_page_speaks_german_to_who_reads_it(visit: Visit) -> None:
    page = visit("?article=bell", locale="de-DE")
    expect(page.locator("#aq")).to_have_attribute("lang", "de")
    expect(page.locator("#reader")).to_have_attribute("lang", "en")
    expect(page.get_by_role("button", name="Artikel", exact=True).first).to_be_visible()
    turn = ask(page, "Who, perhaps?")
    expect(turn.locator(".perhaps")).to_contain_text("Vielleicht")
    expect(turn.get_by_role("button", name="Ja, das ist die Antwort")).to_be_visible()


def test_keys_are_listed(visit: Visit) -> None:
    page = visit()
    page.locator("#talk").focus()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_contain_text("next and previous citation")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#question")).to_be_focused()
    expect(page.locator("#question")).to_have_value("")


def test_a_conversation_is_saved_without_the_server(visit: Visit, server: Server) -> None:
    page = visit()
    ask(page, "Who?")
    server.kill()
    page.locator("#keep summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as Markdown").click()
    text = download.value.path().read_text("utf-8")
    assert "## Who?" in text
    assert "> [1] The bell was cast by Ada Brandt." in text
