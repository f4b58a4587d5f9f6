"""Class probabilities of another corpus's test clips by the runs of a trained system."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd

from ugcl.config import Config, Run
from ugcl.config.system.transfer import Transfer, check_encoder
from ugcl.data import tables
from ugcl.data.dataset import ClipDataset
from ugcl.data.labels import units
from ugcl.devices import choose_device
from ugcl.errors import UgclError
from ugcl.identity import compare
from ugcl.inference import temperature
from ugcl.inference.probabilities import probabilities
from ugcl.plan import paths

log = logging.getLogger(__name__)
Probabilities = dict[tuple[int, int], np.ndarray]
"""(seed, fold) of a run → (clips, classes)."""
MEDIA = ("audio_sha256", "video_sha256")


def check_apart(config: Config, pair: Transfer) -> None:
    """Refuse a target that shares clips or speakers with the corpus of the training.

    The same recording, whatever its name, gives the same hash. Two entries of `corpora` that one adapter
    reads are one corpus, whose speakers keep their names; folders of users are compared by hashes alone, as
    names there say nothing.

    Raises:
        UgclError: the first clip or speaker of both.
    """
    names = [config.benchmark(name).corpus for name in (pair.source, pair.target)]
    trained, tested = (tables.read_manifest(paths.manifest(name)) for name in names)
    advice = "take a target with other people, or take the clips out of one of the corpora"
    for column in MEDIA:
        hashes = trained.loc[trained[column] != "", [column, "clip"]].drop_duplicates(column)
        both = tested[tested[column] != ""].merge(hashes, on=column, suffixes=("", "_trained"))
        if len(both):
            first, own = both.iloc[0], column.removesuffix("_sha256")
            raise UgclError(
                f"transfer {pair.trained} → {pair.target}: clip {first['clip']} of {names[1]} has the same"
                f" {own} file as {first['clip_trained']} of {names[0]}, which trains; {advice}"
            )
    first, second = (config.corpus(name) for name in names)
    same = first.adapter == second.adapter != "folder"
    if same and getattr(first, "seed", None) == getattr(second, "seed", None):
        shared = sorted(set(trained["speaker"]) & set(tested["speaker"]))
        if shared:
            raise UgclError(
                f"transfer {pair.trained} → {pair.target}: {names[0]} and {names[1]} are both read as"
                f" {first.adapter} and share speaker {shared[0]}; {advice}"
            )


def predicted(config: Config, pair: Transfer) -> tuple[pd.DataFrame, Probabilities]:
    """What each run of a trained system says of the target's test clips.

    Args:
        pair: of `transfer`, already checked against the parameters.

    Returns:
        The clips of all folds' test parts, each once (clip, speaker, unit, label of the target), and of each
        run the probabilities of its own classes in the order of these clips, without temperature.

    Raises:
        UgclError: a run or features are missing, the run was trained on features of other settings, or the
            corpora share clips or speakers.
    """
    from ugcl.data.parts import BenchmarkData
    from ugcl.training.state.checkpoint import load_run

    check_apart(config, pair)
    run = config.resolve(pair.source, pair.system)
    protocol, entry = config.protocol(pair.target), config.benchmark(pair.target)
    reads = run.model_copy(
        update={"benchmark": pair.target, "protocol": protocol, "features": entry.features}
    )
    data = BenchmarkData(config, pair.target)
    parts = [data.fold(reads, fold, ("test",), by_clip=True)["test"] for fold in config.folds(pair.target)]
    names = pd.Series([clip for part in parts for clip in part.clips])
    kept = ~names.duplicated().to_numpy()
    clips = _clips(data.manifest, parts, protocol.intervals)[kept].reset_index(drop=True)
    device = choose_device(config.evaluate.accelerator, "evaluate")
    found: Probabilities = {}
    for seed in config.benchmark(pair.source).seeds:
        for fold in config.folds(pair.source):
            folder = paths.MODELS / paths.run(pair.source, pair.system, seed, fold)
            model, card = load_run(folder)
            _check_features(config, pair, Run.model_validate(card.run), card.features, parts[0])
            each = [probabilities(model, part, config.evaluate.batch, device) for part in parts]
            found[seed, fold] = np.concatenate(each)[kept]
        log.info("%s on %s: seed %d, %d clips", pair.trained, pair.target, seed, len(clips))
    return clips, found


def scaled(pair: Transfer, found: Probabilities) -> Probabilities:
    """The same at the temperatures that the runs' own dev clips gave."""
    known = temperature.read_table(pair.source, pair.system)["temperature"]
    return {run: temperature.scale(p, known[run]) for run, p in found.items()}


def _clips(manifest: pd.DataFrame, parts: list[ClipDataset], kind: str) -> pd.DataFrame:
    rows = pd.concat([part.rows[["clip", "speaker", "label"]] for part in parts], ignore_index=True)
    unit = units(manifest, kind).set_axis(manifest["clip"])
    return rows.assign(unit=unit[rows["clip"]].to_numpy())


def _check_features(config: Config, pair: Transfer, run: Run, infos: dict, part: ClipDataset) -> None:
    """The target's features are those that a run was trained on, by its card."""
    for modality, info in infos.items():
        name = run.features[modality]
        try:
            check_encoder(config, pair, modality, name, run.encoders[name])
        except ValueError as error:
            raise UgclError(str(error)) from None
        own = part.stores[modality].info.to_dict()
        wanted = {key: value for key, value in info.to_dict().items() if key != "encoder"}
        again = f"extract {config.benchmark(pair.target).corpus} again with the settings of {name!r}"
        compare(f"{modality} features of {pair.target}", own, wanted, again)
