"""The model card of a bundle, with the YAML header that the Hugging Face hub reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import yaml
from markupsafe import Markup

from ugcl.plan.evaluation import marks, table
from ugcl.plan.names import TITLES
from ugcl.reports.labels import label_source
from ugcl.reports.pages.model_card import METRICS, disjoint
from ugcl.reports.pages.templating import fill
from ugcl.reports.tables.papers import percent
from ugcl.reports.tables.read import read

if TYPE_CHECKING:
    import pandas as pd

    from ugcl.config import Config
    from ugcl.inference.bundles.contents import Bundle
    from ugcl.inference.ensemble import Ensemble

LICENCES = {
    "CC BY-NC-SA 4.0": "cc-by-nc-sa-4.0",
    "GPL-3.0": "gpl-3.0",
    "MIT": "mit",
    "made here, SYNTHETIC": "mit",
}
"""Licence of a corpus → the hub's word for it; others are named in full."""


def writer(config: Config, ensemble: Ensemble, where: str) -> Callable[[Bundle], str]:
    """What writes the card of a system's bundle.

    Args:
        config: the project's parameters; the working folder is the project's.
        where: the bundle's name in the examples: a folder, a zip file or user/name.
    """

    def write(bundle: Bundle) -> str:
        return fill("bundle_card.md.j2", context(config, ensemble, bundle, where))

    return write


def context(config: Config, ensemble: Ensemble, bundle: Bundle, where: str) -> dict[str, Any]:
    """What the template shows; results are those of the project's tables, where they have the system."""
    run, rows = ensemble.run, _scores(config, bundle)
    known = run.benchmark in config.benchmarks
    warnings = marks(config, run.benchmark) if known else bundle.marks
    entries = bundle.parameters["encoders"]
    encoders = [
        {
            "modality": m,
            "name": run.features[m],
            "kind": entries[run.features[m]]["kind"],
            "weights": entries[run.features[m]].get("weights", ""),
            "sha256": bundle.weights.get(run.features[m], ""),
        }
        for m in run.input.modalities
    ]
    confidence = f"{100 * config.evaluate.confidence:g}"
    return {
        "header": Markup(
            _header(bundle, run.corpus, run.input.modalities, run.method.name, rows, confidence)
        ),
        "benchmark": bundle.benchmark,
        "system": bundle.system,
        "marks": warnings.split(),
        "disjoint": disjoint(config, run.benchmark) if known and "LEAKY" not in warnings else "",
        "modalities": run.input.modalities,
        "classes": bundle.classes,
        "runs": len(bundle.runs),
        "calibrated": ensemble.calibrated,
        "version": bundle.version,
        "where": where,
        "encoders": encoders,
        "local": [row["weights"] for row in encoders if row["weights"] and "/" not in row["weights"]],
        "precomputed": bundle.precomputed,
        "by_speaker": run.input.by_speaker,
        "code": list(bundle.code),
        "corpus": run.corpus,
        "label": run.protocol.label,
        "labels": label_source(config, run.benchmark) if known else f"the label {run.protocol.label}",
        "licence": bundle.licence,
        "confidence": confidence,
        "results": [
            {"title": TITLES[row.metric], "text": percent(row.value, row.ci_low, row.ci_high)}
            for row in rows.itertuples()
        ],
    }


def _scores(config: Config, bundle: Bundle) -> pd.DataFrame:
    """The system's rows of the summary: METRICS, in their order; no row where there is no table."""
    import pandas as pd

    if not table(bundle.benchmark, "summary").is_file():
        return pd.DataFrame(columns=["metric", "value", "ci_low", "ci_high"])
    rows = read("summary", bundle.benchmark)
    rows = rows[(rows["system"] == bundle.system) & rows["metric"].isin(METRICS)]
    return rows.sort_values("metric", key=lambda column: column.map(METRICS.index))


def _header(
    bundle: Bundle, corpus: str, modalities: list[str], method: str, rows: pd.DataFrame, confidence: str
) -> str:
    kind = "video" if "video" in modalities else modalities[0]
    task = f"{kind}-classification"
    licence = LICENCES.get(bundle.licence)
    named = {"license": licence} if licence else {"license": "other", "license_name": bundle.licence}
    tags = ["emotion-recognition", "safetensors", *modalities, method.rpartition(":")[2]]
    if bundle.marks:
        tags.append(bundle.marks.lower())
    header: dict[str, Any] = {"library_name": "ugcl", **named, "pipeline_tag": task}
    header |= {"tags": list(dict.fromkeys(tags)), "datasets": [corpus]}
    if len(rows):
        metrics = []
        for row in rows.itertuples():
            name = TITLES[row.metric]
            if row.ci_low == row.ci_low:
                name += f" ({confidence} % interval {row.ci_low:.3f} to {row.ci_high:.3f}, over speakers)"
            metrics.append({"type": row.metric, "name": name, "value": round(float(row.value), 4)})
        result = {
            "task": {"type": task, "name": "emotion recognition"},
            "dataset": {"type": corpus, "name": bundle.benchmark},
            "metrics": metrics,
        }
        header["metrics"] = [metric["type"] for metric in metrics]
        header["model-index"] = [{"name": f"{bundle.benchmark}/{bundle.system}", "results": [result]}]
    return yaml.safe_dump(header, sort_keys=False, allow_unicode=True, width=10_000)
