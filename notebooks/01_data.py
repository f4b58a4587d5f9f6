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
#
# Labels name **posed** emotions as a corpus defines them: what an actor was asked to show, or what raters saw and
# heard. They are not what a person felt.

# %% tags=["hide-input"]
import os

from IPython.display import HTML, Image, Markdown, display

from ugcl import config
from ugcl.reports import draw
from ugcl.reports.outputs import contact_sheet, contact_sheet_corpora
from ugcl.reports.notebook import show, table

os.chdir(root)
parameters = config.load()

# %% tags=["hide-input"]
for benchmark in benchmarks:
    entry, protocol = parameters.benchmark(benchmark), parameters.protocol(benchmark)
    display(Markdown(f"## {draw.title(parameters, benchmark, f'{entry.corpus}, protocol {entry.protocol}')}"))
    display(Markdown(f"Label target **{protocol.label}**; classes: {', '.join(protocol.classes)}."))
    show(draw.draw(parameters, benchmark, "data"))
    if entry.corpus in contact_sheet_corpora(parameters) and contact_sheet(entry.corpus).is_file():
        display(Markdown("Faces of the corpus, one row an actor. They are drawn, not filmed: no person is shown."))
        display(Image(filename=str(contact_sheet(entry.corpus)), alt=f"faces of the {entry.corpus} corpus"))

# %% [markdown]
# ## Clips by class and speaker

# %% tags=["hide-input"]
for benchmark in benchmarks:
    clips = table("clips", benchmark)
    counts = clips.pivot_table(index="speaker", columns="label", values="clip", aggfunc="count", fill_value=0)
    counts = counts[parameters.protocol(benchmark).classes]
    counts = counts.assign(all=counts.sum(axis=1)).rename_axis(columns=None)
    display(Markdown(f"### {benchmark}"))
    if len(counts) > 30:  # too many rows to read: how they spread
        spread = counts.describe().loc[["min", "25%", "50%", "75%", "max"]].astype(int)
        display(Markdown(f"Clips a speaker, {len(counts)} speakers."))
        counts = spread.rename(index={"50%": "median"})
    display(HTML(counts.to_html(border=0)))

# %% [markdown]
# ## Parts and the leak audit
#
# A speaker must be in one part of a fold only. `shared` names the speakers of a part that another part of the same
# fold has too: the column is empty when the split is clean.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    parts = table("parts", benchmark)
    leaks = parts[parts["shared"] != ""]
    verdict = "no speaker is shared by two parts of a fold" if leaks.empty else f"LEAKY: {len(leaks)} parts share speakers"
    display(Markdown(f"### {benchmark}: {verdict}"))
    parts = parts.assign(minutes=(parts.pop("seconds") / 60).round(1))
    display(HTML(parts.drop(columns=["benchmark", "marks"]).to_html(index=False, border=0)))

# %% [markdown]
# ## Raters
#
# How often the raters' majority is the label target: with ties counted as wrong, and among untied clips. Voice
# raters heard the sound alone, face raters saw the picture alone, multimodal raters had both.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    votes = table("votes", benchmark)
    if votes.empty:
        display(Markdown(f"{benchmark}: the corpus has no votes."))
    else:
        display(HTML(votes.drop(columns=["marks"]).round(3).to_html(index=False, border=0)))

# %% [markdown]
# ## Quarantine
#
# Clips that an encoder of the benchmark could not read. They are left out of every part, for every system alike.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    bad = table("quarantine", benchmark)
    whole = len(table("clips", benchmark))
    display(Markdown(f"{benchmark}: {bad['clip'].nunique()} of {whole} clips."))
    if len(bad):
        counts = bad.groupby(["modality", "failure"])["clip"].nunique().rename("clips").reset_index()
        display(HTML(counts.to_html(index=False, border=0)))
        display(HTML(bad.drop(columns=["benchmark", "marks"]).to_html(index=False, border=0)))
