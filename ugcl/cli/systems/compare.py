"""`ugcl compare`: two systems or runs side by side."""

from __future__ import annotations

from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(help="<benchmark>/<system>, with /seed<s> and /fold<k> for one run.")]


def compare(
    first: Name,
    second: Name,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
) -> None:
    """Compare two systems, or two runs, on identical test clips, from their predictions.

    Interval and p of a difference are one t inference over speakers (dialogues where the protocol says so)
    and, where several seeds or four folds show it, training. p is not corrected for other comparisons. --json
    adds the tests given the trained models: sign flips of speakers or dialogues (the protocol's primary
    metric), McNemar's mid-p (WAR).
    """
    from ugcl import config
    from ugcl.evaluation import pairwise
    from ugcl.plan import evaluation as plan

    parameters = config.load()
    pair = [pairwise.tested(parameters, name) for name in (first, second)]
    table = pairwise.compare(parameters, *pair)
    units = ("clip", "speaker", "seed", "fold")
    facts = {f"{name}s": int(pair[0].frame[name].nunique()) for name in units}
    marks = dict.fromkeys(plan.marks(parameters, name.split("/")[0]) for name in (first, second))
    facts = {"first": first, "second": second, "marks": " ".join(filter(None, marks)), **facts}
    facts |= {"primary": pair[0].protocol.primary, "intervals": pair[0].protocol.intervals}
    if as_json:
        import json

        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        typer.echo(json.dumps({**facts, "metrics": rows}, indent=2))
        return
    from ugcl.cli import terminal
    from ugcl.plan.names import LOWER_IS_BETTER, TITLES
    from ugcl.reports.tables.cells import counted

    rows = []
    for row in table.itertuples():
        p = row.p
        better = row.difference < 0 if row.metric in LOWER_IS_BETTER else row.difference > 0
        ahead = "" if row.difference == 0 else first if better else second
        rows.append(
            (
                TITLES[row.metric] + (" (primary)" if row.metric == facts["primary"] else ""),
                f"{row.value:.3f}",
                f"{row.reference_value:.3f}",
                f"{row.difference:+.3f}",
                f"{row.ci_low:+.3f} … {row.ci_high:+.3f}" if row.ci_low == row.ci_low else "–",
                "" if p != p else f"{p:.3f}" if p >= 0.001 else "< 0.001",
                ahead,
            )
        )
    interval = f"{100 * parameters.evaluate.confidence:.0f} % interval"
    interval += " by dialogue" if facts["intervals"] == "dialogue" else ""
    columns = ("metric", first, second, "difference", interval, "p", "ahead")
    counts = [counted(facts[f"{name}s"], name) for name in units]
    title = f"{counts[0]} of {', '.join(counts[1:])}"
    title = f"{facts['marks']}: {title}" if facts["marks"] else title
    terminal.show(title, columns, rows, right=columns[1:6])
