"""Parameters of encoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from ugcl.config.base import Section, Untagged
from ugcl.config.encoders.files import ExportedFiles

Modality = Literal["audio", "video", "text"]


class Encoder(Section):
    """What every encoder has."""

    if TYPE_CHECKING:  # each kind has them, as literals
        kind: Any
        modality: Any

    pool: int = Field(1, ge=1, description="Mean over this many consecutive frames.")
    needs_faces: ClassVar[bool] = False  # whether the encoder reads aligned face crops
    precomputed: ClassVar[bool] = False  # whether features come from a file, so that no clip can be encoded
    runs_network: ClassVar[bool] = False  # whether a GPU makes the encoder faster

    @property
    def reads(self) -> tuple[Modality, ...]:
        """Modalities of a clip that the features are made from; none where they come from a file."""
        return () if self.precomputed else (self.modality,)

    @property
    def base(self) -> str:
        """Weights of the network that reads what the encoder gives, which a method trains; "" of vectors."""
        return ""

    @property
    def inner(self) -> tuple[Encoder, ...]:
        """Encoders that this one uses."""
        return ()


class Network(Encoder):
    """What every encoder with a pretrained network has; `extraction` says where it runs."""

    weights: str = Field(description="Local folder, folder inside data.mirror, or hub name.")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = Field(
        "32-true", description="Precision of the network's sums; mixed: 16 bits where they bear it."
    )
    runs_network: ClassVar[bool] = True


class FaceEncoder(Encoder):
    """What every encoder of aligned face crops has."""

    modality: Literal["video"] = "video"
    margin: float = Field(0.0, ge=0, le=1, description="Margin around the ArcFace layout, share of its side.")
    fps: float = Field(25.0, gt=0, description="Frame rate the video is sampled at, Hz.")
    needs_faces: ClassVar[bool] = True


class LogMel(Encoder):
    """Log-mel energies of 16 kHz sound."""

    kind: Literal["logmel"]
    modality: Literal["audio"] = "audio"
    bands: int = Field(80, ge=8, description="Number of mel bands.")
    hop: float = Field(0.010, gt=0, description="Hop, seconds.")
    window: float = Field(0.025, gt=0, description="Window, seconds.")


class MelSpectrogram(Encoder):
    """Mel spectrogram in decibels with librosa's conventions, standardised per clip; needs no weights."""

    kind: Literal["melspectrogram"]
    modality: Literal["audio"] = "audio"
    bands: int = Field(128, ge=8, description="Number of mel bands.")
    sampling: int = Field(22050, ge=8000, description="Sampling rate of the sound, Hz.")
    hop: int = Field(512, ge=1, description="Hop, samples.")
    window: int = Field(2048, ge=16, description="Window and length of the Fourier transform, samples.")
    seconds: float = Field(
        3.0, gt=0, le=60, description="Sound that is used from the clip's start, padded with zeros, seconds."
    )
    depth: float = Field(80.0, gt=0, description="Power this far below the loudest is cut, dB.")


class Hog(FaceEncoder):
    """Histogram of oriented gradients of the aligned face crop."""

    kind: Literal["hog"]
    size: int = Field(64, ge=32, multiple_of=8, description="Side of the crop, pixels.")


class FaceNetwork(FaceEncoder, Network):
    """What every encoder of aligned face crops by a network has."""

    batch: int = Field(
        64,
        ge=1,
        description="Crops of a clip that pass through the network at once on a GPU; on a CPU, which gains"
        " nothing by more, 4 do.",
    )


class Image(FaceNetwork):
    """A pretrained image network over aligned face crops (ViT, CLIP, ResNet, … of transformers)."""

    kind: Literal["image"]
    output: Literal["first", "mean", "pooled"] = Field(
        "first", description="First token, mean over tokens or places, or the network's own pooled output."
    )


class VggFace(FaceNetwork):
    """fc7 of VGG-Face before its ReLU (VGG-16, 4096 values per face frame): the paper's video features."""

    kind: Literal["vgg_face"]
    weights: str = Field(
        description="State dict (.safetensors or .pth): local file, file inside data.mirror, or models/<path>"
        " of a row of sources.csv."
    )
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$", description="SHA-256; empty = as in sources.csv.")
    normalisation: Literal["original", "imagenet"] = Field(
        "original",
        description="original: 0..255 less the mean of VGG-Face's training pixels, channels as in `channels`;"
        " imagenet: RGB by ImageNet's mean and deviation, as the paper's released code does.",
    )
    channels: Literal["bgr", "rgb"] = Field(
        "bgr",
        description="Channel order of the weights' original input: bgr for the authors' Caffe and Torch"
        " releases, rgb for MatConvNet's and its conversion vgg_face_dag.pth.",
    )


class SoundNetwork(Network):
    """What every encoder of sound by a network has."""

    modality: Literal["audio"] = "audio"
    batch: float = Field(
        120.0,
        gt=0,
        description="Sound that passes through the network at once on a GPU, padding included, seconds; on a"
        " CPU, which gains nothing by more, at most 10 do, or one longer piece.",
    )


class Whisper(SoundNetwork):
    """Hidden states of a Whisper encoder over the clip's own frames (50 Hz before pooling)."""

    kind: Literal["whisper"]
    layers: Literal["all"] | list[int] = Field("all", description="Hidden states to keep; 0 is the input.")


class Speech(SoundNetwork):
    """Hidden states of wav2vec 2.0, HuBERT or WavLM on the waveform (50 Hz before pooling)."""

    kind: Literal["speech"]
    layers: Literal["all"] | list[int] = Field(
        "all",
        description="Hidden states to keep; 0 is the input. Layers above the deepest of them do not run.",
    )
    final_norm: bool = Field(
        False,
        description="Put the deepest kept state through the network's last layer norm, as a network cut to"
        " its first layers gives it; no effect where every layer ends in a norm (the base models).",
    )
    window: float = Field(30.0, ge=1, description="Length of the windows of longer sound, seconds.")


class OpenSmile(Encoder):
    """Acoustic parameters by openSMILE (extra `opensmile`, for research and teaching alone)."""

    kind: Literal["opensmile"]
    modality: Literal["audio"] = "audio"
    set: Literal["egemaps", "compare"] = Field(
        "egemaps", description="eGeMAPS v02 (88 functionals, 25 descriptors), or ComParE 2016 (6373, 65)."
    )
    level: Literal["functionals", "descriptors"] = Field(
        "functionals", description="Functionals of the clip, or descriptors at 100 Hz."
    )


class Text(Network):
    """Hidden states of a text network (BERT, RoBERTa, sentence-transformers, …) on the clip's transcript."""

    kind: Literal["text"]
    modality: Literal["text"] = "text"
    batch: int = Field(1024, ge=1, description="Tokens per batch of the network, padding included.")
    output: Literal["tokens", "sentence"] = Field(
        "tokens", description="One vector per token, or their mean."
    )
    layers: Literal["all", "last"] | list[int] = Field("last", description="Hidden states kept; 0 = input.")
    rate: float = Field(
        3.0,
        gt=0,
        description="Nominal tokens per second, Hz: a transcript has no times; English has about three.",
    )


class Tokens(Encoder):
    """Token ids of the clip's transcript, for a method that trains the text network (`encoder.networks`)."""

    kind: Literal["tokens"]
    modality: Literal["text"] = "text"
    weights: str = Field(description="The network: local folder, folder inside data.mirror, or hub name.")
    longest: int | None = Field(
        None, ge=8, description="Most tokens of a text; null = as many as the network can read."
    )
    pool: Literal[1] = Field(1, description="Ids have no mean.")

    @property
    def base(self) -> str:
        """See `Encoder.base`."""
        return self.weights


Lengths = Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2, max_length=2)]


class Ngrams(Encoder):
    """Hashed word and character n-grams of the transcript; needs no weights."""

    kind: Literal["ngrams"]
    modality: Literal["text"] = "text"
    dim: int = Field(
        512, ge=8, multiple_of=2, description="Columns: half for n-grams of words, half for characters."
    )
    words: Lengths = Field([1, 1], description="Shortest and longest n-gram of words and punctuation marks.")
    characters: Lengths = Field([2, 3], description="Shortest and longest n-gram of characters in a word.")

    @field_validator("words", "characters")
    @classmethod
    def shortest_first(cls, lengths: list[int]) -> list[int]:
        """Refuse a range that has no length."""
        if lengths[0] > lengths[1]:
            raise ValueError(f"{lengths[0]} to {lengths[1]} runs backwards; write the shortest first")
        return lengths


class Table(Encoder):
    """Precomputed vectors read from a CSV: one row per clip, or one row per frame."""

    kind: Literal["table"]
    modality: Modality = "video"
    path: str = Field(description="CSV relative to the corpus root.")
    key: str = Field("clip", description="Column that names the clip.")
    drop: list[str] = Field(default_factory=list, description="Columns that are not features.")
    last_fields: int = Field(
        0,
        ge=0,
        description="Compare only the last n dash-separated fields of clip and key; 0 for whole names.",
    )
    rate: float = Field(0.0, ge=0, description="Rows per second; 0 for one row per clip.")
    precomputed: ClassVar[bool] = True


class Sequences(Encoder):
    """Precomputed sequences of equal length, or vectors, in an .npz with the names of the clips.

    Or arrays of numbered clips.
    """

    kind: Literal["sequences"]
    modality: Modality = "audio"
    path: str = Field(description=".npz relative to the corpus root; values are divided by its `scale`.")
    rate: float = Field(
        ge=0,
        description="Frames per second, Hz; of steps without a clock, 1; 0 for arrays (N, D), one vector per"
        " clip.",
    )
    array: str = Field("x", description="Array with the values.")
    names: Annotated[list[str], Field(min_length=1)] = Field(
        ["name"], description="Arrays that name the clips; where they are several, joined by `_`."
    )
    arrays: dict[str, str] = Field(
        default_factory=dict,
        description="Prefix → array, where the archive names no clips: row 7 of it is clip <prefix>-0007.",
    )
    frames_first: bool = Field(False, description="Arrays are (N, T, D), not (N, D, T).")
    precomputed: ClassVar[bool] = True


class Files(ExportedFiles, Encoder):
    """Features that other programs wrote, one file per clip: OpenFace, openSMILE, MERTools, .npy, .npz."""

    kind: Literal["files"]
    modality: Modality = "video"
    precomputed: ClassVar[bool] = True


class Textual(Encoder):
    """Face, voice and words of a clip in plain sentences, which an encoder of text reads."""

    kind: Literal["textual"]
    modality: Literal["text"] = "text"
    units: Table | None = Field(None, description="Table of facial action units; null = no face.")
    voice: bool = Field(True, description="Pitch, loudness and speed of the sound.")
    words: bool = Field(True, description="The transcript.")
    reader: Annotated[Text | Tokens | Ngrams, Field(discriminator="kind"), Untagged] = Field(
        description="What reads the sentences: an encoder of kind text, tokens or ngrams."
    )
    pool: Literal[1] = Field(1, description="Nothing is pooled; the reader may.")

    @model_validator(mode="after")
    def says_something(self) -> Textual:
        """Refuse a text without parts."""
        if not (self.units or self.voice or self.words):
            raise ValueError("the text would be empty; set units, voice or words")
        return self

    @property
    def inner(self) -> tuple[Encoder, ...]:
        """See `Encoder.inner`."""
        return (self.reader,) if self.units is None else (self.reader, self.units)

    @property
    def base(self) -> str:
        """See `Encoder.base`."""
        return self.reader.base

    @property
    def reads(self) -> tuple[Modality, ...]:
        """See `Encoder.reads`; units come from a file."""
        return ("audio",) * self.voice + ("text",) * self.words

    @property
    def precomputed(self) -> bool:
        """Whether a part of the text comes from a file, so that no other clip can be described."""
        return self.units is not None

    @property
    def runs_network(self) -> bool:
        """Whether the reader is a network."""
        return self.reader.runs_network


_OfSound = LogMel | MelSpectrogram | Whisper | Speech | OpenSmile
_OfWords = Text | Tokens | Ngrams | Textual
AnyEncoder = Annotated[
    _OfSound | Hog | Image | VggFace | _OfWords | Table | Sequences | Files,
    Field(discriminator="kind"),
    Untagged,
]
