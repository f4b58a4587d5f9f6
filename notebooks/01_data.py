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
# # Data
#
# What each benchmark is made of: clips, speakers, classes, raters' votes, the parts of every fold, and the clips
# that were left out. Everything here is read from `results/tables`; nothing is computed.

# %% tags=["hide-input"]
from ugcl.reports.pages.notebook import figure, heading, labels, picture, plain, rows, say, start, table
from ugcl.reports.tables import columns
from ugcl.plan.reports import contact_sheet, contact_sheet_corpora

parameters = start(root)
labels(parameters, benchmarks)

# %% tags=["hide-input"]
for benchmark in benchmarks:
    heading(parameters, benchmark)
    say(f"Classes: {', '.join(map(plain, parameters.protocol(benchmark).classes))}.")
    figure(parameters, benchmark, "data")
    corpus = parameters.benchmark(benchmark).corpus
    if corpus in contact_sheet_corpora(parameters) and contact_sheet(parameters, corpus).is_file():
        say("Faces of the corpus, one row per actor. They are drawn, not filmed: no person is shown.")
        picture(contact_sheet(parameters, corpus), f"faces of the {corpus} corpus")

# %% [markdown]
# ## Clips by class and speaker

# %% tags=["hide-input"]
for benchmark in benchmarks:
    clips = table("clips", benchmark)
    counts = clips.pivot_table(index="speaker", columns="label", values="clip", aggfunc="count", fill_value=0)
    counts = counts[parameters.protocol(benchmark).classes]
    counts = counts.assign(all=counts.sum(axis=1)).rename_axis(columns=None)
    say(f"### {benchmark}")
    if len(counts) > 30:  # too many rows to read: how they spread
        spread = counts.describe().loc[["min", "25%", "50%", "75%", "max"]].astype(int)
        say(f"Clips per speaker, {len(counts)} speakers.")
        counts = spread.rename(index={"50%": "median"}).rename_axis("share of speakers")
    rows(counts.reset_index())

# %% [markdown]
# ## Parts and the leak audit
#
# A speaker must be in one part of a fold only. The last column names the speakers of a part that another part of the
# same fold has too.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    parts = table("parts", benchmark)
    leaks = parts[parts["shared"] != ""]
    verdict = "no speaker is shared by two parts of a fold" if leaks.empty else f"LEAKY: {len(leaks)} parts share speakers"
    say(f"### {benchmark}: {verdict}")
    rows(columns.parts(parts))

# %% [markdown]
# ## Raters
#
# How often the raters' majority is the label target: with ties counted as wrong, and among untied clips. Voice
# raters heard the sound alone, face raters saw the picture alone, multimodal raters had both.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    votes = table("votes", benchmark)
    if votes.empty:
        say(f"{benchmark}: the corpus has no votes.")
    else:
        rows(columns.votes(votes))

# %% [markdown]
# ## Left out
#
# Clips of the corpus that are in no part of a fold, and why: the protocol excludes them, their label is none of its
# classes, its fold scheme uses them in no part, or an encoder of the benchmark could not read them (quarantine). What is
# quarantined is left out for all systems. A clip that has no file or transcript of a modality, but has another one,
# stays where the benchmark says `absent: keep`.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    absent = table("left_out", benchmark).drop(columns=["benchmark", "marks"])
    say(f"### {benchmark}" + ("" if len(absent) else ": every clip is in a part of every fold"))
    if len(absent):
        folds = absent.groupby(["reason", "clips", "speakers"], sort=False)["fold"]
        rows(folds.agg(lambda numbers: ", ".join(map(str, numbers))).reset_index())
    bad = table("quarantine", benchmark)
    clips = table("clips", benchmark)
    say(f"Quarantine: {bad['clip'].nunique()} of {len(clips)} clips.")
    for modality, count in clips["absent"].str.split().explode().value_counts().items():
        say(f"Absent: {count} clips have no {modality}; they are in the parts.")
    if len(bad):
        bad["failure"] = bad["failure"].str.replace("_", " ")
        rows(bad.groupby(["modality", "failure"])["clip"].nunique().rename("clips").reset_index())
        rows(bad.drop(columns=["benchmark", "marks"]))
