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
# # Search for settings
#
# What `ugcl tune` tried. A trial trains a system once per fold with other settings of `tune.space`; its value is the
# mean over folds of the dev score of the selected epoch, in the protocol's primary metric. Test clips are never read. Still, the dev clips of one fold
# are test clips of another, so that settings found over all folds have seen them once: the test score of a tuned
# system is slightly too high, and more so with more trials.
#
# The importance of a parameter is the share of the variance of the dev score over complete trials that it explains alone
# and with others (functional ANOVA on a random forest; Hutter, Hoos and Leyton-Brown, 2014). After few trials it is
# a rough guide.

# %% tags=["hide-input"]
from ugcl.reports import studies
from ugcl.reports.pages.notebook import heading, rows, say, show, start
from ugcl.plan.reports import studies as made

parameters = start(root)

# %% tags=["hide-input"]
for benchmark, system in made(parameters):
    if benchmark not in benchmarks:
        continue
    heading(parameters, benchmark)
    trials = studies.read(benchmark, system, "trials")
    importances = studies.read(benchmark, system, "importances")
    complete = trials[trials["state"] == "complete"]
    words = studies.score(trials)[1]
    say(
        f"### {system}\n\n{len(trials)} trials, {len(complete)} of them complete and the others cut short;"
        f" {trials['epochs'].sum():.0f} epochs, {trials['seconds'].sum() / 60:.0f} minutes."
    )
    if complete.empty:
        say("No trial was completed.")
        continue
    show(studies.history(trials, f"{benchmark}: search for settings of {system}"))
    if importances.empty:
        say("Too few complete trials for importances.")
    else:
        show(studies.importances(importances, f"{benchmark}: importance of the parameters of {system}", words))
    show(studies.slices(trials, f"{benchmark}: settings of {system} and {words}"))
    say("The best trials:")
    rows(studies.best(trials))
