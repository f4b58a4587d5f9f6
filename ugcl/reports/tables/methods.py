"""Where the methods of a benchmark come from, and how close each is to its publication."""

from __future__ import annotations

import pandas as pd

from ugcl.config import Config


def methods_table(config: Config, benchmark: str) -> pd.DataFrame:
    """The methods of a benchmark's systems.

    Returns:
        One row per method, in the order of its first system: method, systems, grade, source, code and
        deviations.
    """
    systems: dict[str, list[str]] = {}
    origins = {}
    for system in config.benchmark(benchmark).systems:
        method = config.resolve(benchmark, system).method
        systems.setdefault(method.name, []).append(system)
        origins[method.name] = method.origin
    rows = []
    for name, members in systems.items():
        origin = origins[name]
        rows.append(
            {
                "method": name,
                "systems": ", ".join(members),
                "grade": origin.grade if origin else "own",
                "source": origin.citation if origin else "a module of the user's",
                "code": (origin and origin.code) or "",
                "deviations": " ".join(origin.deviations) if origin else "",
            }
        )
    return pd.DataFrame(rows, columns=["method", "systems", "grade", "source", "code", "deviations"])
