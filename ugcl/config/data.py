"""Parameters of where media come from."""

from __future__ import annotations

from pydantic import Field

from ugcl.config.base import Section


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
