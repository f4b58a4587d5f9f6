"""Tokens and attention of a benchmark's reference system on its test clips, in a few small tables.

They come from the first seed's runs, each on its test fold. Every fold has its own codebook and space, so
nothing is compared across folds. A method that does not declare `has_tokens` has empty tables of tokens.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd

from ugcl.config import Config
from ugcl.data.parts import BenchmarkData
from ugcl.data.shards import FeatureInfo
from ugcl.devices import choose_device
from ugcl.evaluation.networks.embeddings import Inside, look
from ugcl.evaluation.schemas import schema
from ugcl.evaluation.schemas.networks import REPRESENTATION as COLUMNS
from ugcl.models.codebook import DEAD
from ugcl.plan import paths
from ugcl.plan.evaluation import REPRESENTATION, represent_outputs, score
from ugcl.training.state.checkpoint import load_run

log = logging.getLogger(__name__)

PAIRS = 200  # most pairs of clips that the table of hard negatives keeps
MAPPED = 600  # most clips on the map


def tokens(inside: Inside) -> pd.DataFrame:
    """How often each token of the codebook is used.

    Returns:
        modality, token (from 0), share (its mean weight over clips), first (share of the clips whose largest
        weight it has).
    """
    parts = []
    for modality, weights in inside.assignments.items():
        count = weights.shape[1]
        first = np.bincount(weights.argmax(1), minlength=count) / len(weights)
        frame = pd.DataFrame({"token": np.arange(count), "share": weights.mean(0), "first": first})
        parts.append(frame.assign(modality=modality))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS["tokens"][1:])


def token_usage(inside: Inside) -> pd.DataFrame:
    """How evenly the codebook is used.

    Returns:
        One row per modality: tokens K; entropy (nats) of the mean weights and its perplexity e^entropy, K if
        all are used equally; clip_perplexity, the mean of each clip's own; dead, tokens with less than 0.1
        of an even share; never_first, tokens that are not the largest of any clip.
    """
    rows = []
    for modality, weights in inside.assignments.items():
        count, mean = weights.shape[1], weights.mean(0)
        entropy, of_clips = _entropy(mean[None])[0], np.exp(_entropy(weights)).mean()
        dead, never_first = int((mean < DEAD / count).sum()), count - len(np.unique(weights.argmax(1)))
        rows.append((modality, count, entropy, np.exp(entropy), of_clips, dead, never_first))
    return pd.DataFrame(rows, columns=COLUMNS["token_usage"][1:])


def _entropy(weights: np.ndarray) -> np.ndarray:
    return -(weights * np.log(np.maximum(weights, 1e-300))).sum(1)


def retrieval(inside: Inside, labels: np.ndarray) -> pd.DataFrame:
    """Retrieve a clip's other modality among all test clips of the fold by the similarity of tokens.

    Returns:
        One row per direction: query and target modality, clips, recall_at_1, recall_at_5, mean_rank (1 is
        best; ties share the middle rank), the same by chance, and same_label_at_1: how often the nearest one
        has the clip's emotion.
    """
    rows = []
    for query, q in inside.tokens.items():
        for target, t in inside.tokens.items():
            if query == target:
                continue
            similarity = q @ t.T
            own = similarity.diagonal()[:, None]
            rank = 1 + (similarity > own).sum(1) + ((similarity == own).sum(1) - 1) / 2
            count, recall = len(rank), [(rank <= k).mean() for k in (1, 5)]
            chance = 1 / count, min(1.0, 5 / count), (count + 1) / 2
            same = (labels[similarity.argmax(1)] == labels).mean()
            rows.append((query, target, count, *recall, rank.mean(), *chance, same))
    return pd.DataFrame(rows, columns=COLUMNS["retrieval"][1:])


def hard_negatives(inside: Inside, clips: list[str], labels: np.ndarray) -> pd.DataFrame:
    """For each clip, the most similar clip of another emotion, on which SND trains.

    Similarity is the mean over ordered pairs of modalities of ⟨z_m of the clip, z_n of the other⟩.

    Returns:
        clip, label, other, other_label, similarity, own_similarity (of the clip's own halves), most similar
        first.
    """
    names = list(inside.tokens)
    pairs = [(a, b) for a in names for b in names if a != b]
    different = labels[:, None] != labels[None]
    if not pairs or not different.any():
        return pd.DataFrame(columns=COLUMNS["hard_negatives"][1:])
    similarity = np.mean([inside.tokens[a] @ inside.tokens[b].T for a, b in pairs], axis=0)
    allowed = np.where(different, similarity, -np.inf)
    other = allowed.argmax(1)
    names = np.array(clips)[other]
    values = clips, labels, names, labels[other], allowed.max(1), similarity.diagonal()
    frame = pd.DataFrame(dict(zip(COLUMNS["hard_negatives"][1:], values, strict=True)))
    return frame.sort_values(["similarity", "clip"], ascending=[False, True], ignore_index=True)


def token_map(inside: Inside, rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The tokens of all modalities in the plane by t-SNE (van der Maaten and Hinton, JMLR 9, 2008).

    Args:
        inside: of one fold.
        rows: clip, speaker, label of its clips; at most MAPPED of them, evenly spaced, are drawn.

    Returns:
        clip, speaker, label, modality, x, y.
    """
    from sklearn.manifold import TSNE

    kept = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MAPPED)).round().astype(int))
    points = [z[kept] for z in inside.tokens.values()]
    if not points or len(points) * len(kept) < 5:
        return pd.DataFrame(columns=COLUMNS["token_map"][1:])
    z = np.concatenate(points)
    # Of unit vectors, Euclidean distance orders as cosine distance does, and has a quick path.
    perplexity = min(30.0, (len(z) - 1) / 3)
    plane = TSNE(perplexity=perplexity, init="pca", random_state=seed, n_jobs=1).fit_transform(z)
    parts = [rows.iloc[kept][["clip", "speaker", "label"]].assign(modality=name) for name in inside.tokens]
    return pd.concat(parts, ignore_index=True).assign(x=plane[:, 0], y=plane[:, 1])


def attention(
    inside: Inside, rows: pd.DataFrame, classes: list[str], infos: dict[str, FeatureInfo]
) -> pd.DataFrame:
    """Pooling weights over time of one example clip per class: the one that is right with most confidence.

    Returns:
        clip, label, predicted, modality, frame, time (s, middle of the frame), weight (sums to 1 a clip).
    """
    parts = []
    truth = rows["label"].map(classes.index).to_numpy()
    predicted = inside.probabilities.argmax(1)
    for number, name in enumerate(classes):
        right = np.flatnonzero((truth == number) & (predicted == number))
        if not len(right):
            continue
        clip = int(right[inside.probabilities[right, number].argmax()])
        for modality, weights in inside.attention.items():
            info, frames = infos[modality], np.arange(len(weights[clip]))
            times = info.offset + frames / info.rate
            frame = pd.DataFrame({"frame": frames, "time": times, "weight": weights[clip]})
            own = {"clip": rows["clip"].iloc[clip], "label": name, "predicted": name, "modality": modality}
            parts.append(frame.assign(**own))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS["attention"][1:])


def token_tables(config: Config, benchmark: str) -> list[Path]:
    """Write the tables of :data:`COLUMNS` for a benchmark's reference system.

    The map and the attention are of the first fold alone.

    Raises:
        UgclError: a run, a split or features are missing.
    """
    entry, run = config.benchmark(benchmark), config.resolve(benchmark, config.benchmark(benchmark).reference)
    data = BenchmarkData(config, benchmark)
    infos = {m: store.info for m, store in data.stores(run).items()}
    device, classes = choose_device(config.evaluate.accelerator, "evaluate"), run.protocol.classes
    found: dict[str, list[pd.DataFrame]] = defaultdict(list)
    for fold in config.folds(benchmark):
        clips = data.fold(run, fold, ["test"], by_clip=True)["test"]
        folder = paths.MODELS / paths.run(benchmark, entry.reference, entry.seeds[0], fold)
        model, _ = load_run(folder, data=data.hashes(run, fold))
        inside = look(model, clips, config.evaluate.batch, device)
        rows, labels = clips.rows, clips.rows["label"].to_numpy()
        made = {
            "tokens": tokens(inside),
            "token_usage": token_usage(inside),
            "retrieval": retrieval(inside, labels),
            "hard_negatives": hard_negatives(inside, clips.clips, labels),
        }
        if not found:
            made["token_map"] = token_map(inside, rows, config.evaluate.seed)
            made["attention"] = attention(inside, rows, classes, infos)
        for name, frame in made.items():
            found[name].append(frame.assign(fold=fold))
        log.info("%s/%s: fold %d, %d clips", benchmark, entry.reference, fold, len(rows))
    for name in REPRESENTATION:
        full = [frame for frame in found[name] if len(frame)] or found[name][:1]
        whole = pd.concat(full, ignore_index=True)
        if name == "hard_negatives":
            whole = whole.sort_values(["similarity", "clip"], ascending=[False, True]).head(PAIRS)
        columns = COLUMNS[name].between("system")
        schema.write(whole.assign(system=entry.reference), columns, score(benchmark, name))
    return represent_outputs(benchmark)
