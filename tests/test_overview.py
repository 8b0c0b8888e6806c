from __future__ import annotations

from pathlib import Path

import pytest

from article_qa.answering.citations import verify
from article_qa.answering.overview import (
    MAX_ARTICLES,
    MISSING,
    WHOLE_KINDS,
    OverviewKind,
    central_sentences,
    form_evidence,
    overview_draft,
    overview_kind,
    sentence_count,
)
from article_qa.reading.article import parse_article, read_article
from article_qa.types import Answer, Article, Draft, Statement

ROOT = Path(__file__).parent.parent
ARTICLES = Path(__file__).parent / "data" / "articles"
SEED = ROOT / "seeds" / "000_85ebba8beb37503f.txt"


@pytest.fixture(scope="module")
def seed() -> Article:
    return read_article(SEED)


def answer(kind: OverviewKind, *articles: Article) -> Answer:
    by_id = {a.id: a for a in articles}
    if kind in WHOLE_KINDS:
        return verify(overview_draft(kind, articles), "?", (), by_id)
    statements = tuple(Statement((e,)) for a in articles for e in form_evidence(kind, a))
    return verify(Draft(statements, separator="; "), "?", (), by_id)


# -- Recognising -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "questions"),
    [
        (
            "about",
            "What is this about?|what's this article about|What does the article say?|"
            "What is the main idea of this text?|What's the main argument of the article?|"
            "So what is it all about?|Can you tell me what this story is about?|"
            "What is the topic?|What is this piece trying to say?|Tell me about this article|"
            "What is the article's main point?",
        ),
        (
            "summary",
            "Summarise this|summarize the article please|tl;dr|TL;DR?|tldr|Give me a short summary|"
            "Could you please sum up this story for me?|Summary|What's the gist of it?|"
            "Summarise the article in two sentences.|Please write a summary of the text",
        ),
        (
            "key_points",
            "key points|What are the key points?|List the main takeaways of this article|"
            "What are the three most important points?|Give me the main points of the text, please|"
            "What should I remember from this article?",
        ),
        (
            "mentions",
            "Who is mentioned?|Who is mentioned in the article?|Which people are mentioned?|"
            "List all the people named in this text|Who does the article mention?",
        ),
        (
            "headline",
            "What is the headline?|title?|What's the title of this article?|"
            "What is the article called?",
        ),
        ("standfirst", "What is the subheading?|What does the subtitle say?"),
        (
            "author",
            "Who wrote this?|who wrote this article|Who is the author?|author?|"
            "Who is this article by?|By whom was it written?|What is the author's name?",
        ),
        (
            "date",
            "When was this published?|When was the article published?|The publication date?|"
            "On what date was it published?|How old is this article?",
        ),
        ("updated", "When was this last updated?|When was it updated?|What was the last update?"),
        ("place", "What is the dateline?|Where was this article filed?"),
        (
            "credit",
            "Who took the photo?|Who took the pictures in this article?|photo credit?|"
            "Who is the photographer?|Whose picture is this?",
        ),
        (
            "captions",
            "What does the photo show?|What do the photographs show?|What is in the picture?|"
            "Describe the photo.|What does the caption say?|photo caption|What is the picture of?",
        ),
    ],
)
def test_overview_questions_are_recognised(kind: str, questions: str) -> None:
    for question in questions.split("|"):
        assert overview_kind(question) == kind, question


@pytest.mark.parametrize(
    "question",
    [
        "",
        "???",
        "What is the talks' main sticking point?",
        "Who wrote the report on Kabul?",
        "Who wrote the report?",
        "When was the company founded?",
        "When was the report published?",
        "What is the report about?",
        "When was the law last updated?",
        "What is Khalilzad's title?",
        "What is the title of his memoir?",
        "Who is mentioned as a successor?",
        "What are the main demands of the Taliban?",
        "What is the main reason for the closure?",
        "What did the article say about Doha?",
        "What is the article's view of the talks?",
        "Who is the author of the memoir?",
        "What are the key points of the deal?",
        "Summarise the Taliban's demands.",
        "Who said it?",
        "What is it?",
        "Where was the deal signed?",
        "Who wrote this article and when was it published?",
        "What is this article about? Who wrote it?",
        "Who else is the author quoting?",
        "What is the subject of the dispute?",
        "Who edited the article?",
        "Who took the photo of the bridge?",
        "Who took the picture to the museum?",
        "What is the picture on the stamp?",
        "What does the photo of the bridge show?",
        "What is the talks' main point?",
    ],
)
def test_ordinary_questions_are_left_alone(question: str) -> None:
    assert overview_kind(question) is None


def test_clauses_that_ask_for_the_same_are_one_question() -> None:
    assert overview_kind("The dateline - from which city was the story filed?") == "place"


@pytest.mark.parametrize(
    ("question", "count"),
    [
        ("Summarise this in two sentences", 2),
        ("Summarise this in one sentence.", 1),
        ("What are the three main points?", 3),
        ("Summarise this in 4 bullet points", 4),
        ("Summarise this", None),
        ("What did two men say?", None),
    ],
)
def test_number_of_sentences_asked_for(question: str, count: int | None) -> None:
    assert sentence_count(question) == count


# -- Headline, author, dates -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "plain", "quote"),
    [
        ("author", "Michael Crowley", "By Michael Crowley"),
        ("date", "Aug. 5, 2021", "Published Aug. 5, 2021 Updated Aug. 10, 2021"),
        ("updated", "Aug. 10, 2021", "Published Aug. 5, 2021 Updated Aug. 10, 2021"),
    ],
)
def test_metadata_of_the_seed_article(
    seed: Article, kind: OverviewKind, plain: str, quote: str
) -> None:
    given = answer(kind, seed)
    assert (given.plain, given.citations[0].quote) == (plain, quote)


def test_headline_and_dateline_of_the_seed_article(seed: Article) -> None:
    assert answer("headline", seed).plain == seed.title
    assert answer("place", seed).plain == "WASHINGTON"
    assert answer("standfirst", seed).plain.startswith("Taliban leaders and Afghan government")


@pytest.mark.parametrize(
    ("name", "kind", "plain"),
    [
        ("science_feature.txt", "author", "Adaeze Nwosu"),
        ("science_feature.txt", "updated", "2023-02-17"),
        ("wire.txt", "author", "Dora Lekka"),
        ("wire.txt", "place", "ATHENS"),
        ("press_release.md", "date", "March 4, 2024"),
        ("press_release.md", "place", "OSTRAVA"),
        ("press_release.md", "headline", "Brightwater Foods to Close Its Ostrava Bottling Plant"),
    ],
)
def test_metadata_of_other_articles(name: str, kind: OverviewKind, plain: str) -> None:
    assert answer(kind, read_article(ARTICLES / name)).plain == plain


@pytest.mark.parametrize(
    ("byline", "author"),
    [
        ("By Jane Roe and Ali bin Said", "Jane Roe and Ali bin Said"),
        ("By Jane Roe, Max Born and Li Wei", "Jane Roe, Max Born and Li Wei"),
        ("By Jane Roe, Science Editor", "Jane Roe"),
        ("By Jane Roe | 3 May 2021", "Jane Roe"),
        ("Posted by J. R. Roe Jr. on May 3, 2021", "J. R. Roe Jr."),
        ("BY JANE ROE", "JANE ROE"),
        ("Author: Zoë Çelik", "Zoë Çelik"),
    ],
)
def test_author_is_the_names_alone(byline: str, author: str) -> None:
    article = parse_article(f"The Well\n\n{byline}\n\nThe well was dug in 1820.", id="x")
    assert answer("author", article).plain == author


def test_photographers_are_those_of_the_credits(seed: Article) -> None:
    assert answer("credit", seed).plain == "Sajjad Hussain/Agence France-Presse — Getty Images"
    text = """Floods in Norvik

The river rose by two metres on Monday. Nobody was hurt, the mayor said.

A boat in the main street. (Photo: Jane Doe)

The mayor stands beside the flooded school and looks at a long map of the river, photograph by \
Ann Lee for The Norvik Times
"""
    found = answer("credit", parse_article(text, id="floods"))
    assert found.plain == "Photo: Jane Doe; photograph by Ann Lee for The Norvik Times"


def test_captions_are_cited_without_their_credits(seed: Article) -> None:
    shown = answer("captions", seed)
    assert shown.plain == (
        "The Taliban have demanded that President Ashraf Ghani step down as part of a transition "
        "to a new government."
    )
    none = answer("captions", parse_article("The Well\n\nThe well was dug in 1820.", id="x"))
    assert none.refused


def test_what_is_not_there_is_refused_with_the_reason() -> None:
    article = parse_article("The Well at Elm Farm\n\nThe well was dug in 1820 by men.", id="x")
    for kind, said in (("author", "author"), ("date", "publication"), ("updated", "update")):
        assert form_evidence(kind, article) == []  # type: ignore[arg-type]
        assert said in MISSING[kind]  # type: ignore[index]


# -- Overviews -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [SEED, *sorted(ARTICLES.iterdir())], ids=lambda path: path.stem)
def test_overviews_are_whole_sentences_in_reading_order(path: Path) -> None:
    article = read_article(path)
    for kind, count in (("about", 2), ("summary", 3), ("key_points", 5)):
        given = answer(kind, article)  # type: ignore[arg-type]
        assert not given.refused
        assert 1 <= len(given.citations) <= count
        starts = [citation.start for citation in given.citations]
        assert starts == sorted(set(starts))
        sentences = {(s.start, s.end) for s in article.sentences}
        assert all((c.start, c.end) in sentences for c in given.citations)


def test_summary_of_the_seed_says_what_it_is_about(seed: Article) -> None:
    quotes = " ".join(c.quote for c in answer("about", seed).citations)
    assert "prospects for a negotiated outcome appear to be fading fast" in quotes
    assert "Sign up" not in " ".join(c.quote for c in answer("key_points", seed).citations)


def test_central_sentence_beats_an_aside() -> None:
    text = (
        "The old bridge over the Tamar is falling down.\n\n"
        "Engineers say that the bridge over the Tamar needs a new deck.\n\n"
        "A cat was asleep on the engineer's jacket at noon.\n\n"
        "The county will close the bridge and give the Tamar a new deck by May."
    )
    article = parse_article(text, id="x")
    quotes = [article.text[s.start : s.end] for s in central_sentences(article, 3)]
    assert len(quotes) == 3
    assert not any("cat" in quote for quote in quotes)


def test_definition_of_the_title_comes_first() -> None:
    text = """Saxophone

The saxophone (also called the sax) is a family of woodwind instruments. Most are made of brass.

The saxophone first gained popularity in the military band. Military bands in France and Belgium \
have a quartet of saxophones at least. Military bands everywhere have a saxophone today.
"""
    sax = parse_article(text, id="sax")
    first = central_sentences(sax, 1)[0]
    assert sax.text[first.start : first.end].endswith("is a family of woodwind instruments.")


def test_repeated_sentence_is_shown_once() -> None:
    text = "\n\n".join(["The ferry to Corfu ran aground on Thursday morning."] * 4)
    assert len(central_sentences(parse_article(text, id="x"), 3)) == 1


def test_article_of_one_word_has_an_overview() -> None:
    assert answer("summary", parse_article("Hello", id="x")).plain == "Hello"


def test_long_text_is_summarised_in_reasonable_time() -> None:
    text = "\n\n".join(
        f"Paragraph {i} says that the harbour of town {i % 97} was dredged in {1700 + i % 300}."
        for i in range(20_000)
    )
    assert len(central_sentences(parse_article(text, id="x"), 5)) == 5


def test_several_articles_share_an_overview(seed: Article) -> None:
    wire = read_article(ARTICLES / "wire.txt")
    given = answer("about", seed, wire)
    assert [citation.article_id for citation in given.citations] == [seed.id, "wire"]
    assert answer("author", seed, wire).plain == "Michael Crowley; Dora Lekka"
    many = [parse_article(f"Town {i} has a new well.", id=str(i)) for i in range(MAX_ARTICLES + 2)]
    assert answer("about", *many).notice == "2 more articles are not shown."


# -- People ----------------------------------------------------------------------------------------


def test_people_of_the_seed_article(seed: Article) -> None:
    given = answer("mentions", seed)
    assert given.plain.split(", ") == [
        "President Biden",
        "Zalmay Khalilzad",
        "Antony J. Blinken",
        "Abdullah Abdullah",
        "Ned Price",
        "Mawlawi Haibatullah Akhundzada",
        "Ashraf Ghani",
        "Vanda Felbab-Brown",
        "Donald J. Trump",
        "George W. Bush",
        "Andrew Watkins",
    ]
    assert all(seed.text[f.start : f.end] in c.quote for c in given.citations for f in c.focus)


@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("press_release.md", ["Marta Kovář", "Petr Kovář"]),
        ("science_feature.txt", ["Lars Ekdahl", "Wen Li", "J. M. Okello"]),
        ("blog.html", ["Anneke Vos"]),
        ("wire.txt", ["Eleni Makri", "Nikos Vasilakis"]),
    ],
)
def test_people_of_other_articles(name: str, people: list[str]) -> None:
    assert answer("mentions", read_article(ARTICLES / name)).plain.split(", ") == people
