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
# # Cost
#
# What each system costs to train and to use. Operations count a multiplication and an addition as two, in matrix
# products, convolutions and attention, for one clip of middle length. Latency and throughput go from features to
# probabilities; encoders are left out, because all systems of a benchmark share them, but for pretrained networks that
# a system trains itself. Size counts what is trained.
#
# Size and operations are facts of the network. Times and memory are of the device named below and of its load on
# that day: compare them within a table, not with other machines.

# %% tags=["hide-input"]
from ugcl.reports.tables import columns
from ugcl.reports.pages.notebook import figure, heading, plain, rows, say, start, table

parameters = start(root)

# %% tags=["hide-input"]
for benchmark in benchmarks:
    heading(parameters, benchmark)
    found = table("cost", benchmark)
    figure(parameters, benchmark, "cost")
    rows(columns.cost(found))
    for column, words in {"device": "Speed measured on", "train_device": "Trained on"}.items():
        say(f"{words}: {', '.join(map(plain, dict.fromkeys(found[column])))}.")
    for system in parameters.benchmark(benchmark).systems:
        if networks := parameters.resolve(benchmark, system).encoder.networks:
            say(f"{plain(system)}: its work and times include the network of {' and '.join(networks)}.")
