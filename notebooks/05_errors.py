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
# # Errors
#
# Where the reference system of each benchmark fails: classes that it takes for each other, the mistakes of which it
# is most sure, and clips on which the raters themselves do not say the label.
#
# A mistake here means that a system does not say the **label**. Where raters are divided the label is itself
# uncertain, and a "mistake" may be a fair answer.

# %% tags=["hide-input"]
from ugcl.evaluation.dialogues import view
from ugcl.reports.figures import draw, errors as error_figures
from ugcl.reports.pages.media import gallery
from ugcl.reports import theme
from ugcl.reports.pages.notebook import figure, labels, plain, raw, rows, say, show, start, table
from ugcl.reports.tables import columns, dialogues

parameters = start(root)
labels(parameters, benchmarks)

# %% [markdown]
# ## Classes taken for each other
#
# For each pair, the share of clips of one label that get the other, the mean of both ways. The two ways are written
# at the right: they differ where a system leans to one of the two classes. With few clips per class the intervals
# are wide, and the order of neighbouring pairs means little.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    figure(parameters, benchmark, "pairs")

# %% [markdown]
# ## Surest mistakes
#
# Test clips with a wrong answer, by the probability that the reference gave to it (the mean over seeds). They were
# picked because they are extreme: they show what can go wrong, not what usually does. `wrong seeds` counts the seeds
# that are wrong on their own; the raters' columns give the share of their votes.
#
# Clips can be played here only where the project made the corpus itself. Those of other corpora show actors under
# licences that this page could not keep: they are named, and `ugcl show CLIP` finds them on your machine.

# %% tags=["hide-input"]
MOST = 25
for benchmark in benchmarks:
    say(f"### {draw.title(parameters, benchmark, parameters.benchmark(benchmark).reference)}")
    errors = table("errors", benchmark)
    if cards := gallery.mistakes(parameters, benchmark, errors):
        say("Synthetic clips: faces are drawn, voices are a speech synthesiser's. No person is shown.")
        raw(cards)
    say(f"The first {min(MOST, len(errors))} of {len(errors)} listed in `results/tables/{benchmark}/errors.csv`:")
    rows(gallery.mistake_table(errors.head(MOST)))

# %% tags=["hide-input"]
for benchmark in benchmarks:
    if table("dialogues", benchmark).empty:
        continue
    reference = parameters.benchmark(benchmark).reference
    say(f"## Dialogues of {plain(draw.title(parameters, benchmark, reference))}")
    say(
        "The dialogues with most wrong answers of the reference, turn by turn; ✗: wrong, –: not known or not tested."
        " They are extreme, as the mistakes above are. `ugcl show BENCHMARK SYSTEM --dialogue NAME` shows any dialogue."
    )
    for name in view.most_wrong(parameters, benchmark, reference):
        say(f"### {plain(name)}")
        rows(dialogues.turns_of(view.view(parameters, benchmark, reference, name)), f"dialogue {name}")

# %% [markdown]
# ## Raters
#
# The corpus's raters voted on the same clips; a clip is disputed when their majority is not the label. Filled dots: how
# often a system says the label where the majority says it too. Hollow dots: where it does not. Crosses: how often
# the system then sides with the majority. Disputed clips are few, so the hollow dots and crosses are rough.
#
# In the table, shares are in per cent, the first with its interval. KL and cosine compare the system's probabilities
# with the votes, and the correlation of entropies is high if it is unsure where the raters are.
# Raters gave impressions; like the label, their majority is not a person's feeling.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    found = table("disagreement", benchmark)
    if found.empty:
        say(f"{benchmark}: the corpus has no raters' votes beside its label.")
        continue
    title = draw.title(parameters, benchmark, "systems and raters")
    show(error_figures.raters(found, theme.colours(parameters), title))
    rows(columns.disagreement(found))
