"""Memory and run time that the workflow's jobs ask for. No result depends on them."""

from __future__ import annotations

from pydantic import Field

from ugcl.config.base import Section


class Need(Section):
    """What one job asks for."""

    mem_mb: int | None = Field(None, ge=1, description="Memory, MB; null for the default.")
    runtime: int | None = Field(None, ge=1, description="Run time, minutes; null for the default.")


class SystemNeed(Need):
    """What a job that runs a system's network asks for."""

    systems: dict[str, Need] = Field(
        default_factory=dict,
        description="System → what its jobs ask for, such as more memory for more weights.",
    )


class EncodeNeed(Need):
    """What a job of an encoder asks for."""

    network: Need = Field(
        Need(mem_mb=2000), description="Encoders that run a pretrained network, in place of the values above."
    )
    worker_mb: int = Field(500, ge=0, description="Memory per decoding process (`extraction.workers`), MB.")
    encoders: dict[str, Need] = Field(
        default_factory=dict, description="Encoder → what its jobs ask for, such as for a larger network."
    )


class Resources(Section):
    """Memory and run time of a job, by rule; `--set-resources RULE:mem_mb=…` wins over them.

    On one machine memory counts where `--resources mem_mb=…` bounds what runs at once; a cluster reserves
    both.
    """

    make: Need = Need(mem_mb=1500, runtime=10)
    fetch: Need = Need(mem_mb=500, runtime=600)
    manifest: Need = Need(mem_mb=1000, runtime=60)
    split: Need = Need(mem_mb=1000, runtime=10)
    check_folds: Need = Need(mem_mb=1000, runtime=10)
    faces: Need = Need(mem_mb=1500, runtime=600)
    encode: EncodeNeed = EncodeNeed(mem_mb=1000, runtime=600)
    index: Need = Need(mem_mb=1000, runtime=10)
    quarantine: Need = Need(mem_mb=1000, runtime=10)
    train: SystemNeed = SystemNeed(mem_mb=1500, runtime=600)
    predict: SystemNeed = SystemNeed(mem_mb=1500, runtime=60)
    perturb: Need = Need(mem_mb=1500, runtime=600)
    robustness: Need = Need(mem_mb=2000, runtime=600)
    score: Need = Need(mem_mb=1000, runtime=60)
    cost: Need = Need(mem_mb=1500, runtime=60)
    represent: Need = Need(mem_mb=1500, runtime=60)
    transfer: Need = Need(mem_mb=2000, runtime=60)
    benchmark_tables: Need = Need(mem_mb=1500, runtime=60)
    summary: Need = Need(mem_mb=500, runtime=10)
    figures: Need = Need(mem_mb=1500, runtime=60)
    tables: Need = Need(mem_mb=1000, runtime=10)
    cards: Need = Need(mem_mb=1000, runtime=10)
    clips: Need = Need(mem_mb=1500, runtime=60)
    notebook: Need = Need(mem_mb=1500, runtime=60)
    workflow_report: Need = Need(mem_mb=1000, runtime=10)
    site: Need = Need(mem_mb=1000, runtime=10)
    archive: Need = Need(mem_mb=1500, runtime=10)

    def need(self, rule: str, *closer: Need | None) -> tuple[int, int]:
        """MB and minutes of a job.

        Args:
            rule: a field of this section.
            closer: what is known of the job itself, the closest first; it wins over the rule's values.
        """
        values = [*closer, getattr(self, rule), type(self).model_fields[rule].default]
        mem_mb, runtime = (
            next(value for entry in values if entry and (value := getattr(entry, name)) is not None)
            for name in ("mem_mb", "runtime")
        )
        return mem_mb, runtime
