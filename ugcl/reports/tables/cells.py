"""Numbers as tables show them: with an interval, a real minus, and nothing where there is no value."""

from __future__ import annotations

import numpy as np


def percent(value: float, low: float, high: float, signed: bool = False) -> str:
    """A share in per cent with its interval, such as `73.1 [66.2, 80.4]`; "" where there is no value."""
    return number(100 * value, 100 * low, 100 * high, 1, signed)


def number(value: float, low: float, high: float, digits: int, signed: bool = False) -> str:
    """A number with its interval, such as `0.412 [0.380, 0.450]`; "" where there is no value."""
    if not np.isfinite(value):
        return ""
    spec = f"{'+' if signed else ''}.{digits}f"
    text = format(value, spec)
    if np.isfinite(low) and np.isfinite(high):
        text += f" [{low:{spec}}, {high:{spec}}]"
    return text.replace("-", "−")


def p_value(value: float) -> str:
    """A p value with three digits; "" where there is none."""
    if not np.isfinite(value):
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
