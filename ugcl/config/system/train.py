"""Parameters of the training loop."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ugcl.config.base import Section


class Ema(Section):
    """Averaged weights that are judged and kept in place of the trained ones."""

    decay: float = Field(gt=0, lt=1, description="Decay of the average per step.")


class ModalityDropout(Section):
    """Modalities taken from training clips, so that a system learns to do without."""

    rate: float = Field(0.1, gt=0, lt=1, description="Chance that one modality is lost.")
    unit: Literal["clip", "batch"] = Field(
        "clip", description="What loses it: each clip by itself or, as released, the whole batch."
    )


class LabelNoise(Section):
    """Wrong labels in training, drawn anew for each seed and fold."""

    share: float = Field(
        gt=0,
        le=1,
        description="Share of the training clips that get the label of another class; test keeps its own, and"
        " so does dev where `refit` does not learn from it.",
    )


class Mixup(Section):
    """Blends of clips of one class (mixup, Zhang et al. 2018)."""

    alpha: float = Field(gt=0, description="Shares are drawn from Beta(α, α).")


class Sam(Section):
    """Sharpness-aware minimisation (Foret et al. 2021)."""

    radius: float = Field(gt=0, description="Radius ρ of the neighbourhood.")


class SpecAugment(Section):
    """Masks over feature frames in training (SpecAugment, Park et al. 2019)."""

    time_masks: int = Field(0, ge=0, description="Masked runs of frames per clip and modality.")
    time_share: float = Field(0.2, gt=0, le=1, description="Longest run, share of the clip's frames.")
    feature_masks: int = Field(0, ge=0, description="Masked bands of neighbouring feature columns.")
    feature_share: float = Field(0.1, gt=0, le=1, description="Widest band, share of the columns.")

    @model_validator(mode="after")
    def masks_something(self) -> SpecAugment:
        """Refuse a block that masks nothing."""
        if self.time_masks + self.feature_masks == 0:
            raise ValueError("masks nothing; set time_masks or feature_masks, or spec_augment null")
        return self


class Train(Section):
    """The training loop."""

    epochs: int = Field(30, ge=1, description="Most epochs.")
    batch: int = Field(32, ge=2, description="Clips per batch.")
    lr: float = Field(1e-3, gt=0, description="Peak learning rate of AdamW.")
    weight_decay: float = Field(0.05, ge=0, description="Weight decay of AdamW, on matrices only.")
    warmup: float = Field(0.1, ge=0, le=1, description="Share of steps with rising learning rate.")
    schedule: Literal["cosine", "constant"] = Field("cosine", description="Learning rate after warm-up.")
    clip: float | None = Field(1.0, gt=0, description="Largest gradient norm; null = any.")
    patience: int = Field(
        10,
        ge=1,
        description="Epochs without a better dev score (the protocol's primary metric) before stopping.",
    )
    ema: Ema | None = Field(None, description="Averaged weights; null = off.")
    modality_dropout: ModalityDropout | None = Field(
        ModalityDropout(), description="Modalities lost in training; null = off."
    )
    label_noise: LabelNoise | None = Field(None, description="Wrong labels in training; null = off.")
    mixup: Mixup | None = Field(None, description="Blends of clips; null = off.")
    spec_augment: SpecAugment | None = Field(None, description="Masked frames and columns; null = off.")
    sam: Sam | None = Field(None, description="Sharpness-aware minimisation; null = off.")
    refit: bool = Field(
        False,
        description="Train anew on training and dev clips together, for as many epochs as were selected, and"
        " keep that network. Dev scores and temperatures are those of the first one.",
    )
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field("32-true", description="Precision.")
    accelerator: Literal["auto", "cpu", "cuda"] = Field("auto", description="Fabric accelerator.")
    devices: int = Field(1, ge=1, description="Devices a run uses.")
    accumulate: int = Field(1, ge=1, description="Batches per optimiser step.")
    pack: int = Field(
        1,
        ge=1,
        description="Most runs of a job that are trained in step, with stacked weights, so that small"
        " networks keep a GPU busy; only runs with equally many training clips go together.",
    )
    monitor_test: bool = Field(
        True, description="Write the test score of each epoch to the history. Selection never reads it."
    )
    cache: int = Field(
        2048, ge=0, description="Features of a run held in memory, MiB; the rest is read when needed."
    )
    save_every: float = Field(
        5,
        ge=0,
        description="Seconds from one saving of the state that a killed run resumes from to the next.",
    )

    @model_validator(mode="after")
    def sam_has_true_gradients(self) -> Train:
        """SAM steps along gradients, which 16-mixed scales until they overflow now and then."""
        if self.sam and self.precision == "16-mixed":
            raise ValueError("train.sam needs train.precision 32-true or bf16-mixed; choose one of them")
        return self

    @model_validator(mode="after")
    def runs_in_step_are_plain(self) -> Train:
        """Runs in step share one device, one backward pass and one scale of the gradients."""
        if self.pack > 1:
            for name, value in (("sam", None), ("devices", 1)):
                if getattr(self, name) != value:
                    needed = "null" if value is None else value
                    raise ValueError(f"train.pack needs train.{name} {needed}; set it, or train.pack 1")
            if self.precision == "16-mixed":
                raise ValueError("train.pack needs train.precision 32-true or bf16-mixed; choose one of them")
        return self
