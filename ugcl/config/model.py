"""Parameters of models, losses and training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ugcl.config.base import Section
from ugcl.config.features import Modality


class Released(Section):
    """Faults of the released code that its network has; false repairs one (architecture `released`).

    gaoweibit/multi-modal_emotion_recognition at e8efc00, against the abstract of Li, Gao and Li 2026.
    """

    batch_attention: bool = Field(True, description="Auxiliary stacks attend over clips instead of frames.")
    last_step: bool = Field(
        True, description="Pool the last step of the batch's longest clip; shorter clips' padding is read."
    )
    live_dropout: bool = Field(True, description="The matching head drops out in evaluation too.")
    off_by_one: bool = Field(True, description="The trunk's slice keeps the class token, loses a frame.")
    raw_features: bool = Field(True, description="Statistics are computed but features not standardised.")
    trunk: Literal["vit_b_16", "linear"] = Field(
        "linear", description="Video mapper; the released one is vit_b_16 (86 million parameters)."
    )
    layers: int = Field(5, ge=1, description="Layers of each of the ten transformer stacks.")


class Model(Section):
    """The network on top of the features."""

    architecture: str = Field("ugcl", description="Key of ugcl.models.build.ARCHITECTURES.")
    modalities: list[Modality] = Field(
        default=["audio", "video"], min_length=1, description="Modalities the system reads."
    )
    speaker_normalisation: bool = Field(
        False,
        description="Standardise features by the mean and deviation of the speaker's clips in the same part"
        " (Schuller et al. 2010); a test clip then needs the speaker's other test clips, unlabelled.",
    )
    width: int = Field(64, ge=8, description="Width of frames, tokens and hidden layers; the code has 50.")
    heads: int = Field(4, ge=1, description="Attention heads; width is a multiple of it.")
    layers: int = Field(1, ge=0, description="Self-attention layers per modality.")
    cross_layers: int = Field(1, ge=0, description="Cross-attention layers per direction (ugcl).")
    readers: list[Modality] | None = Field(
        None,
        min_length=1,
        description="Modalities that read the others by cross-attention (ugcl); null = all of them.",
    )
    positions: Literal["sinusoid", "rotary", "none"] = Field(
        "sinusoid", description="Time of frames: added, turned into queries and keys (RoPE), or untold."
    )
    feed_forward: Literal["gelu", "gated"] = Field(
        "gelu", description="Perceptrons of the layers: GELU, or gated as in GEGLU (Shazeer 2020)."
    )
    kernel: int = Field(5, ge=1, description="Frames the encoder's temporal convolution spans; odd.")
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout of hidden layers.")
    input_dropout: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Dropout of standardised feature columns, alike for all frames of a clip.",
    )
    frame_mask: float = Field(
        0.2, ge=0, le=1, description="Longest masked run of frames in training, share of the clip."
    )
    vote: float = Field(
        0.5, ge=0, description="Weight of SND's auxiliary classifier in the logits at inference (ugcl)."
    )
    tokens: int = Field(128, ge=2, description="Unified granularity tokens (codebook entries K).")
    assignment: Literal["softmax", "sparsemax", "none"] = Field(
        "softmax", description="Weights over the tokens; FDT has sparsemax; none does without tokens."
    )
    token_pool: Literal["max", "mean"] = Field(
        "max", description="Pooling of token scores over frames; FDT (Chen et al. 2023) has max."
    )
    token_temperature: float = Field(1.0, gt=0, description="Temperature of the token scores.")
    token_temperature_end: float | None = Field(
        None,
        gt=0,
        description="Temperature of the last epoch, on a geometric path as FDT cools; null = constant.",
    )
    granularities: list[Literal["frame", "segment", "clip"]] = Field(
        default=["clip"], min_length=1, description="What UGCL contrasts, all in the same tokens; their mean."
    )
    segments: int = Field(4, ge=2, description="Segments of a clip, for granularity segment.")
    released: Released = Released()

    @model_validator(mode="after")
    def readers_are_modalities(self) -> Model:
        """A modality that the system lacks reads nothing."""
        strange = [m for m in self.readers or () if m not in self.modalities]
        if strange:
            raise ValueError(
                f"model.readers: {strange[0]} is not in model.modalities; add it there or drop it"
            )
        return self


class Alignment(Section):
    """Unified granularity contrastive learning (UGCL)."""

    weight: float = Field(0.15, ge=0, description="Weight in the total loss; the released code has 0.15.")
    temperature: float = Field(0.1, gt=0, description="Temperature of the symmetric InfoNCE (its start).")
    learnable: bool = Field(True, description="Learn the temperature (CLIP, Radford et al. 2021, §2.5).")
    kind: Literal["info_nce", "supervised", "attraction"] = Field(
        "info_nce",
        description="Contrast of clips (InfoNCE), of emotions (SupCon), or the released attraction alone.",
    )
    queue: int = Field(
        0, ge=0, description="Past clips contrasted with, at granularity clip; for small batches. 0 = none."
    )


class Matching(Section):
    """Similar negative discrimination (SND)."""

    weight: float = Field(0.15, ge=0, description="Weight in the total loss; the released code has 0.15.")
    auxiliary: float = Field(
        1.0, ge=0, description="Weight of the auxiliary classification head, relative to the matching head."
    )
    negatives: Literal["hardest", "sample", "random", "nearest"] = Field(
        "hardest",
        description="Clip of another emotion: the most similar, drawn by similarity, or any; or, as released,"
        " the nearest clip whatever its emotion.",
    )
    temperature: float = Field(
        0.1, gt=0, description="Temperature of the draw by similarity (ALBEF, Li et al. 2021, §3.2)."
    )
    top: int = Field(0, ge=0, description="Draw from the k most similar (negatives sample); 0 = from all.")
    queue: int = Field(
        0, ge=0, description="Past clips, with their emotions, that may be negatives; 0 = the batch alone."
    )


class Classification(Section):
    """The classification loss."""

    weight: float = Field(0.7, gt=0, description="Weight in the total loss; the released code has 0.7.")
    kind: Literal["cross_entropy", "focal", "double_softmax_focal"] = Field(
        "cross_entropy", description="Loss on the logits; the released code has double_softmax_focal."
    )
    gamma: float = Field(2.0, ge=0, description="Focal exponent (Lin et al. 2017, eq. 4).")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="Label smoothing of cross-entropy.")
    balance: float = Field(
        0.0, ge=0, le=1, description="Class weights (N / (C·n_c))^balance from training counts; 0 = none."
    )
    adjustment: float = Field(
        0.0, ge=0, description="τ of logits + τ log prior in the loss (Menon et al. 2021, eq. 10); 0 = none."
    )


class Loss(Section):
    """Loss terms and their weights."""

    classification: Classification = Classification()
    ugcl: Alignment = Alignment()
    snd: Matching = Matching()


class SpecAugment(Section):
    """Masks over feature frames in training (SpecAugment, Park et al. 2019)."""

    time_masks: int = Field(0, ge=0, description="Masked runs of frames a clip and modality.")
    time_share: float = Field(0.2, gt=0, le=1, description="Longest run, share of the clip's frames.")
    feature_masks: int = Field(0, ge=0, description="Masked bands of neighbouring feature columns.")
    feature_share: float = Field(0.1, gt=0, le=1, description="Widest band, share of the columns.")

    @property
    def on(self) -> bool:
        """Whether anything is masked."""
        return self.time_masks + self.feature_masks > 0


class Train(Section):
    """The training loop."""

    epochs: int = Field(30, ge=1, description="Most epochs.")
    batch: int = Field(32, ge=2, description="Clips a batch.")
    lr: float = Field(1e-3, gt=0, description="Peak learning rate of AdamW.")
    weight_decay: float = Field(0.05, ge=0, description="Weight decay of AdamW, on matrices only.")
    warmup: float = Field(0.1, ge=0, le=1, description="Share of steps with rising learning rate.")
    schedule: Literal["cosine", "constant"] = Field("cosine", description="Learning rate after warm-up.")
    clip: float | None = Field(1.0, gt=0, description="Largest gradient norm; null = any.")
    patience: int = Field(10, ge=1, description="Epochs without a better dev UAR before stopping.")
    ema: float = Field(
        0.0, ge=0, lt=1, description="Decay per step of the averaged weights that are judged; 0 = none."
    )
    modality_dropout: float = Field(0.1, ge=0, lt=1, description="Chance a clip loses one modality.")
    modality_dropout_unit: Literal["clip", "batch"] = Field(
        "clip", description="What loses it: each clip by itself or, as released, the whole batch."
    )
    label_noise: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the training clips that get the label of another class, drawn anew for each"
        " seed and fold; test keeps its own, and so does dev where `refit` does not learn from it.",
    )
    mixup: float = Field(
        0.0, ge=0, description="Clips of one class are blended in shares of Beta(α, α) with this α; 0 = off."
    )
    spec_augment: SpecAugment = SpecAugment()
    sam: float = Field(
        0.0, ge=0, description="Radius ρ of sharpness-aware minimisation (Foret et al. 2021); 0 = off."
    )
    refit: bool = Field(
        False,
        description="Train anew on training and dev clips together, for as many epochs as were selected, and"
        " keep that network. Dev scores and temperatures are those of the first one.",
    )
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        "32-true", description="Fabric precision."
    )
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
        True, description="Write the test UAR of each epoch to the history. Selection never reads it."
    )
    cache: int = Field(2048, ge=0, description="Features held in memory, MiB; the rest is read when needed.")
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
            for name, value in (("sam", 0.0), ("devices", 1)):
                if getattr(self, name) != value:
                    raise ValueError(f"train.pack needs train.{name} {value:g}; set it, or train.pack 1")
            if self.precision == "16-mixed":
                raise ValueError("train.pack needs train.precision 32-true or bf16-mixed; choose one of them")
        return self
