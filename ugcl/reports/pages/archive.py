"""The report in one file: pages, figures and tables as they lie in results/, without clips and models."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from ugcl import files
from ugcl.config import Config
from ugcl.config.load import parameter_files
from ugcl.errors import UgclError
from ugcl.plan import reports as plan
from ugcl.reports.pages import site
from ugcl.reports.pages.media import clip_table
from ugcl.reports.pages.templating import fill

DATE = (1980, 1, 1, 0, 0, 0)
"""Of every member, so that the same files make the same archive."""

RESULTS = Path("results")


def pack(config: Config) -> Path:
    """Write the archive (`ugcl report archive`); its index.html opens the report.

    Its pages do not link to what it lacks: players of clips, other reports, the archive itself.

    Raises:
        UgclError: a file of the report is missing, or the disk is full.
    """
    target = plan.archive(config)
    with files.whole(target) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members(config):
            member = zipfile.ZipInfo(name, DATE)
            member.external_attr, member.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return target


def members(config: Config) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file, below results/ and parameters/."""
    own = {}
    for page in plan.site_outputs(config):
        own[page] = fill("index.html.j2", site.context(config, page, alone=True))
    for benchmark in config.active:
        page = plan.clip_page(config, benchmark)
        own[page] = fill("clips.html.j2", clip_table.context(config, benchmark, page, play=False))
    inside = sorted({*own, *plan.site_inputs(config)})
    if lost := [path for path in inside if path not in own and not path.is_file()]:
        raise UgclError(f"{lost[0]}: not found; `snakemake --cores 1 all` makes the report")
    for path in inside:
        content = own[path].encode() if path in own else path.read_bytes()
        yield path.relative_to(RESULTS).as_posix(), content
    if (about := RESULTS / "README.md").is_file():
        yield about.name, about.read_bytes()
    first, *more = parameter_files()
    for path in (first, *more):
        yield f"parameters/{path.relative_to(first.parent).as_posix()}", path.read_bytes()
