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
from ugcl.plan.names import TITLES
from ugcl.reports import theme
from ugcl.reports.figures import draw, errors as error_figures
from ugcl.reports.labels import units
from ugcl.reports.tables import dialogues, scores
from ugcl.reports.pages.notebook import figure, rows, say, show, start, table

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

# %% tags=["hide-input"]
for benchmark in benchmarks:
    found = table("turns", benchmark)
    if found.empty:
        continue
    metric, drawn = TITLES[parameters.protocol(benchmark).primary], units(parameters, benchmark)
    say(f"## Turns of dialogues, {benchmark}")
    say(
        f"Scores ({metric}) by the place of a clip in its dialogue, the number of tested clips before it. Where a system reads the"
        " dialogue and another of the same settings does not, the difference is what context adds: at turn 0 a system that"
        " reads the past alone has none. Turns differ in their labels too, so that a slope by itself says little of context."
    )
    say(
        "An emotion shift is a turn whose speaker had another label in the turn before (`label changed`). A system that leans"
        " on context may keep the label before: the last column counts how often it does."
    )
    title = draw.title(parameters, benchmark, "turns of dialogues")
    show(error_figures.turns(found, theme.colours(parameters), drawn, title))
    say(f"Scores in per cent ({metric}) with the 95 % interval over {drawn}; clips in brackets:")
    for attribute in ("turn", "shift"):
        rows(dialogues.by_turn(found, attribute))
    gains = dialogues.gains(found)
    if len(gains):
        say("What context adds, in points, on the same clips:")
        rows(gains)
    changed = table("shifts", benchmark)
    if len(changed):
        reference, classes = parameters.benchmark(benchmark).reference, parameters.protocol(benchmark).classes
        title = draw.title(parameters, benchmark, f"{reference} after a change of the speaker's label")
        show(error_figures.shifts(changed, classes, reference, title))
