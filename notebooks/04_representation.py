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
# # Representation
#
# Tokens and attention of each benchmark's reference system: which tokens of its codebook it uses, which clips have
# similar tokens, and which moments it attends to. Every run is analysed on its test fold, for the first seed
# only. Each fold has a codebook and a space of its own, so nothing is compared across folds.
#
# These pages describe one system. They do not show that a part is needed: for that, see the ablations.

# %% tags=["hide-input"]
from ugcl.reports.tables import columns
from ugcl.reports.pages.notebook import figure, rows, say, start, table
from ugcl.plan.figures import has_tokens

parameters = start(root)
looked_at = [benchmark for benchmark in benchmarks if has_tokens(parameters, benchmark)]
for benchmark in benchmarks:
    if benchmark not in looked_at:
        say(
            f"The reference of {benchmark}, {parameters.benchmark(benchmark).reference}, has no codebook of tokens."
        )

# %% [markdown]
# ## Use of the codebook
#
# A clip spreads its weight over the tokens. Perplexity is the number of tokens that would give the same entropy if
# all were used equally: of all clips together, and of one clip on average. Close to the size of the codebook means
# that nearly all tokens are used by nearly every clip, so that single tokens say little; close to one would mean
# that the codebook has collapsed. Dead tokens have less than a tenth of an even share; tokens never largest are the
# largest of no clip.

# %% tags=["hide-input"]
for benchmark in looked_at:
    figure(parameters, benchmark, "tokens")
    rows(columns.token_usage(table("token_usage", benchmark)))

# %% [markdown]
# ## Map of the tokens
#
# Clip-level tokens of both modalities in the plane (t-SNE), test clips of the first fold. The three panels show the
# same points. Distances between far groups and the sizes of groups mean nothing in such a map; what can be read is
# which points are neighbours: clips of a label, of a speaker, or of a modality.

# %% tags=["hide-input"]
for benchmark in looked_at:
    figure(parameters, benchmark, "token_map")

# %% [markdown]
# ## Finding the other half of a clip
#
# A clip's sound asks for its picture among all test clips of the fold, and the other way round. The last panel asks
# for less: that the first answer has the same emotion label, whoever speaks.

# %% tags=["hide-input"]
for benchmark in looked_at:
    figure(parameters, benchmark, "retrieval")

# %% [markdown]
# ## Most similar clips
#
# Hard negatives: of each clip, the clip of another label whose tokens are most similar. The figure counts the
# labels of the most similar pairs over all folds, at most 200; the table lists the first of them, each pair once.
# Where the similarity is higher than `with its own half`, the system finds the other clip more like it than its own
# sound is like its own picture.

# %% tags=["hide-input"]
for benchmark in looked_at:
    figure(parameters, benchmark, "hard_negatives")
    rows(columns.hard_negatives(table("hard_negatives", benchmark)))

# %% [markdown]
# ## Attention over time
#
# Weights of the pooling over time, for the clip of each class that is right with most confidence, first fold. One is
# an even share of all frames. The clips are chosen because they are clear cases and are not a sample; a high
# weight shows where the network attends, not why it gives its answer.

# %% tags=["hide-input"]
for benchmark in benchmarks:
    if len(table("attention", benchmark)):
        figure(parameters, benchmark, "attention")
