"""A method as a scikit-learn classifier of arrays."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import ValidationError
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedGroupKFold, train_test_split
from sklearn.utils.validation import check_is_fitted

from ugcl.config import Run
from ugcl.config.base import first_fault
from ugcl.config.protocols import Protocol
from ugcl.config.system.sections import ADAPTERS
from ugcl.errors import UgclError
from ugcl.inference.api.arrays import MODALITIES, NAME, ArrayData, clips_of, dataset
from ugcl.inference.probabilities import probabilities

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from ugcl.training.loop import Outcome

OWN = ("method", "modality", "rate", "dev", "seed", "encoder", "loss", "train")
"""Parameters that are not settings of the method."""


class Classifier(ClassifierMixin, BaseEstimator):
    """A method of the package, or of a module of yours, trained on features in memory.

    It is trained by the loop of the workflow (:func:`ugcl.training.loop.fit`); the epoch is chosen on a dev
    part of the given clips. Features are scaled by the training part's mean and deviation. Settings that are
    not given have the defaults of the package, not those of a project's params.yaml.

    Example:
        >>> import numpy as np, ugcl
        >>> rng = np.random.default_rng(0)
        >>> y = np.repeat(["calm", "angry"], 20)
        >>> X = {"audio": [rng.normal(label == "calm", 1, (9, 4)) for label in y],
        ...      "video": rng.normal(size=(40, 3))}
        >>> model = ugcl.Classifier("concat", train={"epochs": 2})
        >>> model.fit(X, y, groups=np.arange(40) % 10).predict_proba(X).shape
        (40, 2)

    Attributes:
        classes_: the labels, sorted, in the order of the probabilities.
        history_: one row per epoch: learning rate, parts of the loss, dev scores.
        best_: the chosen epoch and its dev scores.
        dev_: numbers of the clips of the dev part.
        network_: the trained network, in eval mode.
    """

    def __init__(
        self,
        method: str = "ugcl",
        *,
        modality: str = "audio",
        rate: float | Mapping[str, float] | None = None,
        dev: float = 0.2,
        seed: int = 0,
        encoder: Mapping[str, Any] | None = None,
        loss: Mapping[str, Any] | None = None,
        train: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        """Name the method and what differs from its defaults; nothing is checked before `fit`.

        Args:
            method: name of `ugcl methods`, or `module:Class` of your own.
            modality: what X is of where it is one array: audio, video or text.
            rate: frames per second, of all modalities or by name; default 1. Methods that align modalities in
                time read it.
            dev: share of the clips that chooses the epoch.
            seed: of the dev part, the first weights, the batches and the augmentations.
            encoder, loss, train: changed keys of these sections, as in params.yaml.
            **settings: of the method, as in the section `method`.
        """
        self.method, self.modality, self.rate = method, modality, rate
        self.dev, self.seed = dev, seed
        self.encoder, self.loss, self.train = encoder, loss, train
        self.settings = settings

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The arguments of the constructor, those of the method included."""
        return {name: getattr(self, name) for name in OWN} | self.settings

    def set_params(self, **params: Any) -> Classifier:
        """Change arguments of the constructor; `train__epochs` is a key of `train`."""
        for name, value in params.items():
            name, _, key = name.partition("__")
            old = getattr(self, name) if name in OWN else self.settings.get(name)
            value = {**(old or {}), key: value} if key else value
            if name in OWN:
                setattr(self, name, value)
            else:
                self.settings = self.settings | {name: value}
        return self

    def fit(self, X: Any, y: Sequence[Any], groups: Sequence[Any] | None = None) -> Classifier:
        """Train the method.

        Args:
            X: features of N clips, see :func:`ugcl.inference.api.arrays.clips_of`.
            y: (N,) labels.
            groups: (N,) speakers; the dev part then has speakers of its own. Without them it is drawn by
                class, shares speakers with training, and a warning says so.

        Raises:
            UgclError: the data or a setting do not fit, or the loss became infinite.
        """
        from ugcl.training import devices, seeding
        from ugcl.training.loop import fit
        from ugcl.training.run import assemble

        if not 0 < self.dev < 1:
            raise UgclError(f"dev: {self.dev!r} is not a share of the clips; give one between 0 and 1")
        clips = clips_of(X, self.modality)
        labels = np.asarray(y)
        if labels.shape != (len(clips),):
            raise UgclError(
                f"y: has the shape {labels.shape} and X has {len(clips)} clips; give a label each"
            )
        self.classes_, codes = np.unique(labels, return_inverse=True)
        run = self._run([m for m in MODALITIES if any(m in clip for clip in clips)])
        parts = self._parts(codes, groups)
        self.dev_ = parts["dev"]
        rates = self.rate if isinstance(self.rate, Mapping) else dict.fromkeys(MODALITIES, self.rate or 1.0)
        data = ArrayData(clips, [run.protocol.classes[code] for code in codes], parts, rates)
        seeding.deterministic()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The `srun` command")
            fabric, seeds = devices.launch(run.train), (self.seed, 0)
        with devices.memory_advice(run.train):
            datasets, network = assemble(data, run, ["train", "dev"], seeds)
            outcome = kept = fit(fabric, network, run.train, datasets, seeds)
            if run.train.refit:
                datasets, network = assemble(data, run, ["train"], seeds, dev_is_train=True)
                kept = fit(fabric, network, run.train, datasets, seeds, last=int(outcome.best["epoch"]))
        return self._fitted(data, network, outcome, kept, fabric)

    def _fitted(
        self, data: ArrayData, network: Any, outcome: Outcome, kept: Outcome, fabric: Fabric
    ) -> Classifier:
        network.load_state_dict(kept.weights)
        self.network_, self._device = network.eval(), str(fabric.device)
        self._infos, self._scales = data.infos, data.scales
        self.history_, self.best_ = pd.DataFrame(outcome.history), dict(outcome.best)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Class probabilities, (N, C), not calibrated; a modality that a clip lacks counts as missing.

        Raises:
            UgclError: X does not fit what was trained on.
        """
        check_is_fitted(self, "network_")
        clips = clips_of(X, self.modality)
        clips = [{m: x for m, x in clip.items() if m in self._infos} for clip in clips]
        read = dataset(clips, self._infos, self._scales, [str(name) for name in self.classes_])
        return probabilities(self.network_, read, device=self._device)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable label of each clip, (N,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _run(self, modalities: list[str]) -> Run:
        """The settings as those of a run, checked as params.yaml is."""
        sections: dict[str, Any] = {
            "input": {"modalities": modalities},
            "encoder": {**(self.encoder or {}), "dialogue": None},
            "method": {"name": self.method, **self.settings},
            "loss": self.loss or {},
            "train": self.train or {},
        }
        for name, section in sections.items():
            try:
                sections[name] = ADAPTERS[name].validate_python(section)
            except ValidationError as error:
                raise UgclError(first_fault(error, name)) from None
        names = [str(label) for label in self.classes_]
        try:
            protocol = Protocol(label="y", classes=names)
        except ValidationError as error:
            raise UgclError(f"y: {first_fault(error)}") from None
        where = {"benchmark": NAME, "system": self.method, "corpus": NAME, "protocol": protocol}
        run = Run(**where, features=dict.fromkeys(modalities, NAME), encoders={}, **sections)
        if run.method.reads_attributes:
            asked = ", ".join(run.method.reads_attributes)
            raise UgclError(f"method {self.method} reads {asked} of clips, which arrays lack; take another")
        try:
            run.method.check(run)
        except ValueError as error:
            raise UgclError(str(error)) from None
        return run

    def _parts(self, codes: np.ndarray, groups: Sequence[Any] | None) -> dict[str, np.ndarray]:
        """Numbers of the training and the dev clips."""
        numbers = np.arange(len(codes))
        if groups is None:
            warnings.warn(
                "no groups: the dev part is drawn by class and may share speakers with training; pass the"
                " speakers as groups",
                stacklevel=3,
            )
            try:
                split = train_test_split(numbers, test_size=self.dev, stratify=codes, random_state=self.seed)
            except ValueError as error:
                raise UgclError(f"dev: {error}; give more clips of each class, or another share") from None
            return dict(zip(("train", "dev"), map(np.sort, split), strict=True))
        speakers = np.asarray(groups)
        if speakers.shape != codes.shape:
            raise UgclError(f"groups: {len(speakers)} for {len(codes)} clips; give a speaker of each")
        count = min(len(np.unique(speakers)), max(2, round(1 / self.dev)))
        if count < 2:
            raise UgclError("groups: there is one alone; the dev part needs another, or leave groups out")
        with warnings.catch_warnings():  # of classes with fewer clips than parts, which is checked below
            warnings.simplefilter("ignore")
            folds = StratifiedGroupKFold(count, shuffle=True, random_state=self.seed)
            try:
                found = list(folds.split(numbers, codes, speakers))
            except ValueError as error:
                raise UgclError(f"groups: {error}; give more clips of each class, or another dev") from None
        kinds = len(np.unique(codes))
        whole = [pair for pair in found if len(np.unique(codes[pair[0]])) == kinds]
        if not whole:
            raise UgclError(
                "groups: a class is with one group alone, so that training or dev lacks it; give more groups"
                " of each class, or leave groups out"
            )
        train, dev = max(whole, key=lambda pair: len(np.unique(codes[pair[1]])))
        return {"train": train, "dev": dev}
