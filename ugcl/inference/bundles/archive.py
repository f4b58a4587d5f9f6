"""Bundles as zip files: written with equal bytes for equal content, and read without trusting their names."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from ugcl.errors import UgclError
from ugcl.files import whole
from ugcl.inference.bundles.contents import DAMAGED, NAME, parse

DATE = (1980, 1, 1, 0, 0, 0)
LARGEST_INDEX = 2**26
"""Bytes of a bundle.json that is read; a real one has some kilobytes per run."""


def pack(folder: Path, target: Path) -> None:
    """Write a bundle's folder as a zip file; weights do not get smaller, so that nothing is compressed.

    Raises:
        UgclError: the disk is full.
    """
    with whole(target) as partial, zipfile.ZipFile(partial, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            member = zipfile.ZipInfo(path.relative_to(folder).as_posix(), DATE)
            member.external_attr = 0o644 << 16
            with path.open("rb") as source, archive.open(member, "w", force_zip64=True) as stream:
                shutil.copyfileobj(source, stream, 1 << 20)


def unpack(path: Path, target: Path) -> None:
    """Copy the files that a zipped bundle names, and no others, into a folder.

    The bundle may lie in a folder of the archive, as where somebody packed it again.

    Raises:
        UgclError: it is no zip file, no bundle, or lacks a file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            indexes = [name for name in archive.namelist() if PurePosixPath(name).name == NAME]
            if not indexes:
                raise UgclError(f"{path}: has no {NAME}; give a zip file that `ugcl export` made")
            index = min(indexes, key=lambda name: name.count("/"))
            if archive.getinfo(index).file_size > LARGEST_INDEX:
                raise UgclError(f"{path}: {NAME} is too large to be that of a bundle; {DAMAGED}")
            text = archive.read(index).decode()
            bundle, prefix = parse(text, str(path)), index.removesuffix(NAME)
            (target / NAME).write_text(text, "utf-8")
            for name in bundle.files:  # parse() has refused names outside of the folder
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                with archive.open(prefix + name) as source, (target / name).open("wb") as stream:
                    shutil.copyfileobj(source, stream, 1 << 20)
    except KeyError as error:
        raise UgclError(f"{path}: {error.args[0]}; {DAMAGED}") from None
    except (zipfile.BadZipFile, UnicodeDecodeError, EOFError) as error:
        raise UgclError(f"{path}: not a whole zip file ({error}); {DAMAGED}") from None
