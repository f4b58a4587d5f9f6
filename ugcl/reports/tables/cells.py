"""Numbers as tables show them: with an interval, a real minus, and "" for a missing value."""

from __future__ import annotations

import numpy as np


def percent(value: float, low: float, high: float, signed: bool = False) -> str:
    """A share in per cent with its interval, such as `73.1 [66.2, 80.4]`; "" for a missing value."""
    return number(100 * value, 100 * low, 100 * high, 1, signed)


def number(value: float, low: float, high: float, digits: int, signed: bool = False) -> str:
    """A number with its interval, such as `0.412 [0.380, 0.450]`; "" for a missing value.

    An interval whose ends are one number, to the digits shown, is left out.
    """
    if not np.isfinite(value):
        return ""
    text = fixed(value, digits, signed)
    if np.isfinite(low) and np.isfinite(high):
        ends = fixed(low, digits, signed), fixed(high, digits, signed)
        text += f" [{', '.join(ends)}]" if ends[0] != ends[1] else ""
    return text


def fixed(value: float, digits: int, signed: bool = False) -> str:
    """A number with so many digits and a real minus; what rounds to zero has no sign."""
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return text.replace("-", "−") if float(text) else f"{0:.{digits}f}"


def span(low: float, high: float) -> str:
    """Two whole numbers as `3–12`, or one where they are equal."""
    return f"{low:.0f}" if round(low) == round(high) else f"{low:.0f}–{high:.0f}"


def counted(number: int, noun: str) -> str:
    """A count with its noun, such as `1 seed` or `3 seeds`."""
    return f"{number} {noun}" + "s" * (number != 1)


def p_value(value: float) -> str:
    """A p value with three digits; "" where there is none."""
    if not np.isfinite(value):
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
