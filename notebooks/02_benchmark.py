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
# # Benchmark
#
# Every system on the same features, folds, seeds and clips. The epoch is chosen on dev alone.
#
# UAR, the mean recall of the classes, is the primary metric; WAR is accuracy. Values are pooled over folds and
# averaged over seeds. Intervals come from drawing speakers with replacement, because clips of one speaker are not
# independent. `chance`, `majority` and `raters:…` are reference rows, not trained systems.

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
    display(Markdown(f"## {draw.title(parameters, benchmark, 'scores')}"))
    display(Markdown(tables.caption(parameters, benchmark, "scores in per cent.")))
    display(HTML(tables.main_table(table("summary", benchmark)).to_html(index=False, border=0)))
    show(draw.draw(parameters, benchmark, "forest"))

# %% [markdown]
# ## Against the reference
#
# Differences on identical clips. The permutation test swaps the two systems' outputs speaker by speaker and looks
# at UAR; McNemar's mid-p looks at the pooled clips and ignores that clips of one speaker belong together, so the
# first is the one to trust. Both are corrected for the number of systems (Holm).

# %% tags=["hide-input"]
for benchmark in benchmarks:
    compared = table("comparisons", benchmark)
    if compared.empty:
        display(Markdown(f"{benchmark} has one system."))
        continue
    display(Markdown(f"### {benchmark}"))
    show(draw.draw(parameters, benchmark, "comparisons"))
    display(HTML(tables.difference_table(compared).to_html(index=False, border=0)))
    for row in table("friedman", benchmark).itertuples():
        display(
            Markdown(
                f"Ranks over folds (Friedman): χ² = {row.statistic:.2f}, p = {row.p:.4f},"
                f" {row.systems:.0f} systems, {row.folds:.0f} folds."
            )
        )
    pairs = table("nemenyi", benchmark)
    if len(pairs):
        display(Markdown("Pairs that differ after Nemenyi (p < 0.05):"))
        shown = pairs.loc[pairs["p"] < 0.05, ["system", "other", "rank", "other_rank", "p"]].round(3)
        display(HTML(shown.to_html(index=False, border=0)) if len(shown) else Markdown("none."))

# %% [markdown]
# ## Confusion
#
# Share of each label's clips in per cent, clips in brackets, summed over folds and seeds.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    show(draw.draw(parameters, benchmark, "confusion"))

# %% [markdown]
# ## Classes and calibration

# %% tags=["hide-input"]
for benchmark in benchmarks:
    show(draw.draw(parameters, benchmark, "classes"))

# %% [markdown]
# ## Optimism
#
# What a run would have gained had its epoch been chosen on the test fold. The test score of each epoch is recorded
# for this purpose alone and chooses nothing.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    if len(table("optimism", benchmark)):
        show(draw.draw(parameters, benchmark, "optimism"))

# %% [markdown]
# ## Learning curves
#
# Mean over runs, band from the 10th to the 90th percentile; an epoch is drawn where half of the runs reached it.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    show(draw.draw(parameters, benchmark, "learning_curves"))
