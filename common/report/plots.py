"""Line plots as inline SVG; they take their colours from the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["line_plot", "ticks"]

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 420, 210
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 34


def line_plot(lines: Mapping[str, Points], x_label: str, title: str) -> str:
    """An SVG with one line per entry, name -> (x, y) points; points that are not finite are left out.

    Returns an empty string where no point is left.
    """
    finite = {name: [p for p in points if all(map(math.isfinite, p))] for name, points in lines.items()}
    finite = {name: points for name, points in finite.items() if points}
    if not finite:
        return ""
    xs = [x for points in finite.values() for x, _ in points]
    ys = [y for points in finite.values() for _, y in points]
    x_ticks, y_ticks = ticks(min(xs), max(xs)), ticks(min(0.0, *ys), max(ys))
    x_range = (min(xs), max(xs)) if max(xs) > min(xs) else (min(xs) - 0.5, max(xs) + 0.5)
    y_range = (y_ticks[0], y_ticks[-1])

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - x_range[0]) / (x_range[1] - x_range[0])
        up = (y - y_range[0]) / (y_range[1] - y_range[0])
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), _HEIGHT - _BOTTOM - up * (_HEIGHT - _TOP - _BOTTOM)

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">']
    for y in y_ticks:
        row = place(x_range[0], y)[1]
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{row:.1f}" y2="{row:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{row + 3.5:.1f}" text-anchor="end">{y:.6g}</text>')
    for x in x_ticks:
        if x_range[0] <= x <= x_range[1]:
            column = place(x, y_range[0])[0]
            parts.append(f'<text x="{column:.1f}" y="{_HEIGHT - _BOTTOM + 15}" text-anchor="middle">{x:.6g}</text>')
    parts.append(f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 3}" text-anchor="end">{escape(x_label)}</text>')
    for number, (name, points) in enumerate(finite.items()):
        path = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in points)
        colour = f"c{number % 6}"
        parts.append(f'<polyline class="{colour}" points="{path}"><title>{escape(name)}</title></polyline>')
        x, y = place(*points[-1])
        parts.append(f'<circle class="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>')
    parts.append("</svg>")
    legend = "".join(f'<span class="c{number % 6}">{escape(name)}</span>' for number, name in enumerate(finite))
    return f'<figure><figcaption>{escape(title)}</figcaption>{"".join(parts)}<p class="legend">{legend}</p></figure>'


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers that enclose low..high, ascending; at least two."""
    if high <= low:
        high = low + (abs(low) or 1.0)
    step = (high - low) / max(count - 1, 1)
    power = 10 ** math.floor(math.log10(step))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= step * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]
