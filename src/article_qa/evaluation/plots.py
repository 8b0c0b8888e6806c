"""Two small plots as inline SVG, without a plotting library: small, and nothing to fetch."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, HEIGHT, MARGIN, LEGEND_LINE = 360, 260, 40, 16
COLOURS = ("#1f5fa8", "#b3541e", "#2e7d4f", "#7a3e9d", "#8a6d00")
"""Told apart by most people with colour vision deficiency, and readable on white."""


class Line(NamedTuple):
    """A named line through points in the unit square, x before y."""

    label: str
    points: Sequence[tuple[float, float]]
    dots: bool = False


def plot(title: str, x: str, y: str, lines: Sequence[Line], *, diagonal: bool = False) -> str:
    """Return an SVG element with both axes from 0 to 1.

    Args:
        title: also the accessible name.
        x: label of the horizontal axis.
        y: label of the vertical axis.
        lines: drawn in order, each in its own colour, with a legend below.
        diagonal: also draw y = x, where confidence equals accuracy.
    """
    inner_w, inner_h = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN

    def place(point: tuple[float, float]) -> tuple[str, str]:
        return f"{MARGIN + point[0] * inner_w:.1f}", f"{HEIGHT - MARGIN - point[1] * inner_h:.1f}"

    parts = []
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        (px, _), (_, py) = place((tick, 0)), place((0, tick))
        parts.append(
            f'<path class="grid" d="M{MARGIN} {py}H{WIDTH - MARGIN}"/>'
            f'<text x="{MARGIN - 5}" y="{py}" text-anchor="end" dy="4">{tick:.2g}</text>'
            f'<text x="{px}" y="{HEIGHT - MARGIN + 15}" text-anchor="middle">{tick:.2g}</text>'
        )
    if diagonal:
        start, end = place((0, 0)), place((1, 1))
        parts.append(f'<path class="diagonal" d="M{start[0]} {start[1]}L{end[0]} {end[1]}"/>')
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        places = [place(point) for point in line.points]
        if places:
            path = "L".join(f"{px} {py}" for px, py in places)
            parts.append(f'<path fill="none" stroke="{colour}" stroke-width="2" d="M{path}"/>')
        if line.dots:
            parts += [f'<circle cx="{px}" cy="{py}" r="3" fill="{colour}"/>' for px, py in places]
        y_legend = HEIGHT + 12 + LEGEND_LINE * number
        parts.append(
            f'<path stroke="{colour}" stroke-width="2" d="M{MARGIN} {y_legend - 4}h16"/>'
            f'<text x="{MARGIN + 22}" y="{y_legend}">{escape(line.label)}</text>'
        )
    parts.append(
        f'<text x="{WIDTH / 2}" y="18" text-anchor="middle" class="title">{escape(title)}</text>'
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x)}</text>'
        f'<text transform="translate(11 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(y)}</text>"
    )
    height = HEIGHT + LEGEND_LINE * len(lines) + 4
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
