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
# # Benchmark
#
# Every system on the same features, folds, seeds and clips. The epoch is chosen on dev alone.
#
# UAR, the mean recall of the classes, is the primary metric where a benchmark names no other; WAR is accuracy. Values are
# pooled over folds and averaged over seeds. Intervals come from drawing speakers with replacement, because clips of one
# speaker are not independent; or from drawing dialogues, where speakers recur in all parts of the corpus. Grey rows (`chance`, `majority`, `raters:…` and the like) are references, not trained systems.
#
# A score says how often a system gives a clip's label, not how well it knows what a person feels.

# %% tags=["hide-input"]
from ugcl.plan.evaluation import by_speaker
from ugcl.reports.figures import comparisons as comparison_figures, draw
from ugcl.reports.tables import scores, papers as tables
from ugcl.reports.tables.methods import methods_table
from ugcl.reports import theme
from ugcl.reports.labels import units
from ugcl.reports.pages.notebook import figure, heading, labels, rows, say, show, start, table

parameters = start(root)
labels(parameters, benchmarks)

# %% tags=["hide-input"]
for benchmark in benchmarks:
    heading(parameters, benchmark)
    say(f"Per cent, with 95 % intervals over {units(parameters, benchmark)}:")
    rows(tables.main_table(table("summary", benchmark)).drop(columns=["folds", "seeds"]))
    for system in by_speaker(parameters, benchmark):
        say(f"{system}: {tables.BY_SPEAKER}.")
    figure(parameters, benchmark, "forest")

# %% [markdown]
# ## Against the reference
#
# Differences on identical clips. Interval and p are one inference, Student's t over speakers and training runs: p is
# below .05 where, and only where, the interval leaves out zero. It asks whether one way to train beats the other on
# new speakers. `p (Holm)` is corrected for the comparisons of the row's family: those planned before training
# (`planned` in the parameters), and the exploratory rest.
#
# `p sign flips` asks less: whether these trained models differ on speakers of this kind. It swaps the two systems'
# outputs speaker by speaker, exactly where there are up to 40 speakers (16 where the metric is an F1), and takes luck in
# training for a difference of the systems; it is not corrected. Few speakers cannot give a small one: five never less than
# .0625. Where intervals are by dialogue, read dialogue for speaker in all of this.
#
# A large p does not prove that two systems are equal. The pale band in the figure, `detectable` in the table, is the
# smallest true difference that these speakers would show in four of five tries: of a smaller one nothing can be
# concluded. `effect size g` is the mean difference of the speakers in units of its spread over them (Hedges' g);
# it describes how uniformly speakers differ, not how much.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    compared = table("comparisons", benchmark)
    if compared.empty:
        say(f"{benchmark} has one system: nothing to compare.")
        continue
    figure(parameters, benchmark, "comparisons")
    primary = parameters.protocol(benchmark).primary
    rows(tables.difference_table(compared, primary))
    say(tables.inference(compared, primary))

# %% [markdown]
# ## Ranks over folds
#
# Systems are ranked on each fold and the ranks averaged. Friedman's test asks whether they differ at all; two systems
# further apart than the critical difference differ by Nemenyi's test. Folds share training clips and are few, so this
# is the coarsest of the tests here: a bar that joins two systems means only that the folds do not separate them.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    if table("friedman", benchmark).empty:
        say(f"{benchmark}: ranks take three systems that differ, and two folds.")
        continue
    figure(parameters, benchmark, "critical_difference")
    pairs = table("nemenyi", benchmark)
    differ = scores.pair_table(pairs[pairs["p"] < 0.05])
    if differ.empty:
        say("No pair differs after Nemenyi (p < 0.05).")
    else:
        say("Pairs that differ after Nemenyi (p < 0.05), the surest first, at most 20:")
        rows(differ)

# %% [markdown]
# ## Where the methods come from
#
# Grade A equals released code on recorded numbers, which a test compares; B follows formulae read in released code or
# in the full text; C reconstructs an abstract, so its number says nothing about that publication. All of them read
# the same features here: what a publication owes to its own encoders or pre-training is not in these rows.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    rows(methods_table(parameters, benchmark))

# %% [markdown]
# ## Beside published results
#
# A published number stands beside ours only where the protocol is the same: the same clips, labels, classes and
# folds. `caveat` says what still differs, most often that the epoch was chosen on the test fold, which raises a score.
# All others are listed apart with the reason and must not be ranked against ours. `grade`: read in the paper or its
# code (primary), in a source that cites it (secondary), computed from published outputs (measured).

# %% tags=["hide-input"]
for benchmark in benchmarks:
    say(f"### {benchmark}")
    summary, published = table("summary", benchmark), table("published", benchmark)
    if published.empty:
        say("No published results of this corpus are listed.")
        continue
    comparable = published[published["comparable"] == "yes"]
    if comparable.empty:
        say("None of the published results listed was made under this protocol.")
    else:
        metric = comparison_figures.shared_metric(comparable)
        title = draw.title(parameters, benchmark, "published results of the same protocol")
        palette, drawn = theme.colours(parameters), units(parameters, benchmark)
        show(comparison_figures.published(summary, comparable, palette, metric, title, drawn))
        rows(scores.published_table(summary, published))
    apart = scores.apart_table(published)
    if len(apart):
        say("**Apart**, under other protocols:")
        rows(apart)

# %% [markdown]
# ## Confusion
#
# Share of each label's clips in per cent, clips in brackets, summed over folds and seeds.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    figure(parameters, benchmark, "confusion")

# %% [markdown]
# ## Classes and calibration

# %% tags=["hide-input"]
for benchmark in benchmarks:
    figure(parameters, benchmark, "classes")

# %% [markdown]
# ## Optimism
#
# What a run would have gained had its epoch been chosen on the test fold. The test score of each epoch is recorded
# for this purpose alone and chooses nothing.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    if len(table("optimism", benchmark)):
        figure(parameters, benchmark, "optimism")

# %% [markdown]
# ## Learning curves
#
# Mean over runs, band from the 10th to the 90th percentile; an epoch is drawn where half of the runs reached it.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    figure(parameters, benchmark, "learning_curves")
