"""Parameters of media: where they come from, the faces in them, and how they are encoded."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from ugcl.config.base import Section, Untagged


class Data(Section):
    """Where media come from and how much may be bad."""

    mirror: str | None = Field(None, description="Folder or URL with the corpora's files; or UGCL_MIRROR.")
    sources: str = Field(
        "workflow/resources/sources.csv",
        description="Table of the addresses from which corpora are downloaded.",
    )
    parallel: int = Field(4, ge=1, le=32, description="Files downloaded at once.")
    retries: int = Field(
        4, ge=0, le=20, description="Repetitions of a transfer that breaks without progress, of each address."
    )
    timeout: float = Field(30, gt=0, description="Silence of a server that counts as a break, seconds.")
    max_quarantined: float = Field(0.10, ge=0, le=1, description="Share of bad clips that stops a benchmark.")


class Faces(Section):
    """Face detection and tracking."""

    detector: Literal["mtcnn"] = Field("mtcnn", description="Face detector.")
    every: int = Field(10, ge=1, description="Detect on every n-th frame and interpolate between.")
    search: float = Field(
        2.0, ge=0, description="Seconds between searches of the whole picture; else only near known faces."
    )
    min_score: float = Field(0.9, ge=0, le=1, description="Detections below this score are ignored.")
    min_face: float = Field(0.1, gt=0, le=1, description="Smallest face, share of the shorter side.")
    max_gap: float = Field(1.0, gt=0, description="Longest interpolated time between detections, seconds.")
    smooth: int = Field(3, ge=1, description="Odd window of the triangular smoothing, frames; 1 for none.")
    min_share: float = Field(0.5, ge=0, le=1, description="Least share of frames with a face in a good clip.")
    rival: float = Field(
        0.8,
        ge=0,
        le=1,
        description="Largest claim of another face to be the speaker, by size, place and motion of the mouth,"
        " share of the chosen one's; above it a clip fails as several_faces; 1 for never.",
    )


class YunetFaces(Faces):
    """Face detection by YuNet, which needs a file of weights, and tracking."""

    detector: Literal["yunet"] = Field(description="Face detector.")
    weights: str = Field(
        "models/face_detection_yunet_2023mar.onnx",
        description="Local ONNX file, file inside data.mirror, or models/<path> of a row of data.sources.",
    )
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$", description="What the file must hash to.")


def _detector(section: object) -> str:
    """Which of the sections is meant; MTCNN where none is named."""
    named = section.get("detector") if isinstance(section, dict) else getattr(section, "detector", None)
    return str(named or "mtcnn")


_Tagged = Annotated[Faces, Tag("mtcnn")] | Annotated[YunetFaces, Tag("yunet")]
AnyFaces = Annotated[_Tagged, Discriminator(_detector), Untagged]


class Extraction(Section):
    """Where networks turn media into features. Nothing here changes what comes out but for rounding."""

    accelerator: Literal["auto", "cpu", "cuda"] = Field("auto", description="Device of the networks.")
    workers: int = Field(
        7,
        ge=0,
        description="Processes that decode for a network on a GPU, each on a core of its own; 0 = the"
        " network's own process does. On a CPU the shards share the cores.",
    )
