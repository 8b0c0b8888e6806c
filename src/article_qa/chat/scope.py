"""How far a statement goes: hedges, quantities, bounds and duties that it must not drop or add.

'May reduce falls in some older women' does not support 'reduces falls', 'in older women' or 'in all
older women'. The words that say how far are closed classes of English; each is tied to what it
governs, the content words that follow it in its clause, and must be there, or not be there, on both
sides.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from article_qa.language.facts import Facts, Token, number_of, words_of

_HEDGES = words_of(
    "may might could possibly perhaps maybe probably likely apparently allegedly reportedly "
    "presumably seem seems seemed appear appears appeared suggest suggests suggested expected "
    "believed thought rumoured"
)
"""Say that something is not certain."""
_ATTITUDES = words_of(
    "fear fears feared believe believes believed think thinks thought hope hopes hoped suspect "
    "suspects suspected claim claims claimed allege alleges alleged assume assumes assumed"
)
"""Say that somebody takes something to be so; what follows is not thereby so."""
_TOLD = words_of("say says said according told tells warn warns warned argue argues argued")
_DUTIES = words_of("must should shall required obliged need needs needed")
_MAINLY = words_of("mainly mostly largely partly primarily chiefly")
_ONLY = words_of("only just solely exclusively alone sole")
_EXACT = words_of("exactly precisely")
_SHARES = {
    **dict.fromkeys(("few", "some", "several", "part", "sometimes", "occasionally", "rarely"), 1),
    **dict.fromkeys(("many", "often", "frequently"), 2),
    **dict.fromkeys(("most", "majority", "usually", "generally"), 3),
    **dict.fromkeys(("all", "every", "each", "always", "entire", "whole", "everyone"), 4),
    **dict.fromkeys(("any", "anyone", "anything"), 4),
}
"""How much of something is spoken of; a statement may say as much or less."""
_ALL = 4
_NOT_ALL = words_of("if whether without hardly")
"""With these, or denied, 'any' is not 'all'."""
_TIMES = words_of("hour day night morning evening week weekday month season year")
_NEARLY = words_of("nearly almost")
_BOUNDS = {
    "at least": "lower", "more than": "lower", "no fewer": "lower", "at most": "upper",
    "up to": "upper", "less than": "upper", "fewer than": "upper", "as much": "upper",
    "as many": "upper", "no more": "upper",
    "under": "upper", "below": "upper", "above": "lower",
}  # fmt: skip
_LIMITED = re.compile(
    r"\b(?:but only|only (?:if|when|where)|unless|provided that)\b", re.IGNORECASE
)
_BREAKS = frozenset({".", ",", ";", ":", "!", "?", "but", "while", "whereas"})
_REACH = 6


def scope_problem(claim: Facts, source: Facts) -> str | None:
    """Find where a statement goes further than its source.

    Args:
        claim: the statement.
        source: the sentence that should bear it out.

    Returns:
        What is wrong, in words; None where nothing is.
    """
    return (
        _certain(claim, source)
        or _dutiful(claim, source)
        or _wider(claim, source)
        or _unbounded(claim, source)
        or _number_of_another(claim, source)
    )


def _certain(claim: Facts, source: Facts) -> str | None:
    """Find a hedge or an attitude of the source that the statement drops."""
    if not claim.low & _HEDGES:
        for i, word in _each(source, _HEDGES):
            if word == "may" and "can" in claim.low:
                continue
            if _governed(source, i) & claim.stems:
                return f"the article says '{word}'"
    if not claim.low & (_ATTITUDES | _HEDGES | _TOLD):
        for i, word in _each(source, _ATTITUDES):
            follows = source.tokens[i + 1 : i + 2]
            if follows and follows[0].low == "that" and _governed(source, i + 1) & claim.stems:
                return f"the article says only that somebody '{word}' so"
    return None


def _dutiful(claim: Facts, source: Facts) -> str | None:
    """Find a duty on one side alone."""
    claimed, told = _duties(claim), _duties(source)
    if claimed and not told and "you" not in claim.low:  # 'Wait' is 'you should wait'
        return "the article does not say that it must be so"
    for i in told:
        if not claimed and _governed(source, i, 1) & claim.stems and not source.low & _HEDGES:
            return "the article says that it must be so"
    return None


def _duties(facts: Facts) -> list[int]:
    lows = [token.low for token in facts.tokens]
    pairs = [i + 1 for i, pair in enumerate(itertools.pairwise(lows))
             if pair in {("have", "to"), ("has", "to"), ("had", "to")}]  # fmt: skip
    return [i for i, _ in _each(facts, _DUTIES)] + pairs


def _wider(claim: Facts, source: Facts) -> str | None:
    """Find a share, a restriction or an exception on one side alone."""
    for group in (_ONLY, _EXACT):
        if (words := claim.low & group) and not source.low & group:
            return f"the article does not say '{min(words)}'"
    theirs = set().union(*(_rest(source, i) for i, _ in _each(source, _ONLY)))
    for i, word in _each(claim, _ONLY - {"alone"}):
        if theirs and not _rest(claim, i) & theirs:
            return f"the article says '{word}' of something else"
    if _LIMITED.search(source.text) and not claim.low & (_ONLY | {"unless", "if", "when", "but"}):
        return "the article says so only under a condition"
    if not claim.low & _MAINLY:
        for i, word in _each(source, _MAINLY):
            if _governed(source, i) & claim.stems:
                return f"the article says '{word}'"
    told = list(_shares(source))
    claimed = list(_shares(claim))
    for i, share in told:
        governed = _governed(source, i, 1)
        if share == _ALL or not governed & claim.stems:
            continue
        mine = [s for k, s in claimed if _governed(claim, k, 1) & governed]
        if max(mine or [s for _, s in claimed], default=_ALL) > share:
            return f"the article says '{source.tokens[i].low}'"
    for i, share in claimed:
        if share == _ALL and all(s != _ALL for _, s in told):
            return f"the article does not say '{claim.tokens[i].low}'"
    return _denied_in_part(claim, source)


def _shares(facts: Facts) -> Iterator[tuple[int, int]]:
    """Where the shares of a text stand, and how much they are."""
    for i, token in enumerate(facts.tokens):
        share = _SHARES.get(token.low)
        before = facts.tokens[i - 1].low if i else ""
        after = facts.tokens[i + 1].low if i + 1 < len(facts.tokens) else ""
        if (
            share is None
            or number_of(after) is not None
            or (token.low == "most" and before in {"the", "at"})
        ):
            continue  # 'some 200 people', 'the most beautiful'
        if token.low.startswith("any") and (facts.negations or facts.low & _NOT_ALL):
            continue
        if token.low in {"every", "each"} and after in _TIMES:
            continue  # 'every day' is 'a day'
        if token.low == "part" and after != "of":
            continue
        yield i, min(share, 3) if before in _NEARLY else share


def _denied_in_part(claim: Facts, source: Facts) -> str | None:
    """Find 'no benefit' where the source denies only a 'clear benefit'."""
    for i, token in enumerate(source.tokens[:-2]):
        first, second = source.tokens[i + 1], source.tokens[i + 2]
        if token.low != "no" or not (first.content and second.content):
            continue
        if "no" in claim.low and second.stem in claim.stems and first.stem not in claim.stems:
            return f"the article says 'no {first.low} {second.low}'"
    return None


def _unbounded(claim: Facts, source: Facts) -> str | None:
    """Find a number whose bound ('at least', 'up to') is on one side alone."""
    for i, value in claim.numbers.items():
        places = [k for k, v in source.numbers.items() if v == value]
        if places and _bound(claim, i) not in {_bound(source, k) for k in places}:
            return f"{claim.tokens[i].text} has another bound in the article"
    return None


def _bound(facts: Facts, i: int) -> str | None:
    lows = [token.low for token in facts.tokens[max(0, i - 5) : i]]
    phrases = [*map(" ".join, itertools.pairwise(lows)), *lows[-1:]]
    bounds = [_BOUNDS[phrase] for phrase in phrases if phrase in _BOUNDS]
    return bounds[-1] if bounds else ("nearly" if set(lows[-2:]) & _NEARLY else None)


def _number_of_another(claim: Facts, source: Facts) -> str | None:
    """Find a number that the source gives in another part of the sentence than the rest."""
    parts = list(_parts(source))
    if len(parts) < 2:
        return None
    stems = [{t.stem for t in source.tokens[a:b] if t.content} for a, b in parts]
    values = [{v for k, v in source.numbers.items() if a <= k < b} for a, b in parts]
    counted = {t.stem for k in claim.numbers for t in claim.tokens[max(0, k - 1) : k + 1]}
    wanted = {t.stem for t in claim.tokens if t.content} - counted
    for k, value in claim.numbers.items():
        if re.fullmatch(r"1\d{3}|20\d\d", claim.tokens[k].low):
            continue  # years are held to their verbs
        here = [n for n, found in enumerate(values) if value in found]
        if len(here) != 1:
            continue
        for n, found in enumerate(values):
            if n == here[0] or not found or found & set(claim.numbers.values()):
                continue
            own, other = stems[here[0]] - stems[n], stems[n] - stems[here[0]]
            if wanted & other and not own <= claim.stems:
                return "a number is taken from another part of the sentence"
    return None


def _parts(facts: Facts) -> Iterator[tuple[int, int]]:
    """The stretches of a sentence between its breaks."""
    start = 0
    for i, token in enumerate(facts.tokens):
        if token.low in _BREAKS:
            yield start, i
            start = i + 1
    yield start, len(facts.tokens)


def _each(facts: Facts, words: frozenset[str] | set[str]) -> Iterator[tuple[int, str]]:
    """Where words stand; 'may' as a month does not count."""
    for i, token in enumerate(facts.tokens):
        month = token.low == "may" and token.text[0].isupper() and i > 0
        if token.low in words and not month:
            yield i, token.low


def _governed(facts: Facts, i: int, count: int = 2) -> set[str]:
    """Stems of the first content words behind a place, in its clause."""
    return set(list(_following(facts.tokens[i + 1 : i + 1 + _REACH]))[:count])


def _rest(facts: Facts, i: int) -> set[str]:
    """Stems of the content words between a place and the end of its clause."""
    return set(_following(facts.tokens[i + 1 :]))


def _following(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.low in _BREAKS:
            return
        if token.content:
            yield token.stem
