"""What a line is by its form alone: a byline, a date, a caption, a promo, a heading.

The rules look at length, end punctuation, capitals and the set phrases of publishing in English;
they know nothing of any one article. Where they are unsure a line is a paragraph, because a
paragraph can be cited and boilerplate cannot. All of them are linear in the line's length.
"""

from __future__ import annotations

import re

from article_qa.types import BlockKind


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


MARKER = re.compile(r"(?:#{1,6}[ \t]+|>[ \t]?|[-*+•‣▪][ \t]+)+(?=\S)")
"""Markdown's marks at a block's beginning, and bullets as they are typed."""
BULLET = re.compile(r"[•◦▪‣●○■□–·\uf0b7\x88*-][ \t]+(?=\S)")
"""What stands before an item in print; U+F0B7 is Word's bullet, \\x88 that of TeX's own fonts."""
TITLE_FIELD = re.compile(r"(?i:title|headline):\s*[\"']?(\S[^\n]*[^\s\"'])[\"']?")
"""A field of a Markdown file's head (YAML): ``title: "The Well"``."""
MARKED_HEADING = re.compile(r"#{1,6}[ \t]+\S")
LISTED = re.compile(
    r"[-*+•‣▪>][ \t]+\S|#{1,6}[ \t]+\S|\d{1,3}[.)][ \t]+\S|\[\w{1,3}\][ \t]+\S|\^[ \t]*\S"
)
"""How an item begins: a bullet, a number, the mark of a note."""
NUMBERED = re.compile(r"(\d{1,3}(?:\.\d{1,3})*)([.)]?)[ \t]+\S")
"""A numbered heading, clause or item: its number, and what follows it."""
_ITEM = re.compile(r"(?:[-*+•‣▪]|\d{1,3}[.)]|\([a-z\d]{1,2}\))[ \t]+\S")
_NOTE = re.compile(r"(?:\[\w{1,3}\]|\d{1,3}[.)]?|[a-z][.)]|[\^*†‡])[ \t]*\S")
_TITLE_END = re.compile(
    r"\b(?:Mr|Mrs|Ms|Mx|Messrs|Dr|Prof|Sen|Rep|Gov|Gen|Lt|Col|Maj|Capt|Cpl|Sgt|Adm|Rev|Hon)\.\s*\Z"
)
_TITLE_CHARS = 12
"""Characters in which the longest title ('Messrs.') and the blanks after it stand."""
_LABEL = re.compile(r"[^\W\da-z][^:.!?\n]{0,39}:[ \t]+\S")
_TRAIL = re.compile(r"[^>›»|]{1,40}(?:\s[>›»]\s+[^>›»|]{1,40}){2,6}")
"""Where in a site a page stands: 'News > Politics > Live'."""
_END = re.compile(r"[.!?…。！？][\"'”’»)\]*_]*$")
_FULL_STOP = re.compile(r"[.…。！!][\"'”’»)\]*_]*$")
_REFERENCES = re.compile(
    r"(?:[\dIVX]+[.)]?\s+)?(?:references|bibliography|works cited|literature(?: cited)?|"
    r"references and notes|notes and references)\s*:?",
    re.I,
)
_NOTES = re.compile(r"(?:[\dIVX]+[.)]?\s+)?(?:notes|footnotes|endnotes|end notes)\s*:?", re.I)
_LINKS = re.compile(
    r"(?:related(?: (?:articles?|stories|content|topics|coverage|posts|links|reading))?|"
    r"more (?:on this (?:story|topic)|from\b.{1,40}|stories)|read (?:more|next|also)|"
    r"recommended(?: for you)?|most (?:read|popular)|you (?:may|might) also like|trending(?: now)?|"
    r"see also|external links)[\s:.]*",
    re.I,
)


def ends_sentence(text: str) -> bool:
    """Say whether a text ends as a sentence does, closing quotation marks aside."""
    return bool(_END.search(text[-20:]))


def is_item(text: str) -> bool:
    """Say whether a block is an item of a list as it is typed: a bullet or a number, then words."""
    return bool(_ITEM.match(text))


def is_note(text: str) -> bool:
    """Say whether a block begins with the mark of a footnote or of a numbered reference."""
    return bool(_NOTE.match(text))


def is_labelled(text: str) -> bool:
    """Say whether a block begins with a label: a field ('Founded: 1742') or a speaker's turn."""
    return bool(_LABEL.match(text))


def ends_in_title(text: str, start: int = 0, end: int | None = None) -> bool:
    """Say whether ``text[start:end]`` ends in a title ('Ms.'), which ends no sentence."""
    end = len(text) if end is None else end
    return bool(_TITLE_END.search(text, max(start, end - _TITLE_CHARS), end))


def ends_like_prose(text: str) -> bool:
    """Say whether a text ends with a full stop, as a link's title does not."""
    return bool(re.search(r"[.…][\"'”’»)\]]*$", text[-20:]))


def is_row(text: str) -> bool:
    """Say whether a line is set as a table's row: cells apart by tabs, runs of blanks or bars."""
    if len(text) > 300 or "\n" in text or ends_sentence(text):
        return False
    return " | " in text or bool(re.search(r"\S(?:\t+| {3,})\S", text))


def section_kind(heading: str) -> BlockKind | None:
    """Say what kind of blocks a section of this name holds; None for the running text.

    Links to other articles are references, as works cited are.
    """
    heading = heading.strip("#*_ \t")
    if _NOTES.fullmatch(heading):
        return "footnote"
    return "reference" if _REFERENCES.fullmatch(heading) or is_links_heading(heading) else None


def is_links_heading(heading: str) -> bool:
    """Say whether what follows a heading of this name are links: 'Related', 'See also'."""
    return bool(_LINKS.fullmatch(heading.strip("#*_ \t")))


def own_kind(text: str) -> BlockKind:
    """Say what a block is by its own words, whatever its place."""
    if len(text) > 1200:  # nothing but prose is that long, and the patterns below need not see it
        return "paragraph"
    bare = MARKER.sub("", text, count=1).strip("*_ ")
    if is_boilerplate(bare):
        return "boilerplate"
    if is_byline(bare):
        return "byline"
    if is_date(bare):
        return "date"
    if TITLE_FIELD.fullmatch(text):
        return "headline"
    if MARKED_HEADING.match(text):
        return "heading"
    return "caption" if is_caption(bare) else "paragraph"


def is_headline(text: str) -> bool:
    """Say whether a line may be a headline: of up to 30 words, and not a sentence or an item."""
    return (
        len(text.split()) <= 30
        and not _FULL_STOP.search(text)
        and not LISTED.match(text)
        and " | " not in text  # a line of links, a table's row
    )


def is_masthead(text: str, following: str) -> bool:
    """Say whether a line above a possible headline is a section's or a paper's name."""
    return (
        (len(text.split()) <= 3 < len(following.split()))
        or (text.isupper() and not following.isupper())
        or bool(re.search(r"\b(?:no\.?|number|issue|vol\.?|volume)\s?\d+$", text, re.I))
        or bool(re.search(r"\(\d{4}\)[:,]? \d+[-–]\d+$", text))  # a journal's volume and pages
    )


def is_heading(text: str) -> bool:
    """Say whether an unmarked line has a section heading's form.

    It is short, begins with a capital or a figure, and has no full stop, comma or colon at its end.
    """
    return (
        len(text.split()) <= 12
        and not _FULL_STOP.search(text)
        and text[-1] not in ",;:—-\"'”’»)"
        and (text[0].isupper() or text[0].isdigit())
        and not LISTED.match(text)
        and not _LINK.search(text)
        and " | " not in text  # a table's row
    )


_NAME = r"[^\W\d_a-z][\w.'’-]*"
_CREDITED = re.compile(
    r"(?:by|written by|interview by|story by|text by|words by|posted by|reported by|reporting by|"
    r"authors?:|byline:)\s+(?P<names>\S.*)",
    re.I | re.S,
)
_ROLE = re.compile(
    rf"{_NAME}(?: {_NAME}){{1,3}},? (?:\w+ ){{0,3}}"
    r"(?i:correspondent|reporter|editor|staff writer|contributor|columnist)\b[^.!?]*"
)
_PARTICLES = _set("and with for in of the at on de la van von der den di da bin al el y e")


def is_byline(text: str) -> bool:
    """Say whether a line names who wrote the article: 'By', then names and little else."""
    if len(text) > 200:
        return False
    text = text.strip("()[] ") or text
    match = _CREDITED.fullmatch(text)
    if match is None:
        return text[0].isupper() and len(text.split()) <= 8 and bool(_ROLE.fullmatch(text))
    names = re.findall(r"\w[\w.'’-]*", match["names"].split(",")[0])  # after a comma, a role
    if not names or names[0][0].islower() or names[0].strip(".").lower() in _CALENDAR:
        return False
    others = [name for name in names if name[0].islower() and name not in _PARTICLES]
    if _END.search(text) and not re.search(r"\b(?:\w|Jr|Sr)\.$", text):
        # 'Reporting by A; Editing by B.' ends like a sentence; 'By Way of Deception.' is none.
        return len(others) <= 3 and bool(re.match(r"report|written", text, re.I))
    return len(others) <= len(names) // 3


_MONTHS = _set(
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sep sept oct nov dec"
)
_CALENDAR = _MONTHS | _set(
    "monday tuesday wednesday thursday friday saturday sunday "
    "mon tue tues wed thu thur thurs fri sat sun"
)
_DATE_WORDS = _CALENDAR | _set(
    "published updated posted created modified revised issued released first last on at date the "
    "of am pm a.m p.m et est edt pt pst pdt ct gmt utc bst cet cest z st nd rd th and"
)
_NUMERIC_DATE = re.compile(
    r"(?<!\d)(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d\d))(?!\d)"
)


def is_date(text: str) -> bool:
    """Say whether a line is a date: nothing but the words and figures that dates are made of."""
    if len(text) > 120:
        return False
    words = [word.strip(".").lower() for word in re.findall(r"[^\W\d_]+(?:\.[^\W\d_]+)*", text)]
    if not all(word in _DATE_WORDS or len(word) == 1 for word in words):
        return False
    month = any(word in _MONTHS for word in words) and re.search(r"\d", text)
    return bool(month or _NUMERIC_DATE.search(text))


_AGENCY = (
    r"Getty Images|Associated Press|Agence France-Presse|Reuters|AP|AFP|EPA|EFE|DPA|UPI|Alamy|"
    r"Shutterstock|Bloomberg|PA(?: Media| Wire| Images)?|Unsplash|Wikimedia Commons|NASA|ESA|"
    r"iStock|Flickr|Magnum(?: Photos)?|(?:for )?The [A-Z]\w+(?: [A-Z]\w+){0,2}"
)
_PHOTO = r"(?:photo(?:graph)?s?|image|picture|illustration|graphic|credit|photo credit|courtesy)"
CREDITS = (
    re.compile(
        rf"\b(?:{_PHOTO}(?: credit| courtesy)?(?:\s*:| by )|courtesy of )[^.!?]{{2,80}}$", re.I
    ),
    re.compile(rf"{_NAME}(?: {_NAME}){{0,3}}\s?(?:/|\||—|–|, | via )\s?(?:{_AGENCY})\)?$"),
    re.compile(rf"\b(?:{_AGENCY}|REUTERS)(?: (?i:photo))?/\s?{_NAME}(?: {_NAME}){{0,3}}\)?$"),
)
"""How a photo credit looks; each stands at the end of a caption."""

_CAPTION = (
    re.compile(
        rf"(?:{_PHOTO}(?: credit| courtesy| at \w+| above| below)?\s*:|caption:|"
        r"(?:fig(?:ure|\.)?|table) \d+[.:])\s*\S",
        re.I,
    ),
    re.compile(rf"[(\[]{_PHOTO}\b[^()\[\]]{{0,100}}[)\]]\.?$", re.I),
    re.compile(rf"\b{_PHOTO} of [^.!?]{{2,80}}$", re.I),
)
_IMAGE = re.compile(r"!\[[^\[\]]+\]\([^()]*\)")


def is_caption(text: str) -> bool:
    """Say whether a block describes a picture: it is labelled, or ends with a photo credit."""
    if len(text.split()) > 80:
        return False
    if _IMAGE.fullmatch(text) or _CAPTION[0].match(text):
        return True
    return any(pattern.search(text) for pattern in (*_CAPTION[1:], CREDITS[0])) or (
        not _END.search(text) and any(pattern.search(text) for pattern in CREDITS[1:])
    )


_LINK = re.compile(r"!?\[[^\[\]]*\]\([^()]*\)|<?(?:https?|file)://\S+|www\.\S+")
_PAGE_OF = re.compile(r"\s\d{1,4}/\d{1,4}$")
"""What a browser prints behind a page's address: which page of how many."""
_STUB = re.compile(
    r"(?:advertisement|sponsored(?: content)?|share|tweet|print|e-?mail|save|comments?|"
    r"\d+ comments?|comments (?:on this .{1,40})?are closed|"
    r"related(?: (?:articles?|stories|content|topics|coverage|posts|links))?|"
    r"see also|more on this (?:story|topic)|recommended(?: for you)?|most (?:read|popular)|"
    r"you (?:may|might) also like|trending(?: now)?|skip to (?:main )?content|loading|"
    r"continue reading(?: the main story| below)?|\d+[- ]min(?:ute)?s?(?: read)?|"
    r"listen to this (?:article|story)|share (?:this|on|via)\b.{0,60}|for immediate release|"
    r"log in|sign in|register|subscribe(?: now| today)?|sign up(?: now)?|newsletters?|menu|home|"
    r"back to top|previous|next|tags?:.{0,200}|filed under:?.{0,200}|"
    r"get it sent to your inbox)[\s.:…!|]*",
    re.I | re.S,
)
_TEASER = re.compile(
    r"(?:read more|read also|read next|see also|related(?: stories| articles)?|watch|more from|"
    r"more on|also on|don['’]t miss|up next)\s*[:|»→–—-]\s*\S|"
    r"read (?:more|the full (?:story|article|report))\b(?! than)",
    re.I,
)
_PROMO = re.compile(
    r"\b(?:Sign up|SIGN UP|Subscribe|SUBSCRIBE|Register|Join|Get|Receive|Enter your)\b"
    r"(?:(?!['’]s? )[^.!?\"“”]){0,100}?"
    r"\b(?:newsletters?|e-?mails?(?: alerts?| updates?| address)?|inbox|briefings?|push alerts|"
    r"(?:mailing|e-?mail) list|our (?:app|podcast|channel))\b"
    r"|\b(?:Subscribe|SUBSCRIBE) (?:to|now|today|for)\b"
    r"|\bSign up (?:here|now|today|(?:for )?free)\b|\b[Uu]nsubscribe (?:at )?any ?time\b"
    r"|\b(?:Follow|Like|Find) us on\b|\bDownload (?:the|our) app\b|\bSupport our journalism\b"
    r"|\b(?:We|[Tt]h(?:is|e) (?:web)?site|Our (?:web)?site) uses? cookies\b"
    r"|\bAccept (?:all )?cookies\b"
    r"|\bBy continuing to (?:use|browse)\b|\bManage (?:cookie )?preferences\b"
)
_RIGHTS = re.compile(
    r"(?:©|\(c\) ?\d|copyright (?:©|\(c\)|\d{4}))|.{0,80}\ball rights reserved\.?$", re.I
)


def is_boilerplate(text: str) -> bool:
    """Say whether a block is the publisher's and not the author's: promos, link stubs, notices.

    Ordinary prose must not fall in: the phrases count only in short blocks, imperatives only with
    a capital (they begin a call to act) and outside quotation marks.
    """
    if not re.search(r"\w", text):
        return True
    words = len(text.split())
    if words > 60:
        return False
    if _IMAGE.fullmatch(text):
        return False
    if _TRAIL.fullmatch(text):
        return True
    if _LINK.search(text) and not re.search(r"\w", _PAGE_OF.sub("", _LINK.sub("", text))):
        return True
    unlinked = re.sub(r"\[([^\[\]]*)\]\([^()]*\)", r"\1", text)
    return bool(
        _STUB.fullmatch(unlinked)
        or (words <= 30 and (_TEASER.match(unlinked) or _RIGHTS.match(unlinked)))
        or (text[0] not in '"“‘«' and _PROMO.search(unlinked))
    )
