"""What a model is, what it was trained on and what it cannot do, in the page's words."""

from __future__ import annotations

from html import escape

from ugcl.inference.api.model import Model
from ugcl.reports.labels import label_source

SYNTHETIC = (
    "trained on clips that show no people, made by a program. It says nothing about people and must not be"
    " used on people."
)
USE = (
    "For research: comparing methods on short clips of one person. Not for decisions about people, not for"
    " watching people who have not agreed, and not to infer what a person feels: a label is not what a person"
    " felt."
)


def banner(model: Model) -> str:
    """The head of the page: the model, and SYNTHETIC where it was trained on clips that show no people."""
    run = model.ensemble.run
    reads = " and ".join(model.modalities)
    head = f"<h1>{escape(run.system)} <small>trained on {escape(run.corpus)}</small></h1>"
    line = f"<p>Recognises {escape(', '.join(model.classes))} from {escape(reads)}.</p>"
    mark = f'<p class="ugcl-mark"><strong>{model.marks}</strong>: {SYNTHETIC}</p>' if model.marks else ""
    return f'<header class="ugcl-head">{head}{line}{mark}</header>'


def facts(model: Model) -> list[tuple[str, str]]:
    """Name and text of what is known of a model's training."""
    run, config = model.ensemble.run, model.config
    count = len(model.ensemble.runs)
    votes = f"{count} trained networks vote" if count > 1 else "one trained network"
    own = config.benchmarks.get(run.benchmark)
    labels = f"label {run.protocol.label}"
    if not model.card and own is not None and own.corpus in config.corpora:
        labels += f": {label_source(config, run.benchmark)}"
    encoders = ", ".join(f"{m} by {run.features[m]}" for m in model.modalities)
    found = [
        ("Model", f"{model.name}, method {run.method.name}; {votes}"),
        ("Trained on", f"corpus {run.corpus}{' (SYNTHETIC)' if model.marks else ''}, {labels}"),
        ("Reads", encoders),
    ]
    calibrated = "calibrated on dev clips of that corpus; on other recordings it is a guide"
    found.append(("Confidence", calibrated if model.calibrated else "not calibrated"))
    return found


def limits(model: Model) -> list[str]:
    """Sentences on what a model cannot do, or needs."""
    run, found = model.ensemble.run, []
    found += [f"Missing in every clip: {m} ({why})." for m, why in model.observer.never.items()]
    if run.input.by_speaker:
        found.append("All clips of a prediction are taken for clips of one person; it needs at least two.")
    if run.input.context != "clip":
        found.append("The clips of a prediction are taken for one dialogue, in the order of their names.")
    if len(model.modalities) > 1:
        found.append("A clip without sound or without a face is predicted from what it has.")
    return [
        *found,
        "Recordings unlike the training corpus (light, microphone, language, age) are predicted worse.",
        USE,
    ]


def description(model: Model) -> str:
    """The panel on training and limits."""
    rows = "".join(f"<tr><th>{name}</th><td>{escape(text)}</td></tr>" for name, text in facts(model))
    items = "".join(f"<li>{escape(text)}</li>" for text in limits(model))
    return f'<div class="ugcl-about"><table>{rows}</table><ul>{items}</ul></div>'
