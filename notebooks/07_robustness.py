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
# # Robustness
#
# The effect of noise, lost frames, bad synchrony or a missing modality on systems trained on clean clips.
# The test clips are changed, nothing is trained again. Noise is white and is added to the sound before its features
# are computed; lost frames show the last one that came; a shift lets the audio features come late or early.
#
# Where the benchmark asks for it (`label_noise`), systems are also trained once more with a share of the training
# labels turned to another class. Dev and test keep their labels.
#
# These are simple, controlled faults. They do not stand for rooms, phones or codecs, and a system that is steady
# here may still fail on recordings of another kind.

# %% tags=["hide-input"]
from ugcl.plan.names import TITLES
from ugcl.reports.labels import units
from ugcl.reports.tables import columns
from ugcl.reports.pages.notebook import figure, heading, rows, say, start, table

parameters = start(root)

# %% tags=["hide-input"]
for benchmark in benchmarks:
    heading(parameters, benchmark)
    found = table("robustness", benchmark)
    if found.empty:
        say("No condition is asked for: in `params.yaml`, `evaluate.robustness` and the benchmark's `label_noise` are empty.")
        continue
    figure(parameters, benchmark, "robustness")
    primary = parameters.protocol(benchmark).primary
    say(
        f"{TITLES[primary]} on clean clips in per cent, then points from there on the same clips. ∗: the 95 % interval"
        f" over {units(parameters, benchmark)} excludes zero, not corrected for the number of conditions. Without it, this benchmark does not show"
        f" an effect of the condition. The intervals are in `results/tables/{benchmark}/robustness.csv`."
    )
    rows(columns.robustness(found, primary))
    without = columns.cannot(found)
    if len(without):
        say("Conditions that do not apply to a system:")
        rows(without)
