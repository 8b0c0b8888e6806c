from __future__ import annotations

import pytest

from article_qa.answering.question import AnswerType, analyse, fits, questions_of


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Who steers the ferry?", "person"),
        ("To whom was the letter sent?", "person"),
        ("When does it leave?", "time"),
        ("In what year did it sink?", "time"),
        ("How many people were aboard?", "number"),
        ("how old is okafor", "number"),
        ("Where is the pier?", "place"),
        ("Why was it late?", "reason"),
        ("How do you get there?", "manner"),
        ("What did Okafor say about the storm?", "speech"),
        ("What is a gunwale?", "thing"),
        ("¿Quién es el capitán?", "thing"),
        ("", "thing"),
    ],
)
def test_what_is_asked_for(question: str, kind: AnswerType) -> None:
    assert analyse(question).type == kind


@pytest.mark.parametrize(
    ("question", "yes_no"),
    [
        ("Is the ferry late?", True),
        ("So did Okafor resign?", True),
        ("Is it red or blue?", False),
        ("Who is late?", False),
        ("Isn't it closed?", True),
    ],
)
def test_yes_or_no(question: str, yes_no: bool) -> None:
    assert analyse(question).yes_no is yes_no


def test_names_and_numbers_are_those_of_the_question() -> None:
    asked = analyse("What did Ms. Okafor pay in 2,019 for the Blue Heron?")
    assert set(asked.names) == {"ms", "okafor", "blue", "heron"}
    assert asked.numbers == ("2019",)
    assert analyse("khalilzad age?").names == ()


def test_a_list_may_be_wanted() -> None:
    assert analyse("Which countries sent ships?").plural
    assert analyse("Who are the founders?").plural
    assert not analyse("Who is the founder?").plural


def test_an_answer_fits_its_question_word() -> None:
    assert fits("time", "last September") == 1 and fits("time", "the mayor") == 0
    assert fits("number", "about forty") == 1 and fits("number", "the mayor") == 0
    assert fits("person", "Ada Okafor") == 1 and fits("person", "the tide") == 0
    assert fits("thing", "anything") == 0.5


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        ("Who wrote this and when?", ("Who wrote this?", "When?")),
        ("Who wrote this? When was it published?", ("Who wrote this?", "When was it published?")),
        ("When and where was he born?", ("When was he born?", "Where was he born?")),
        ("Who is Okafor, and who hired her?", ("Who is Okafor?", "Who hired her?")),
        ("Did it sink? Why?", ("Did it sink?", "Why?")),
    ],
)
def test_questions_asked_at_once_are_told_apart(text: str, questions: tuple[str, ...]) -> None:
    assert questions_of(text) == questions


@pytest.mark.parametrize(
    "text",
    [
        "What did she say about who won and who lost?",
        "Who decides who pays and who is paid?",
        "What did salt and rust do to the hull?",
        "Tell me who won and who lost",
        "Who or what caused it?",
        "Who? What? When? Where? Why?",
        "  ",
    ],
)
def test_one_question_stays_whole(text: str) -> None:
    assert questions_of(text) == (text,)


def test_first_names_are_not_expected_again() -> None:
    question = analyse("Did Ada Lund meet the New York mayor in June?")
    assert question.first_names == {"ada", "new"}
    assert question.without_first_names(question.names) == ("lund", "york", "june")
