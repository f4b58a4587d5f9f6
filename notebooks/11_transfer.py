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
# # Other corpora
#
# Systems that were trained on one corpus and are tested on the test clips of another, as `transfer` in the parameters
# names them. Nothing is trained again. Every row is scored among the classes that both corpora have: probabilities of
# other classes are dropped, and the rest are made to sum to one. *Other class* is the share of clips of which a
# dropped class was the first choice.
#
# *Runs vote* is the mean of a seed's runs over all folds of its own corpus; *one run* is each of them by itself,
# averaged, which is what to compare with the target's own systems: of these, too, one run judges each clip. The row
# of the system in its own benchmark says what is lost.
#
# Corpora differ in language, rooms, microphones, actors, and in what was asked of them, all at once. A lower score does
# not say which of these is the cause.

# %% tags=["hide-input"]
from ugcl.plan import transfer as made
from ugcl.plan.names import TITLES
from ugcl.reports.labels import units
from ugcl.reports.pages.notebook import figure, heading, rows, say, start, table
from ugcl.reports.tables import transfer
from ugcl.reports.text import plain

parameters = start(root)

# %% tags=["hide-input"]
for benchmark in made.targets(parameters):
    heading(parameters, benchmark)
    figure(parameters, benchmark, "transfer")
    scores, counts = (table(name, benchmark) for name in made.TABLES)
    primary = parameters.protocol(benchmark).primary
    for pair in made.pairs(parameters, benchmark):
        own = scores[(scores["trained"] == pair.source) & (scores["system"] == pair.system)]
        mark = own["marks"].iloc[0]
        say(f"### {plain(pair.trained)} on {plain(benchmark)}" + (f" [{mark}]" if mark else ""))
        say(plain(transfer.matched(own.iloc[0])))
        say(
            f"{TITLES[primary]} is the primary metric; intervals are 95 % over {units(parameters, benchmark)}, mean of"
            " the seeds. ECE after scaling: at the temperatures of each system's own dev clips, so that a larger one than"
            " at home is the shift of calibration."
        )
        rows(transfer.scores(own, primary))
        say("Labels of the clips (rows) and predicted classes, per cent of each label's clips, before any class is dropped:")
        of_pair = (counts["trained"] == pair.source) & (counts["system"] == pair.system)
        rows(transfer.confusion(counts[of_pair]))
