"""Questions about the article as a whole: what it is about, who wrote it, when, who is in it.

No passage answers them, so retrieval is not asked. ``overview_kind`` recognises them by their whole
form ('who wrote this article', not 'who wrote the report on Kabul'); ``overview_draft`` answers:

- about, summary, key points: the article's own central sentences, in reading order, chosen by
  biased LexRank (G. Erkan and D. Radev, *LexRank: graph-based lexical centrality as salience in
  text summarization*, JAIR 22, 2004; the bias: J. Otterbacher, G. Erkan and D. Radev, *Biased
  LexRank*, Information Processing & Management 45, 2009), biased towards the headline's words and
  the beginning, where news says what matters, and spread by maximal marginal relevance (J.
  Carbonell and J. Goldstein, *The use of MMR*, SIGIR 1998);
- headline, standfirst, author, dates, dateline, photo credit, captions: the block that says it, its
  own words marked;
- people mentioned: each name with its fullest mention, found by rule (see ``_people``).

The rules are for English.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from article_qa.reading.article import CREDITS
from article_qa.retrieval.lexical import tokens
from article_qa.types import PROSE, Article, Block, BlockKind, Draft, Evidence, Span, Statement

OverviewKind = Literal[
    "about", "summary", "key_points", "mentions",
    "headline", "standfirst", "author", "date", "updated", "place", "credit", "captions",
]  # fmt: skip
WholeKind = Literal["about", "summary", "key_points", "mentions"]
WHOLE_KINDS: tuple[WholeKind, ...] = get_args(WholeKind)
"""Requests about an article as a whole; the other kinds ask for one place of it."""

SENTENCES = {"about": 2, "summary": 3, "key_points": 5}
"""How many sentences an overview has, where the question does not say."""

MAX_SENTENCES = 400
"""Of a longer text only so many sentences, evenly spread first sentences of paragraphs, are
compared with one another: the comparison grows with the square."""

MAX_ARTICLES = 6
"""Of more articles than this, an overview shows the first ones and says so."""

DAMPING = 0.5
"""Weight of the similarities against the bias in LexRank. The paper's 0.85 is for many documents
together; of one news article the first sentences are a summary that is hard to beat (A. Nenkova,
*Automatic text summarization of newswire*, AAAI 2005), so the beginning has half the say."""

NOVELTY = 0.3
"""Weight of novelty against centrality in maximal marginal relevance (its 1 - lambda)."""

CREDIT_WORDS = 12
"""A caption's last sentence of so many words at most is its photo credit."""

CONFIDENCE = 0.9
"""Of every overview: it is read off the article's form, not off a calibrated model, and what can go
wrong is a misread form."""


# -- Recognising the question ----------------------------------------------------------------------

_NOUN = (
    "article|text|story|piece|blog ?post|post|blog|essay|feature|column|write-?up|guide|passage|"
    "press release|release|news story|news article|news item|news|excerpt|interview|editorial"
)
_PAPER = f"(?:{_NOUN}|report|document|paper|page|file|letter|content|speech)"
"""What 'this ...' may be called; 'the report' is as a rule one that the article speaks of."""

_NAMED = (
    f"(?:(?:the|your) (?:(?:whole|entire|full|above|given|attached) )?(?:{_NOUN})s?"
    f"|(?:this|that)(?: (?:whole|entire|full|short|long))?(?: {_PAPER})?|(?:these|those) {_PAPER}s)"
)
_PICTURE = "(?:photo(?:graph)?|picture|image|illustration|drawing)s?"
_PLACEHOLDERS = {
    "NAMED": _NAMED,
    "THIS": f"(?:{_NAMED}|it)",  # 'it' is more often something in the article than the article
    "OF": f" (?:of|in|on|from|for|to|behind|about|made by|given in) (?:{_NAMED}|it)",
    "MAIN": "(?:(?:key|main|major|central|principal|core|biggest|most important|essential) )",
    "SUMMARY": (
        "(?:(?:short|brief|quick|concise) )*(?:summary|synopsis|overview|gist|recap|outline|tldr)"
    ),
    "AUTHOR": "(?:author|writer|journalist|reporter)",
    "PEOPLE": "(?:people|persons|names|individuals|characters|figures)",
    "SHOW": "(?:what is |who is |list |name |show )",
    "WHEN": "(?:when|(?:on )?what (?:date|day)|(?:in )?(?:what|which) year)",
    "MENTIONED": "(?:(?:that is |who is )?(?:mentioned|named|featured|discussed))",
    "SUBHEADING": "(?:sub-?head(?:ing|line)?|standfirst|subtitle|deck|dek|strapline)",
    "TOWN": "(?:which|what) (?:city|town|place)",
    "THEPICTURE": f"(?:all )?(?:the|this|that|these|those|its) (?:photo )?{_PICTURE}",
    "PICTURE": _PICTURE,
    "FILED": "(?:written|filed|reported)",
}
_FORMS: dict[OverviewKind, str] = {
    "about": """
        what is THIS (?:all |mainly |really |actually )?about
        what THIS is (?:all )?about
        what (?:does|do) NAMED (?:say|discuss|cover|describe|report|argue|tell(?: us| me)?)
        what (?:does|do) NAMED (?:talk about|deal with)
        what is NAMED (?:saying|trying to say|telling (?:us|me))
        (?:more |something )?about NAMED
        what is the MAIN?(?:overall |general )?(?:topic|subject|theme|thesis|subject matter)(?:OF)?
        (?:what is )?(?:the )?MAIN(?:idea|message|thesis|point|takeaway|topic|theme)(?:OF)?
        (?:what is )?(?:the )?MAIN?(?:idea|message|point|argument|claim|conclusion|news)OF
        what is NAMED's MAIN?(?:topic|subject|theme|thesis|idea|message|point|argument|claim)
        what (?:happens|happened) in NAMED
        """,
    "summary": """
        (?:summari[sz]e|sum up|recap|condense|outline|shorten|tldr)(?: THIS)?(?: up)?
        (?:what is )?(?:the |your )?SUMMARY(?:OF)?
        (?:(?:do|write|make|provide)(?: me)? )?(?:an? )?SUMMARY(?:OF)?
        """,
    "key_points": """
        SHOW?(?:me )?(?:all )?(?:the )?MAIN(?:points|takeaways|facts|ideas|messages)(?:OF)?
        SHOW?(?:me )?(?:all )?(?:the )?MAIN(?:highlights|topics|themes|things)(?:OF)?
        SHOW?(?:me )?(?:all )?(?:the )?MAIN?(?:points|findings|conclusions|claims|arguments|facts)OF
        (?:what is )?(?:the )?(?:takeaways|highlights|bullet points)(?:OF)?
        what (?:should|must|do) (?:i|we|you) (?:need to )?(?:know|take away|remember|learn)OF
        """,
    "mentions": """
        (?:who|(?:which|what) PEOPLE|whose names?) is (?:all )?MENTIONED(?: (?:in|by) THIS| here)?
        SHOW(?:me )?(?:all )?(?:of )?(?:the )?MAIN?PEOPLE(?: MENTIONED)? (?:in|by|of|from) THIS
        SHOW(?:me )?(?:all )?(?:of )?(?:the )?MAIN?PEOPLE MENTIONED
        who is in NAMED
        (?:who|(?:which|what) PEOPLE) does THIS (?:mention|name|discuss)
        """,
    "headline": """
        (?:what is )?(?:the )?(?:headline|title|heading)(?: of THIS)?
        what is NAMED (?:called|titled|entitled|headlined)
        how is NAMED (?:titled|headlined)
        what does the headline(?: of THIS)? say
        what is NAMED's (?:headline|title)
        """,
    "standfirst": """
        (?:what (?:is|does) )?the SUBHEADING(?: (?:under|below) the headline)?(?:OF)?(?: say| read)?
        what (?:is|does) the line (?:under|below|beneath) the (?:headline|title)(?: say)?
        """,
    "author": """
        who (?:wrote|authored|penned|has written) THIS
        (?:(?:who|what) is |name )?(?:the )?(?:AUTHOR|by-?line)(?:OF| who wrote THIS)?
        what is the (?:name of the AUTHOR|AUTHOR'?s name)(?: of THIS)?
        who is NAMED (?:written )?by
        by whom is THIS written
        """,
    "date": """
        WHEN is THIS (?:first |originally |initially )?(?:published|written|posted)
        WHEN is NAMED (?:released|issued|dated|from|printed|put online)
        when did NAMED (?:first )?(?:appear|come out|run|go online)
        (?:what is )?(?:the )?(?:publication date|date of publication|publishing date)(?:OF)?
        (?:what is )?(?:the )?date (?:of|on) NAMED
        how old is NAMED
        """,
    "updated": """
        WHEN is THIS (?:last |most recently )?(?:updated|revised|modified|edited|corrected|changed)
        WHEN is THIS (?:updated|revised|modified|edited) last
        (?:(?:what|when) is )?(?:the )?(?:date of the )?(?:last|latest|most recent) update(?:OF)?
        """,
    "place": """
        (?:what is )?(?:the )?dateline(?:OF)?
        where is NAMED (?:FILED|datelined)(?: from)?
        from (?:where|TOWN) is NAMED FILED
        TOWN is NAMED FILED from
        """,
    "credit": """
        who (?:took|shot|made|drew) (?:the|this|that|these|those) (?:photo )?PICTURE(?:OF)?
        who is (?:the )?(?:photographer|illustrator)(?:OF)?
        whose (?:photo )?PICTURE is (?:it|this|that|these|those)
        (?:(?:what|who) is )?(?:the )?(?:photo|photograph|picture|image) credits?(?:OF)?
        who is (?:the )?(?:photo )?PICTURE(?:OF)? (?:taken |made |shot )?by
        by whom is (?:the|this|that) (?:photo )?PICTURE (?:taken|made|shot)
        """,
    "captions": """
        what (?:does|do) THEPICTURE(?:OF)? (?:show|depict|portray)
        what is (?:shown |seen |visible |depicted |pictured )?(?:in|on) THEPICTURE(?:OF)?
        what is THEPICTURE(?:OF)?(?: of| about)?
        (?:what (?:is|do|does) )?(?:the )?(?:PICTURE )?captions?(?:OF| under THEPICTURE)?(?: say)?
        THEPICTURE(?:OF)?
        """,
}


def _compiled(forms: str) -> re.Pattern[str]:
    """Return one pattern for the lines of a form, their placeholders filled in."""
    names = "|".join(_PLACEHOLDERS)
    lines = [
        re.sub(names, lambda match: f"(?:{_PLACEHOLDERS[match[0]]})", line.strip())
        for line in forms.strip().splitlines()
    ]
    return re.compile("|".join(f"(?:{line})" for line in lines))


_RULES = tuple((kind, _compiled(forms)) for kind, forms in _FORMS.items())
_COUNT = (
    r"(?P<count>\d{1,2}|an?|one|two|three|four|five|six|seven|eight|nine|ten|a few|a couple of)"
    r"(?: (?:short|brief|key|main|bullet|simple))?"
)
_LENGTH = re.compile(
    rf"\b(?:in|within|using|into|as) {_COUNT} (?:sentences?|lines?|points?|bullets?)\b"
)
_LISTED = re.compile(
    r"\b(?:(?:the|top|me) )?(?P<count>two|three|four|five|six|seven|eight|nine|ten|\d{1,2}) "
    r"(?=(?:key|main|major|most important|central) )"
)
_BEFORE = re.compile(
    r"(?:(?:hey|hi|hello|ok|okay|so|well|and|now|then|first|please|kindly|just|"
    r"can you|could you|would you|will you|can i|could i|may i|"
    r"(?:i(?:'d| would)? (?:like|want|need)|i want)(?: you)?(?: to (?:know|have|see|get|hear))?|"
    r"tell me|give me|let me know|show me|get me|do you know|in short|briefly|quickly|explain|"
    r"describe|for me)[ ,:]+)+"
)
_AFTER = re.compile(
    r"(?:[ ,]+(?:please|for me|to me|thanks|thank you|briefly|quickly|in short|in brief|exactly|"
    r"here|then|in (?:a )?(?:nutshell|simple (?:words|terms)|plain english|your own words)|"
    r"(?:in|with|using) bullet points|as bullet points|in (?:a few|\d+|few) words))+"
)
_NUMBERS = {
    word: number
    for number, words in enumerate(
        ("a an one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), 1
    )
    for word in words.split()
} | {"a couple of": 2, "a few": 3}


def overview_kind(question: str) -> OverviewKind | None:
    """Recognise a question about the article as a whole.

    Args:
        question: as it was asked, standing alone.

    Returns:
        What it asks for, or None for an ordinary question. A question of several clauses
        ('the dateline - where was the story filed?') counts only if each asks for the same.
    """
    if len(question) > 200:
        return None
    text = " ".join(question.lower().replace("’", "'").split())
    text = re.sub(r"\btl ?[;,:]? ?dr\b", "tldr", text)
    text = re.sub(r"\b(what|who|where|when|how)(?:'?s|'re)\b", r"\1 is", text)
    text = re.sub(r"\b(?:are|was|were)\b", "is", text)  # so that the forms need one tense
    kinds = {
        _clause_kind(clause)
        for clause in re.split(r"[?!.:;]+(?: |$)| [-–—]+ ", text)
        if re.search(r"\w", clause)
    }
    return kinds.pop() if len(kinds) == 1 else None


def _clause_kind(clause: str) -> OverviewKind | None:
    bare = _LISTED.sub("the ", _LENGTH.sub("", clause))
    bare = " ".join(re.sub(r"[\"“”()*]", "", bare).split()).strip(" ,.-?!")
    previous = None
    while previous != bare:
        previous = bare
        match = _BEFORE.match(bare + " ")
        bare = bare[match.end() :].strip() if match and match.end() <= len(bare) else bare
        for after in _AFTER.finditer(bare):
            if after.end() == len(bare):
                bare = bare[: after.start()].strip(" ,")
    return next((kind for kind, rule in _RULES if rule.fullmatch(bare)), None)


def sentence_count(question: str) -> int | None:
    """Return how many sentences or points a question asks for ('in two sentences'), if it does."""
    text = " ".join(question.lower().split())
    match = _LENGTH.search(text) or _LISTED.search(text)
    if match is None:
        return None
    count = match["count"]
    return max(1, int(count) if count.isdigit() else _NUMBERS[count])


# -- Answering -------------------------------------------------------------------------------------


def overview_draft(
    kind: WholeKind, articles: Sequence[Article], *, sentences: int | None = None
) -> Draft:
    """Answer a request about an article, or several, as a whole.

    Args:
        kind: what is asked for.
        articles: in the order to be shown; of more than ``MAX_ARTICLES`` the first.
        sentences: how many sentences the overview of one article has; None for the usual.

    Returns:
        A draft whose statements are the article's own words, or one without statements and with
        the reason, where the article does not say.
    """
    shown = articles[:MAX_ARTICLES]
    statements: list[Statement] = []
    for article in shown:
        if kind == "mentions":
            evidence = _people(article)
        else:
            count = max(1, -(-(sentences or SENTENCES[kind]) // len(shown)))
            evidence = [Evidence(article.id, span) for span in central_sentences(article, count)]
        statements += [Statement((item,)) for item in evidence]
    left = len(articles) - len(shown)
    missing = "No person's name was recognised in the article."
    return Draft(
        statements=tuple(statements),
        confidence=CONFIDENCE if statements else 0.0,
        reason=missing if kind == "mentions" else "The article has no sentences.",
        separator=_SEPARATORS[kind],
        notice=f"{left} more articles are not shown." if left else None,
    )


def form_evidence(kind: OverviewKind, article: Article) -> list[Evidence]:
    """Return where an article says its headline, author, dates, place or credits; else nothing."""
    return _FINDERS[kind](article) if kind in _FINDERS else []


MISSING: Mapping[OverviewKind, str] = {
    "headline": "The article has no headline.",
    "standfirst": "The article has no line under its headline.",
    "author": "The article does not name its author.",
    "date": "The article gives no date of publication.",
    "updated": "The article gives no date of an update.",
    "place": "The article has no dateline.",
    "credit": "The article credits no photographer.",
    "captions": "The article has no pictures' captions.",
}
"""Why there is no answer where ``form_evidence`` finds nothing."""

_SEPARATORS: dict[WholeKind, str] = {
    "about": " ",
    "summary": " ",
    "key_points": "\n",
    "mentions": ", ",
}


def _of_kind(article: Article, *kinds: BlockKind) -> list[Block]:
    return [block for block in article.blocks if block.kind in kinds]


def _whole(article: Article, block: Block) -> Evidence:
    return Evidence(article.id, Span(block.sentences[0].start, block.sentences[-1].end))


# -- Central sentences -----------------------------------------------------------------------------


def central_sentences(
    article: Article,
    count: int,
    *,
    topic: str | None = None,
    among: Collection[Span] | None = None,
) -> list[Span]:
    """Return the article's most central sentences, at most ``count``, in reading order.

    Sentences of the standfirst and of paragraphs count, if they can stand alone: they have at least
    six words, are no question and no list's item, and do not begin with a quotation or a pronoun.
    If none is like that, all sentences count. A first sentence that defines the title is chosen. A
    sentence that stands there twice counts once.

    Args:
        article: what is summed up.
        count: how many sentences at most.
        topic: what they should be about; None for the headline.
        among: choose from these sentences only; None for all.
    """
    candidates = _candidates(article, among)
    if not candidates:
        return []
    texts = [article.text[span.start : span.end] for span, _ in candidates]
    similarity = _similarity([topic or article.title, *texts])
    on_topic, similarity = similarity[0, 1:], similarity[1:, 1:]
    places = np.array([place for _, place in candidates], dtype=np.float64)
    if among is not None:  # what counts is how early among those that speak of it
        places = np.unique(places, return_inverse=True)[1].astype(np.float64)
    score = _lexrank(similarity, (0.5 + on_topic) / (1.0 + places))
    if _defines(texts[0], topic or article.title):
        score[0] = score.max() + 1
    chosen = _spread(score, similarity, count)
    return [candidates[i][0] for i in sorted(chosen)]


def _defines(sentence: str, title: str) -> bool:
    """Say whether a first sentence says what the title is, as an encyclopedia's does."""
    subject = rf"(?:the |an? )?{re.escape(' '.join(title.split()))}\b"
    defined = rf"{subject}[^.;]{{0,100}}?\b(?:is|are|was|were) (?:an?|the|one of|any)\b"
    return re.match(defined, " ".join(sentence.split()), re.I) is not None


def _candidates(article: Article, among: Collection[Span] | None) -> list[tuple[Span, int]]:
    """Return the sentences that may stand in an overview, each with its paragraph's number."""
    blocks = _of_kind(article, "standfirst", "paragraph")
    text = article.text
    once = {text[s.start : s.end]: (s, i) for i, b in reversed(list(enumerate(blocks)))
            for s in reversed(b.sentences)}  # fmt: skip
    numbered = sorted(item for item in once.values() if among is None or item[0] in among)
    good = [
        (span, i)
        for span, i in numbered
        if not _ITEM.match(text, blocks[i].span.start)
        and _stands_alone(text[span.start : span.end])
    ]
    good = good or numbered
    if not good and among is None:
        good = [(s, i) for i, s in enumerate(b.sentences[0] for b in article.blocks
                                                         if b.kind != "boilerplate")]  # fmt: skip
    if len(good) > MAX_SENTENCES:
        first = {number: item for item in reversed(good) for number in [item[1]]}
        good = sorted(first.values(), key=lambda item: item[1])
        step = -(-len(good) // MAX_SENTENCES)
        good = good[::step]
    return good


_ITEM = re.compile(r"[-*+•‣▪]\s|\d{1,3}[.)]\s")
_DANGLING = re.compile(
    r"[\"'“‘«(]|(?:he|she|it|they|we|i|you|this|that|these|those|his|her|its|their|our|my|such|"
    r"here|there|one|another|others|both|then)\b",
    re.I,
)


def _stands_alone(sentence: str) -> bool:
    return (
        6 <= len(sentence.split()) <= 60
        and not sentence.rstrip("\"'”’)").endswith(("?", ":"))
        and not _DANGLING.match(sentence)
    )


def _similarity(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the cosine similarities of texts' TF-IDF vectors, (n, n), with an empty diagonal."""
    counts = [Counter(tokens(text)) for text in texts]
    document_frequency = Counter(word for count in counts for word in count)
    columns = {word: i for i, word in enumerate(document_frequency)}
    vectors = np.zeros((len(texts), max(1, len(columns))))
    for row, count in enumerate(counts):
        for word, times in count.items():
            idf = np.log((1 + len(texts)) / (1 + document_frequency[word])) + 1
            vectors[row, columns[word]] = times * idf
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    similarity: npt.NDArray[np.float64] = np.maximum(vectors @ vectors.T, 0.0)
    np.fill_diagonal(similarity, 0.0)
    return similarity


def _lexrank(
    similarity: npt.NDArray[np.float64], bias: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return biased LexRank scores, (n,), the largest 1.

    A score is the share of time spent at a sentence by a reader who wanders from sentence to
    similar sentence and, now and then, back to those that ``bias`` favours.
    """
    bias = bias / bias.sum()
    sums = similarity.sum(axis=1, keepdims=True)
    walk = np.where(sums > 0, similarity / np.where(sums > 0, sums, 1.0), bias)
    score = bias
    for _ in range(100):
        score, before = (1 - DAMPING) * bias + DAMPING * (score @ walk), score
        if np.abs(score - before).sum() < 1e-9:
            break
    scaled: npt.NDArray[np.float64] = score / score.max()
    return scaled


def _spread(
    score: npt.NDArray[np.float64], similarity: npt.NDArray[np.float64], count: int
) -> list[int]:
    """Choose ``count`` sentences by maximal marginal relevance; ties go to the earlier one."""
    chosen: list[int] = []
    while len(chosen) < min(count, len(score)):
        repeated = similarity[:, chosen].max(axis=1) if chosen else np.zeros(len(score))
        gain = np.round((1 - NOVELTY) * score - NOVELTY * repeated, 9)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
    return chosen


# -- Headline, author, dates -----------------------------------------------------------------------

_UPPER = r"[^\W\d_a-zß-öø-ÿ]"
_NAME = rf"{_UPPER}[\w'’-]*\.?"
_PARTICLE = r"(?:bin|bint|ibn|al|el|de|del|della|da|di|du|la|le|van|von|der|den|ter|dos|das|y)"
_AUTHOR = re.compile(
    rf"(?<![\w-]){_NAME}(?: (?:{_PARTICLE} ){{0,2}}{_NAME})+"
    rf"(?:(?:, | and | & |, and |; ){_NAME}(?: (?:{_PARTICLE} ){{0,2}}{_NAME})+)*"
)
_CREDIT = re.compile(
    r"\W*(?:(?:written|story|text|words|posted|reported|reporting)\s+by|by|authors?:|byline:)\s+",
    re.I,
)
_ROLE_AFTER = re.compile(
    r", [^,;]*?(?:correspondent|reporter|editor|writer|contributor|columnist|press|office|bureau)",
    re.I,
)
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_DATE = re.compile(
    rf"(?:{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}(?:,? \d{{4}})?|{_MONTH},? \d{{4}}"
    r"|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d\d))(?!\d)",
    re.I,
)
_LATER = re.compile(r"updat|modif|revis|correct|edited|changed", re.I)
_DATELINE = re.compile(
    rf"(?P<place>{_UPPER}{{3,}}(?:[ .'’-]+{_UPPER}+)*(?:, [A-Z][\w.]*(?: [A-Z][\w.]*)?)?)"
    rf"(?:,? (?P<date>{_DATE.pattern}))?,?\s*"
    r"(?:\([^()]{1,40}\)|/[^/]{1,40}/)?\s*(?:—|–|--|-)\s"
)


def _headline(article: Article) -> list[Evidence]:
    return [
        Evidence(article.id, block.sentences[0], (block.sentences[0],))
        for block in _of_kind(article, "headline")[:1]
    ]


def _standfirst(article: Article) -> list[Evidence]:
    return [_whole(article, block) for block in _of_kind(article, "standfirst")]


def _author(article: Article) -> list[Evidence]:
    """Cite the first byline, its names marked, without 'By' and what stands after the names."""
    for block in _of_kind(article, "byline")[:1]:
        quote = _whole(article, block).span
        credit = _CREDIT.match(article.text, quote.start, quote.end)
        start = credit.end() if credit else quote.start
        end = quote.end
        role = _ROLE_AFTER.search(article.text, start, end)
        date = _DATE.search(article.text, start, end)
        end = min([end, *(match.start() for match in (role, date) if match)])
        names = _AUTHOR.match(article.text, start, end)
        focus = Span(start, names.end() if names else end)
        words = article.text[focus.start : focus.end]
        focus = Span(focus.start, focus.start + max(1, len(words.rstrip(" ,;|()-–—"))))
        return [Evidence(article.id, quote, (focus,))]
    return []


def _dates(article: Article) -> Iterator[tuple[Span, Span, bool]]:
    """Yield the dates of the front matter: quote, date, and whether it is that of an update."""
    for block in _of_kind(article, "date", "byline"):
        quote = Span(block.sentences[0].start, block.sentences[-1].end)
        labelled = quote.start
        for match in _DATE.finditer(article.text, quote.start, quote.end):
            later = bool(_LATER.search(article.text, labelled, match.start()))
            labelled = match.end()
            yield quote, Span(*match.span()), later
    for quote, match in _datelines(article):
        if match["date"]:
            yield quote, Span(*match.span("date")), False


def _datelines(article: Article) -> Iterator[tuple[Span, re.Match[str]]]:
    """Yield 'KABUL, Afghanistan (AP) —' at the beginning of one of the first paragraphs."""
    for block in _of_kind(article, "paragraph")[:3]:
        first = block.sentences[0]
        match = _DATELINE.match(article.text, first.start, block.span.end)
        if match:
            yield Span(first.start, max(first.end, match.end())), match


def _date(article: Article) -> list[Evidence]:
    found = [(quote, date) for quote, date, later in _dates(article) if not later]
    return [Evidence(article.id, quote, (date,)) for quote, date in found[:1]]


def _updated(article: Article) -> list[Evidence]:
    found = [(quote, date) for quote, date, later in _dates(article) if later]
    return [Evidence(article.id, quote, (date,)) for quote, date in found[-1:]]


def _place(article: Article) -> list[Evidence]:
    return [
        Evidence(article.id, quote, (Span(*match.span("place")),))
        for quote, match in _datelines(article)
    ][:1]


def _credits(article: Article) -> list[Evidence]:
    """Cite who is credited for the pictures: a caption's last sentence if it is but a credit."""
    found = []
    for block in _of_kind(article, "caption"):
        text = article.text[: block.span.end].rstrip()
        matches = (pattern.search(text, block.span.start) for pattern in CREDITS)
        if match := next((m for m in matches if m), None):
            sentence = next(s for s in reversed(block.sentences) if s.start <= match.start())
            words = article.text[sentence.start : sentence.end]
            start = sentence.start if len(words.split()) <= CREDIT_WORDS else match.start()
            start += len(article.text[start:]) - len(article.text[start:].lstrip(" ([—–-"))
            end = start + len(text[start:].rstrip(" )]."))
            found.append(Evidence(article.id, sentence, (Span(start, end),)))
    return found


def _captions(article: Article) -> list[Evidence]:
    """Cite what stands under the pictures, without a last sentence that is but a credit."""
    credits = {e.span for e in _credits(article) if e.focus[0].start == e.span.start}
    found = []
    for block in _of_kind(article, "caption"):
        said = [sentence for sentence in block.sentences if sentence not in credits]
        if said:
            found.append(Evidence(article.id, Span(said[0].start, said[-1].end)))
    return found


# -- People ----------------------------------------------------------------------------------------

_TITLE = (
    r"(?:(?:Vice |Deputy |Acting |Former |Prime |Foreign |Defense |Defence |Chief |Lt\. |Maj\. )*"
    r"(?:Mr|Mrs|Ms|Mx|Miss|Dr|Prof|Professor|Sir|Dame|Lord|Lady|President|Premier|Chancellor|"
    r"Secretary(?: of (?:the )?\w+)?|Minister|Ambassador|Senator|Sen|Congress(?:man|woman)|Rep|Gov|"
    r"Governor|Mayor|Councill?or|General|Gen|Lt|Col|Colonel|Maj|Major|Capt|Captain|Cmdr|Commander|"
    r"Adm|Admiral|Sgt|Sergeant|Officer|Detective|Inspector|Judge|Justice|Rev|Father|Sister|Bishop|"
    r"Archbishop|Cardinal|Pope|Imam|Rabbi|King|Queen|Prince|Princess|Coach|Aunt|Uncle)\b\.? )"
)
_SAID = (
    r"(?:said|says|told|tells|added|adds|wrote|writes|asked|argued|argues|noted|explained|warned|"
    r"recalled|recounted|insisted|acknowledged|replied|tweeted|recalls|explains|admits|admitted)"
)
_ROLE = (
    r"(?:\w+(?:ist|ician|ologist|graph?er|keeper|eacher|ctor|ctress|archer|ngineer|nalyst)|envoy|"
    r"official|officer|leader|director|chief|executive|president|minister|secretary|mayor|spokes\w+|"
    r"author|writer|lawyer|fellow|professor|chair(?:man|woman|person)?|head|founder|owner|editor|"
    r"farmer|fisher(?:man)?|student|nurse|doctor|coach|captain|manager|judge|senator|ambassador|"
    r"economist|biologist|historian|musician|designer|mother|father|son|daughter|wife|husband|"
    r"brother|sister|cousin|colleague|neighbou?r|friend|resident|co-founder|deputy|candidate)"
)
_PERSON = re.compile(
    rf"(?<![\w'’-])(?P<title>{_TITLE})*(?P<name>{_UPPER}(?:\.|[\w'’-]*[\w]))"
    rf"(?P<more>(?: (?:{_PARTICLE} ){{0,2}}{_UPPER}(?:\.(?= )|[\w'’-]*\w)){{0,4}})"
)
_NOT_PERSON = re.compile(
    r"\b(?:Department|Universit\w+|Group|Institut\w+|Council|Society|Trust|Minist\w+|Parliament|"
    r"Forum|Inc|Corp|Ltd|Compan\w+|House|Association|Agenc\w+|Times|Post|News|Court|Bank|Party|Union|Press|"
    r"Committee|Commission|Foundation|Cent(?:er|re)|School|College|Hospital|Club|Street|Road|Avenue|"
    r"Bridge|River|Lake|Sea|Sound|Bay|Island|Mountains?|Rock|Meadow|City|Town|County|State|States|"
    r"Kingdom|Republic|Emirate|Nations|Force|Army|Navy|Guard|Police|Embassy|Initiative|Project|"
    r"Museum|Church|Station|Airport|Star|War|Act|Watch|Foods|Lines|Airlines|Security|Administration|"
    r"North|South|East|West|Northern|Southern|Eastern|Western|New|Day|Fair|Award|Prize|Afternoon|"
    r"Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|January|February|March|April|June|"
    r"July|August|September|October|November|December|Congress|Senate|Cabinet|Twitter|Facebook)\b"
)
_OPENERS = frozenset(
    "a an and as at but by for from he her his i if in it its my no not of on or our she so some "
    "that the their then there these they this those to we what when where which while who why "
    "with yet you your after all although before both each even every how last many most now once "
    "one only since such under until though during like among about".split()
)


@dataclass(slots=True)
class _Mention:
    """One capitalised name in the text."""

    sentence: Span
    shown: Span
    words: tuple[str, ...]
    person: bool


def _people(article: Article) -> list[Evidence]:
    """Cite each person that is mentioned, once, where the name is fullest, in reading order.

    A run of capitalised words is taken for a person if somewhere in the article it carries a title
    ('Mr.', 'President'), says something, has a middle initial, an age or a role beside it ('X, the
    director', 'the envoy, X', 'X, who'); mentions are joined by surname. What the rules miss:
    people known by one name without a title, and people of whom only the name is said. What they
    may take in wrongly: an organisation that 'says' something and has no word of organisations in
    its name. Two people with one surname are told apart by their first names.
    """
    mentions = [
        mention
        for block in _of_kind(article, "standfirst", "caption", *PROSE)
        for sentence in block.sentences
        for mention in _names(article.text, sentence)
    ]
    surnames = {m.words[-1] for m in mentions if m.person}
    best: dict[tuple[str, ...], _Mention] = {}
    for mention in mentions:
        if mention.words[-1] in surnames and len(mention.words) > 1:
            best.setdefault((mention.words[0], mention.words[-1]), mention)
    full = {surname for _, surname in best}
    for mention in mentions:
        if mention.person and len(mention.words) == 1 and mention.words[0] not in full:
            best.setdefault(mention.words, mention)
    return [
        Evidence(article.id, mention.sentence, (mention.shown,))
        for mention in sorted(best.values(), key=lambda mention: mention.shown)
    ]


def _names(text: str, sentence: Span) -> Iterator[_Mention]:
    """Yield the capitalised names of a sentence that could be a person's."""
    for match in _PERSON.finditer(text, sentence.start, sentence.end):
        start, end = match.start("name"), match.end()
        titled = match.start() < start
        name = re.sub(r"['’]s?$", "", text[start:end])
        end = start + len(name)
        words = name.split()
        while words and words[0].lower() in _OPENERS:
            start += len(words[0]) + 1
            words = words[1:]
        if not words or len(words[-1].strip(".")) < 2 or _NOT_PERSON.search(" ".join(words)):
            continue
        person = titled or (len(words) > 1 and _looks_like_person(text, sentence, start, end))
        shown = Span(match.start() if titled and len(words) == 1 else start, end)
        yield _Mention(sentence, shown, tuple(words), person)


_AFTER_NAME = re.compile(
    rf",? {_SAID}\b|, (?:who|whose|whom)\b|, \d{{1,3}},|, (?:[\w'’-]+ ){{0,5}}?{_ROLE}\b", re.I
)
_BEFORE_NAME = re.compile(
    rf"(?:\b{_SAID}|\b{_ROLE}(?: (?:for|of|at|to|in) (?:the )?\w+)?(?:,| is| was|))\s$", re.I
)


def _looks_like_person(text: str, sentence: Span, start: int, end: int) -> bool:
    return bool(
        re.search(rf"\w {_UPPER}\. \w", text[start:end])
        or _AFTER_NAME.match(text[end : sentence.end])
        or _BEFORE_NAME.search(text[sentence.start : start])
    )


_FINDERS: Mapping[OverviewKind, Callable[[Article], list[Evidence]]] = {
    "headline": _headline,
    "standfirst": _standfirst,
    "author": _author,
    "date": _date,
    "updated": _updated,
    "place": _place,
    "credit": _credits,
    "captions": _captions,
}
