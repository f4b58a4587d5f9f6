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
# An ablation has the reference's architecture and differs in the settings named under `changes`. Differences are
# points of the ablated system minus the full one, on identical clips, so that left of zero the part that was taken
# away helps. An interval that holds zero means that this benchmark cannot tell.

# %% tags=["hide-input"]
import os

from IPython.display import HTML, Markdown, display

from ugcl import config
from ugcl.reports import draw, tables
from ugcl.reports.notebook import show, table

os.chdir(root)
parameters = config.load()

# %% tags=["hide-input"]
for benchmark in benchmarks:
    display(Markdown(f"## {draw.title(parameters, benchmark, 'ablations')}"))
    ablations = table("ablations", benchmark)
    if ablations.empty:
        display(Markdown("No system of this benchmark is an ablation of its reference."))
        continue
    show(draw.draw(parameters, benchmark, "ablations"))
    display(HTML(tables.difference_table(ablations).to_html(index=False, border=0)))

# %% [markdown]
# ## What each system changes
#
# The override map of every system over the base sections of `params.yaml`.

# %% tags=["hide-input"]
import yaml

for benchmark in benchmarks:
    display(Markdown(f"### {benchmark}"))
    lines = []
    for name in parameters.benchmark(benchmark).systems:
        changes = parameters.systems[name].model_dump(exclude_defaults=True)
        text = yaml.safe_dump(changes, sort_keys=False, default_flow_style=True).strip() if changes else "the base"
        lines.append(f"- **{name}**: `{text}`")
    display(Markdown("\n".join(lines)))
