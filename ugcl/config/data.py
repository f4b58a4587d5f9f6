"""Parameters of where media come from."""

from __future__ import annotations

from pydantic import Field

from ugcl.config.base import Section


class Data(Section):
    """Where media come from and how much may be bad."""

    mirror: str | None = Field(
        None, description="Folder or URL base with the corpora's files; UGCL_MIRROR sets it too."
    )
    max_quarantined: float = Field(0.10, ge=0, le=1, description="Share of bad clips that stops a benchmark.")
