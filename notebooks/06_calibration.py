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
# # Calibration
#
# Whether a system that says "90 %" is right nine times in ten. Probabilities are looked at as the
# trained systems give them, without any correction afterwards.
#
# Probabilities are about the **label** of a clip, not about what a person feels.

# %% tags=["hide-input"]
from ugcl.reports.labels import units
from ugcl.reports.tables import scores
from ugcl.reports.pages.notebook import figure, rows, say, start, table

parameters = start(root)

# %% [markdown]
# ## Confidence and accuracy
#
# Test clips are put in bins of equally many by their highest class probability; a dot is a bin, its line the interval
# of its accuracy. Dots below the diagonal: surer than right. Dots above: more often right than sure. Bins are
# averaged over seeds. Intervals take clips as independent, which clips of one speaker are not, so they are
# too narrow; a bin that leaves the diagonal alone means little, a run of bins on one side means something.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    figure(parameters, benchmark, "reliability")

# %% [markdown]
# ## Scores of probabilities
#
# - **ECE**, the expected calibration error: the mean distance of the dots above from the diagonal. With few clips per
#   bin it is above zero even for a perfectly calibrated system, and it says nothing of accuracy. `ECE if calibrated`
#   is what such a system would show with the same confidences, with its 95 % band: an ECE inside the band shows no
#   miscalibration, and no system is better than another inside it. `ECE after scaling` is of each run's
#   probabilities at the temperature that its dev clips gave, which is how `ugcl predict` gives them.
# - **Brier score**: squared distance of the probabilities from the label, 0 to 2; pays for calibration and for accuracy.
# - **Log-loss**: minus the logarithm of the label's probability, in nats; one sure mistake costs much.
#
# A system can win on one and lose on another. `confidence` against `WAR` shows the direction: higher means too sure.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    summary = table("summary", benchmark)
    figure(parameters, benchmark, "calibration")
    drawn = units(parameters, benchmark)
    say(f"{benchmark}: ECE, confidence and WAR in per cent, Brier score, log-loss, with 95 % intervals over {drawn}:")
    rows(scores.calibration_table(summary, table("calibration", benchmark)))
