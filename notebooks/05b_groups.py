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
# # Speakers and groups
#
# How evenly a system works: on single speakers, and on groups of clips by sex, age, race and ethnicity of the speaker,
# by level of the emotion and by sentence, where the corpus names them.
#
# Groups are as the corpus describes its speakers. A gap in these scores may come from the few speakers of a group, from
# how they were recorded, or from the labels; it is not evidence about people of that group. A gap that is not found may be
# there all the same: look at the width of its interval.

# %% tags=["hide-input"]
from ugcl.reports.labels import units
from ugcl.reports.tables import scores
from ugcl.reports.pages.notebook import figure, rows, say, start, table

parameters = start(root)

# %% [markdown]
# ## Speakers
#
# A dot is a test speaker, at the UAR over the classes of which the speaker has clips. It is UAR also where the benchmark's
# primary metric is another: an F1 weighted by clips would show which classes a speaker has. The spread over speakers is why
# intervals come from drawing speakers and not clips, where speakers are in one part only. The speaker named is the system's hardest.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    figure(parameters, benchmark, "speakers")

# %% [markdown]
# ## Groups
#
# Left, the reference system's UAR on a group's clips; right, how many points that is above or below the other groups of the
# same attribute, over the classes that both have. Groups are compared one by one without correction: of twenty gaps
# one is expected to leave zero by chance. Grey groups have few speakers or no clip of some class: little
# can be said of them, and under five speakers no interval is shown.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    reference = parameters.benchmark(benchmark).reference
    found = scores.subgroup_table(table("subgroups", benchmark), reference)
    if found.empty:
        say(f"{benchmark}: the corpus has no groups to compare.")
        continue
    figure(parameters, benchmark, "subgroups")
    say(f"UAR in per cent, gap in points, each with its 95 % interval over {units(parameters, benchmark)}:")
    rows(found)
