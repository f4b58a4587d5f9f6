# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
root = "."
benchmarks = ["demo"]

# %% [markdown]
# # Ablations
#
# An ablation has the reference's method and differs in the settings named under `changes`. Differences are
# points of the ablated system minus the full one, on identical clips, so that left of zero the part that was taken
# away helps. They are grouped by the section of `params.yaml` that they change.
#
# An interval that contains zero means that this benchmark is not decisive, not that the part has no effect: a true
# difference inside the pale band would be missed more than once in five times.

# %% tags=["hide-input"]
import yaml

from ugcl.reports.tables import papers as tables
from ugcl.reports.pages.notebook import code, figure, heading, rows, say, start, table

parameters = start(root)

# %% tags=["hide-input"]
for benchmark in benchmarks:
    heading(parameters, benchmark)
    ablations = table("ablations", benchmark)
    if ablations.empty:
        say("No system of this benchmark is an ablation of its reference.")
        continue
    figure(parameters, benchmark, "ablations")
    primary = parameters.protocol(benchmark).primary
    rows(tables.difference_table(ablations, primary))
    say(tables.inference(ablations, primary))

# %% [markdown]
# ## What each system changes
#
# The override map of every system over the base sections of `params.yaml`.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    say(f"### {benchmark}")
    lines = []
    for name in parameters.benchmark(benchmark).systems:
        changes = parameters.systems[name].model_dump(exclude_defaults=True)
        text = yaml.safe_dump(changes, sort_keys=False, default_flow_style=True).strip() if changes else "the base"
        lines.append(f"- **{name}**: {code(text)}")
    say("\n".join(lines))
