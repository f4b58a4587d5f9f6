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
# # Reproducibility
#
# Code, software, devices and data of the numbers, how to reproduce them, and what choosing by the test fold
# would have added to them.

# %% tags=["hide-input"]
from ugcl.reports.tables import columns
from ugcl.reports.tables.cells import counted
from ugcl.reports.pages.notebook import figure, heading, plain, rows, say, start, table

parameters = start(root)

# %% [markdown]
# ## Lineage
#
# A lineage is a hash of the code and of the parameters that a result depends on, from the data onwards. All runs of
# a system have one lineage; the lineage of its scores is the one that `summary.csv` and the front page print. Two
# lineages in a cell would mean that runs of different code were mixed.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    heading(parameters, benchmark)
    rows(columns.runs(table("runs", benchmark), table("summary", benchmark)))

# %% [markdown]
# ## Seeds
#
# A run's seed sets the first weights, the order of the clips and what dropout leaves out.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    entry = parameters.benchmark(benchmark)
    seeds = ", ".join(map(str, entry.seeds))
    count, folds = counted(len(entry.seeds), "seed"), counted(len(parameters.folds(benchmark)), "fold")
    say(f"{benchmark}: {count} of training ({seeds}), {folds}.")
    if len(entry.seeds) == 1:
        say("One seed alone: how much a score moves from training to training is not known.")
evaluate = parameters.evaluate
say(
    f"Resampling: seed {evaluate.seed}, {evaluate.bootstrap:,} draws of the speaker bootstrap,"
    f" {evaluate.permutations:,} of the sign-flip test where it is not exact."
)

# %% [markdown]
# ## Environment
#
# From the cards of all runs; `runs` counts the runs with that entry. An entry that not all runs share shows a
# difference between them.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    if len(benchmarks) > 1:
        say(f"### {benchmark}")
    rows(columns.environment(table("environment", benchmark), ("code", "software", "device")))

# %% [markdown]
# ## Data that the runs read
#
# Files and the first digits of their SHA-256. The index of a feature store names the hash of each of its shards.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    if len(benchmarks) > 1:
        say(f"### {benchmark}")
    rows(columns.environment(table("environment", benchmark), ("data",)))

# %% [markdown]
# ## Optimism
#
# The epoch of every run is chosen on dev clips: the highest dev score in the benchmark's primary metric, UAR where none is
# named, of equal ones the least dev loss, then the earliest. The table of optimism by system in `results/tables` counts the runs where several epochs tie. The test
# score of each epoch is recorded to know what choosing it on the test fold would have added, in points of that metric, and
# chooses nothing. The interval is over folds.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    if len(table("optimism", benchmark)):
        figure(parameters, benchmark, "optimism")
        rows(columns.optimism(table("optimism_by_system", benchmark)))

# %% [markdown]
# ## Time

# %% tags=["hide-input"]
for benchmark in benchmarks:
    cost = table("cost", benchmark)
    hours = cost["train_seconds_total"].sum() / 3600
    say(
        f"{benchmark}: {cost['runs'].sum():.0f} runs, {hours:.2f} hours of training in all,"
        f" on {', '.join(map(plain, dict.fromkeys(cost['train_device'])))}."
    )

# %% [markdown]
# ## Reproduce
#
# `snakemake --cores 2 all` makes everything here from raw media and trains nothing twice; `snakemake -n all` lists
# what is out of date. With the same code, data, versions and device, the tables in `results/tables` come out the
# same byte for byte. Another device or another version of a library may change the last digits, and with them the
# prediction of single clips.
