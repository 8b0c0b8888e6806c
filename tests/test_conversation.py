"""Follow-ups are understood in their context; what stands alone is left as it is."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from article_qa.answering.citations import NOT_IN_ARTICLE
from article_qa.conversation.followup import standalone
from article_qa.conversation.history import Conversation
from article_qa.errors import HistoryError
from article_qa.types import Answer, Article, Block, Citation, Event, Span, Turn, Usage

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "conversations.jsonl").read_text().splitlines()
]


def make_turn(
    question: str, answer: str | None, quote: str | None = None, understood: str | None = None
) -> Turn:
    """A turn as the history holds it; ``answer`` None for a refusal."""
    citations = (Citation(1, "a", 0, len(quote), quote),) if answer and quote else ()
    return Turn(
        question,
        Answer(
            question=question,
            text=f"{answer} [1]" if answer else NOT_IN_ARTICLE,
            plain=answer or NOT_IN_ARTICLE,
            status="refused" if answer is None else "answered",
            reason=None if answer else "The article does not say.",
            confidence=0.9,
            citations=citations,
            hits=(),
            understood_as=understood,
        ),
    )


def history_of(row: dict) -> list[Turn]:
    return [make_turn(*turn) for turn in row["history"]]


def follow_up_is_right(row: dict) -> bool:
    """All expected words are in the standalone question, and no word that points back is left."""
    got = standalone(row["question"], history_of(row)).lower()
    return all(word.lower() in got for word in row["must"]) and not any(
        word.lower() in got for word in row["not"]
    )


# The rules were made on the even lines. On the odd ones, seen only when they were finished, they
# had 29 of 32 follow-ups right, and 30 after what the even lines taught.
def test_most_follow_ups_are_understood() -> None:
    rows = [row for row in ROWS if row["kind"] == "follow"]
    assert len(rows) >= 60
    wrong = [row["question"] for row in rows if not follow_up_is_right(row)]
    assert len(wrong) <= 0.05 * len(rows), wrong


def test_questions_that_stand_alone_are_left_byte_for_byte() -> None:
    rows = [row for row in ROWS if row["kind"] == "alone"]
    assert len(rows) >= 60
    asked = [(row["question"], standalone(row["question"], history_of(row))) for row in rows]
    damaged = [(before, after) for before, after in asked if before != after]
    assert damaged == []


# -- Chains as people type them: lower case, fragments, no question marks ------------------------
TYPED = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "typed_conversations.jsonl")
    .read_text("utf-8")
    .splitlines()
]


def typed_outcome(row: dict) -> str:
    """Say whether a question is understood right, left as it was, or rewritten wrongly.

    Right is one of the questions of ``accept``; or every part of ``must`` and none of ``not``.
    """
    got = standalone(row["question"], history_of(row))
    if row.get("alone"):
        return "right" if got == row["question"] else "wrong"
    plain = re.sub(r"^(?:(?:and|but|ok|so|also) )+", "", got.lower().replace("’", "'").strip(" ?."))
    if "accept" in row:
        right = plain in row["accept"]
    else:
        right = all(part in plain for part in row["must"])
        right = right and not any(part in f" {plain} " for part in row["not"])
    return "right" if right else "left" if got == row["question"] else "wrong"


# The rules were mended on the dev half only, from 22 of 36 follow-ups right and 8 rewritten
# wrongly. On the held-out half, whose answers were counted but never looked at, they went from
# 24 and 6 to 30 and 4.
@pytest.mark.parametrize(("split", "right", "wrong"), [("dev", 35, 1), ("held", 30, 4)])
def test_typed_follow_ups_are_understood(split: str, right: int, wrong: int) -> None:
    rows = [row for row in TYPED if row["split"] == split and not row.get("alone")]
    assert len(rows) == 36
    outcomes = Counter(typed_outcome(row) for row in rows)
    assert outcomes["right"] >= right
    assert outcomes["wrong"] <= wrong


def test_typed_questions_that_stand_alone_are_left_byte_for_byte() -> None:
    rows = [row for row in TYPED if row.get("alone")]
    assert len(rows) >= 16
    assert {row["question"]: typed_outcome(row) for row in rows} == {
        row["question"]: "right" for row in rows
    }


ENVOY = make_turn(
    "Who is Norland's envoy to Sund?",
    "Marta Lind",
    "Norland's envoy to Sund, Marta Lind, flew home on Tuesday.",
)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who appointed her?", "Who appointed Marta Lind?"),
        ("What is her job?", "What is Marta Lind's job?"),
        ("And her deputy?", "Who is Marta Lind's deputy?"),
        ("And to Iceland?", "Who is Norland's envoy to Iceland?"),
        ("Is that true?", "Is it true that Marta Lind is Norland's envoy to Sund?"),
        ("Tell me more.", "What else does the article say about Marta Lind?"),
    ],
)
def test_follow_up_reads_naturally(question: str, expected: str) -> None:
    assert standalone(question, [ENVOY]) == expected


@pytest.mark.parametrize(
    ("description", "question", "expected"),
    [
        ("Norland's envoy to Sund", "How old is she?", "How old is Marta Lind?"),
        ("President Holm's envoy", "Who appointed her?", "Who appointed Marta Lind?"),
        ("Captain", "And who was her father?", "And who was Marta Lind's father?"),
    ],
)
def test_who_was_asked_about_stays_the_topic(
    description: str, question: str, expected: str
) -> None:
    quote = f"{description}, Marta Lind, flew home on Tuesday."
    assert standalone(question, [make_turn("Who is Marta Lind?", description, quote)]) == expected


def test_who_was_asked_about_in_lower_case_stays_the_topic() -> None:
    quote = "Marta Lind-Holm, the head of the Sund Fisheries Board, flew home on Tuesday."
    history = [make_turn("who is marta lind holm", "the head of the Sund Fisheries Board", quote)]
    assert standalone("where does she work", history) == "where does Marta Lind-Holm work"


def test_a_name_typed_in_lower_case_is_written_as_the_article_writes_it() -> None:
    turn = make_turn("how many votes did marsh get", "11,204", "In all Ms. Marsh got 11,204.")
    assert standalone("when was she elected", [turn]) == "when was Marsh elected"


def test_what_the_article_said_is_not_rewritten() -> None:
    quote = "They must stop it, said Bo Lund, the mayor of Sund."
    history = [make_turn("What did Bo Lund say?", "They must stop it", quote)]
    assert standalone("Is that true?", history) == (
        "Is it true that they must stop it, said Bo Lund, the mayor of Sund?"
    )
    assert standalone("Who said that?", history) == "Who said “They must stop it”?"


def test_what_is_joined_by_and_is_replaced_together() -> None:
    history = [make_turn("What do Russia and Iran want?", "a say")]
    assert standalone("What about China?", history) == "What does China want?"


def test_a_place_is_no_person() -> None:
    quote = "Mr. Holm slept on a bench in Sund."
    history = [make_turn("Where did Holm sleep?", "on a bench in Sund", quote)]
    assert standalone("What did he wear?", history) == "What did Holm wear?"


def test_it_is_the_article_after_a_question_about_the_article() -> None:
    history = [make_turn("Who wrote this?", "Ana Ferro", "By Ana Ferro")]
    for question in ("When was it published?", "What is it about?"):
        assert standalone(question, history) == question


def test_a_place_does_not_take_the_part_of_people() -> None:
    history = [make_turn("How many volunteers were recruited in Lagos?", "180")]
    expected = "How many volunteers were recruited in Bologna?"
    assert standalone("What about Bologna?", history) == expected


def test_a_refusal_is_not_taken_for_an_answer() -> None:
    refused = [make_turn("Who sank the ferry?", None)]
    for question in ("Why?", "When?", "Is that true?"):
        assert "article" not in standalone(question, refused)


CASES = [
    (("Why did the seeds vanish in the second attempt?", "crabs ate them"), "And the first?",
     "Why did the seeds vanish in the first attempt?"),
    (("How large was the meadow in September 2022?", "3.1 hectares"), "And in March 2023?",
     "How large was the meadow in March 2023?"),
    (("How large was the meadow in September 2022?", "3.1 hectares"), "And now?",
     "How large was the meadow now?"),
    (("Does the fair go ahead in rain?", "The fair goes ahead in rain."), "And in wind?",
     "Does the fair go ahead in wind?"),
    (("Does the fair go ahead in rain?", "The fair goes ahead in rain."), "What if it is windy?",
     "What if it is windy?"),
    (("How much did last year's fair cost?", "64,300 pounds"), "Who paid for it?",
     "Who paid for last year's fair?"),
    (("When will the Lantern Fair be held?", "in October"), "How do I get there?",
     "How do I get to the Lantern Fair?"),
    (("Who financed the plan?", "the Nordic Fund"), "Did they pay for it all?",
     "Did the Nordic Fund pay for the plan all?"),
]  # fmt: skip


@pytest.mark.parametrize(("turn", "question", "expected"), CASES, ids=lambda v: str(v)[:40])
def test_fragments_take_the_place_of_what_is_like_them(
    turn: tuple[str, str], question: str, expected: str
) -> None:
    assert standalone(question, [make_turn(*turn, f"{turn[1]}.")]) == expected


ASKED_ON = [
    (("did the council close a bridge", "yes", "The council closed two."), "which one",
     "Which bridge did the council close?"),
    (("did the firm pay a fine", "yes", "The firm paid 300 pounds."), "how much",
     "How much did the firm pay?"),
    (("how many countries did ms. reyes visit", "three", "Ms. Reyes visited three countries."),
     "which ones", "Which countries did ms. reyes visit?"),
    (("did the police arrest anyone", "yes", "The police arrested two men."), "who",
     "Who did the police arrest?"),
    (("when did the firm move", "in 2012", "The firm moved to Sund in 2012."), "where to",
     "where did the firm move in 2012 to?"),
    (("who is the mayor of sund", "Bo Lund", "Bo Lund is the mayor of Sund."), "since when",
     "Since when has Bo Lund been the mayor of sund?"),
    (("how long do you keep a closed account", "90 days", "A closed account is kept for 90 days."),
     "and after that?", "What happens after 90 days?"),
    (("what books did she write", "Salt First and Sour Waters", "Two books are hers."),
     "when did the second one come out", "when did Sour Waters come out?"),
    (("what happens to my uploads", "they are kept", "Uploads are kept."), "and the backups",
     "what happens to the backups?"),
    (("who was hurt", "a steward", "A steward was hurt."), "how come", "Why was a steward hurt?"),
]  # fmt: skip


@pytest.mark.parametrize(("turn", "question", "expected"), ASKED_ON, ids=lambda v: str(v)[:40])
def test_a_fragment_asks_on_in_a_whole_question(
    turn: tuple[str, str, str], question: str, expected: str
) -> None:
    assert standalone(question, [make_turn(*turn)]).lower() == expected.lower()


def test_a_fragment_that_fits_nothing_is_left_as_it_is() -> None:
    turn = make_turn("why was it late", "fog", "It was late because of fog.")
    for question in ("and the third one", "and Peru?", "which one"):
        assert standalone(question, [turn]) == question


def test_a_topic_survives_what_the_article_does_not_speak_of() -> None:
    strike = make_turn("how long did the strike last", "two weeks", "The strike lasted two weeks.")
    for refused in ("did the airline pay", "is the airline bankrupt"):
        history = [strike, make_turn(refused, None)]
        assert standalone("and when did it start", history) == "and when did the strike start"


def test_without_history_a_follow_up_is_left_alone() -> None:
    assert standalone("Who appointed him?", []) == "Who appointed him?"


def test_gender_is_respected() -> None:
    turn = make_turn("Did Mr. Holt meet Ms. Reyes?", "yes", "Mr. Holt met Ms. Reyes on Monday.")
    assert standalone("Where does he live?", [turn]) == "Where does Mr. Holt live?"
    assert standalone("Where does she live?", [turn]) == "Where does Ms. Reyes live?"


def test_a_pronoun_with_nothing_that_agrees_stays() -> None:
    turn = make_turn("When did the talks begin?", "in May", "The talks began in May.")
    assert standalone("What did he say?", [turn]) == "What did he say?"


def test_after_a_refusal_the_last_answered_turn_is_preferred() -> None:
    refused = make_turn("What is the capital of Peru?", None)
    assert standalone("Who appointed her?", [ENVOY, refused]) == "Who appointed Marta Lind?"


def test_what_an_older_turn_spoke_of_counts_for_less() -> None:
    history = [
        make_turn("Who wrote the report?", "Marta Lind", "Marta Lind wrote the report."),
        make_turn("When did Anna Reyes resign?", "in May", "Anna Reyes resigned in May."),
    ]
    assert standalone("Where was she born?", history) == "Where was Anna Reyes born?"
    assert standalone("Where was she born?", history[:1]) == "Where was Marta Lind born?"


def test_what_a_refused_turn_spoke_of_counts_for_less() -> None:
    quote = "The board chose Anna Reyes over Marta Lind."
    history = [
        make_turn("Did the board choose Anna Reyes?", "yes", quote),
        make_turn("Did Marta Lind resign?", None),
    ]
    assert standalone("Where was she born?", history) == "Where was Anna Reyes born?"


def test_a_person_spoken_of_by_pronoun_stays_the_topic() -> None:
    second = make_turn(
        "Who appointed her?",
        "Prime Minister Karl Berg",
        "Ms. Lind was appointed by Prime Minister Karl Berg.",
        "Who appointed Marta Lind?",
    )
    assert standalone("When did she resign?", [ENVOY, second]) == "When did Marta Lind resign?"


names = st.text(alphabet="abcdefgh ?!.,'’ABC0123é\n\"", max_size=60)


@given(names, names, names, names)
def test_any_text_gives_a_question(question: str, asked: str, answer: str, quote: str) -> None:
    got = standalone(question, [make_turn(asked, answer, quote)])
    assert isinstance(got, str)
    assert got == standalone(question, [make_turn(asked, answer, quote)])


# -- Conversation -----------------------------------------------------------------------------
def echo(question: str, /, *, history: Sequence[Turn]) -> Answer:
    """Answer every question with the number of turns before it."""
    return make_turn(question, str(len(history)), "Norland's envoy").answer


def echo_stream(question: str, /, *, history: Sequence[Turn]) -> Iterator[Event]:
    yield Event("text", text=str(len(history)))
    yield Event("answer", answer=echo(question, history=history))


def test_turns_are_remembered_and_bounded() -> None:
    chat = Conversation(echo, history_turns=3)
    assert [chat.ask(f"q{n}").plain for n in range(5)] == ["0", "1", "2", "3", "3"]
    assert [turn.question for turn in chat.turns] == ["q2", "q3", "q4"]
    chat.clear()
    assert chat.turns == ()


def test_a_history_of_no_turns_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        Conversation(echo, history_turns=0)


def test_streaming_remembers_the_finished_answer_only() -> None:
    chat = Conversation(echo, stream=echo_stream)
    events = chat.stream("q")
    assert next(events).text == "0"
    events.close()
    assert chat.turns == ()
    assert [event.kind for event in chat.stream("q")] == ["text", "answer"]
    assert [turn.question for turn in chat.turns] == ["q"]


def test_without_a_stream_the_answer_comes_at_once() -> None:
    chat = Conversation(echo)
    assert [event.kind for event in chat.stream("q")] == ["answer"]
    assert len(chat.turns) == 1


def test_a_conversation_is_saved_and_restored() -> None:
    chat = Conversation(echo, turns=[ENVOY], history_turns=4)
    chat.ask("Who appointed her?")
    saved = json.loads(json.dumps(chat.to_dict()))
    restored = Conversation.from_dict(saved, echo)
    assert restored.turns == chat.turns
    assert [restored.ask("q").plain for _ in range(3)] == ["2", "3", "4"]
    assert len(restored.turns) == 4


def test_a_restored_citation_must_stand_in_the_article() -> None:
    quote = ENVOY.answer.citations[0].quote
    block = Block("paragraph", Span(0, len(quote)), (Span(0, len(quote)),))
    article = Article("a", "t", quote, (block,))
    saved = Conversation(echo, turns=[ENVOY]).to_dict()
    assert Conversation.from_dict(saved, echo, articles=[article]).turns == (ENVOY,)
    with pytest.raises(HistoryError, match="held over others"):
        Conversation.from_dict(saved, echo, articles=[replace(article, text=quote.upper())])


def test_every_field_of_an_answer_survives_but_its_hits() -> None:
    answer = replace(
        ENVOY.answer,
        citations=(Citation(1, "a", 0, 9, "Norland's", (Span(0, 7),)),),
        nearest=(Citation(1, "a", 10, 15, "envoy"),),
        understood_as="Who?",
        notice="slow",
        usage=Usage(3, 4),
        engine="chat",
    )
    assert Answer.from_dict(answer.to_dict()) == answer
