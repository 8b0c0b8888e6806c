"""Questions as people type them: no capitals, no question mark, words dropped, slips."""

from __future__ import annotations

import random
import re

_CONTRACTIONS = (
    (r"^(what|who|where|when|how|that|it) (is|are) ", r"\1s "),
    (r"\b(did|does|do|is|was|can|could|would)n't\b", r"\1nt"),
    (r"^what did (.+) say about (.+)", r"\1 on \2"),
    (r"^(?:in|on|at|from|of|for|to|by) (which|what|whom)\b", r"\1"),
    (r"^how many (.+) (?:are|were) there in\b", r"how many \1 in"),
    (r"^what is the (?:name of the )?", "whats the "),
    (r"^who was the (?:person|man|woman) (?:who|that) ", "who "),
    (r"^why (?:did|do|does) ", "why "),
    (r"^how (?:can|could|do|does) (?:one|someone|people) ", "how do i "),
)
_DROPPED = re.compile(r"\b(?:the|a|an|did|does|do|has|have|had|been|that|there)\b ?", re.I)
_FUNCTION = frozenset(
    "the a an of in on at to for from by with and or is are was were be been did does do has have "
    "had what which who whom whose when where why how that this there it its his her their many "
    "much some any".split()
)
_OPENERS = ("so ", "ok ", "and ", "hey ", "also ", "tell me ", "do you know ", "i wonder ",
            "can you tell me ", "just wondering, ", "quick question: ")  # fmt: skip


def type_question(question: str, rng: random.Random) -> str:
    """Return the question as somebody in a hurry would type it; often unchanged.

    Args:
        question: a well-formed question.
        rng: decides what happens to it.
    """
    if rng.random() < 0.5:
        return question
    typed = question.lower() if rng.random() < 0.92 else question
    if rng.random() < 0.85:
        typed = typed.rstrip(" ?.")
    if rng.random() < 0.5:
        for pattern, replacement in _CONTRACTIONS:
            if rng.random() < 0.7:
                typed = re.sub(pattern, replacement, typed)
    draw = rng.random()
    if draw < 0.15:
        typed = _DROPPED.sub(lambda m: "" if rng.random() < 0.6 else m.group(), typed).strip()
    elif draw < 0.24:
        words = [w for w in typed.split() if w.lower().strip("?,.'\"") not in _FUNCTION]
        typed = " ".join(words) if len(words) >= 2 else typed
    elif draw < 0.32:
        typed = rng.choice(_OPENERS) + typed
    if rng.random() < 0.08:
        typed = _slip(typed, rng)
    return typed or question


def _slip(text: str, rng: random.Random) -> str:
    """Swap or drop a letter inside one longer word."""
    words = [m for m in re.finditer(r"[a-z]{5,}", text)]
    if not words:
        return text
    match = rng.choice(words)
    i = rng.randrange(match.start() + 1, match.end() - 2)
    swapped = rng.random() < 0.5
    return text[:i] + (text[i + 1] + text[i] + text[i + 2 :] if swapped else text[i + 1 :])
