"""The page: what is asked for, what is shown, and what a visit leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.themes import Base, Default

from ugcl.app import about, answers, panels, uploads
from ugcl.app.answers import Answers, Work
from ugcl.app.downloads import FORMATS
from ugcl.app.uploads import Limits
from ugcl.errors import UgclError
from ugcl.inference.api.model import Model

log = logging.getLogger(__name__)
STATIC = Path(__file__).parent / "static"
WAITING = 20  # requests that may wait; later ones are asked to try again
SWEEP, KEPT = 600, 6 * 3600  # seconds: how often uploads are looked through, and how long one is kept
FAULT = "The prediction failed; the reason is in the log of the program that serves this page."
CAMERA = {"video": {"width": {"ideal": 640}, "height": {"ideal": 480}}}


def build(model: Model, limits: Limits, scratch: Path, work: Work) -> gr.Blocks:
    """The page of a model.

    Args:
        model: predicts one request at a time; others wait in a queue.
        limits: of each file.
        scratch: a private folder for files of requests.
        work: ends requests when the server ends.
    """
    with gr.Blocks(title=f"UGCL: {model.name}", analytics_enabled=False, delete_cache=(SWEEP, KEPT)) as page:
        gr.HTML(about.banner(model), apply_default_css=False)
        inputs = _inputs(model, limits)
        button = gr.Button("Predict", variant="primary", elem_id="predict")
        message = gr.HTML(elem_id="message", visible=False, apply_default_css=False)
        script = (STATIC / "page.js").read_text("utf-8")
        result = gr.HTML(elem_id="result", js_on_load=script, apply_default_css=False)
        with gr.Row(elem_id="downloads"):
            files = [gr.DownloadButton(name, visible=False, size="sm", min_width=90) for name in FORMATS]
        with gr.Accordion("What it was trained on, and its limits", open=False):
            gr.HTML(about.description(model), apply_default_css=False)
        if model.card:
            with gr.Accordion("Model card", open=False):
                gr.Markdown(model.card, elem_id="card")
        held = gr.State(None, delete_callback=answers.forget)
        button.click(
            _predicts(model, limits, scratch, work),
            [held, *inputs],
            [held, message, result, *files],
            concurrency_limit=1,
            show_progress_on=result,
            api_visibility="private",
        )
        result.select(_chosen, [held], [result], show_progress="hidden", api_visibility="private")
    return page.queue(max_size=WAITING)


def theme() -> Base:
    """Gradio's look with the fonts of the reader's system: none is loaded from elsewhere."""
    fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}
    return Default(primary_hue="blue", **fonts)


def style() -> str:
    """The page's own CSS."""
    return (STATIC / "page.css").read_text("utf-8")


def _inputs(model: Model, limits: Limits) -> list[Any]:
    """Files, camera, microphone and, where the model reads text, the words."""
    bounds = f"at most {limits.megabytes:g} MB and {limits.seconds:g} s each"
    kinds = "Sound, video and text (.txt) files" if "text" in model.modalities else "Sound and video files"
    with gr.Tab("Files"):
        files = gr.File(label="Clips", file_count="multiple", height=170, elem_id="files")
        gr.HTML(
            f'<p class="ugcl-hint">{kinds}, {bounds}. Files of one name are one clip.</p>',
            apply_default_css=False,
        )
    with gr.Tab("Camera"):
        # Mirrored recordings would have to be converted by an ffmpeg command.
        camera = gr.Video(
            sources=["webcam"],
            include_audio=True,
            label=f"Picture and sound, at most {limits.seconds:g} s",
            webcam_options=gr.WebcamOptions(mirror=False, constraints=CAMERA),
            elem_id="camera",
            height=320,
        )
    with gr.Tab("Microphone"):
        label = f"Sound, at most {limits.seconds:g} s"
        microphone = gr.Audio(
            sources=["microphone"], type="filepath", label=label, elem_id="microphone", editable=False
        )
    transcript = gr.Textbox(
        label="What is said (of one clip; otherwise add text files)",
        visible="text" in model.modalities,
        lines=2,
    )
    return [files, camera, microphone, transcript]


def _predicts(model: Model, limits: Limits, scratch: Path, work: Work) -> Callable[..., list[Any]]:
    def predict(
        old: Answers | None,
        files: Sequence[str] | None,
        camera: str | None,
        microphone: str | None,
        transcript: str | None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008, Gradio finds it by this default
    ) -> list[Any]:
        def report(done: int, total: int, name: str) -> None:
            work.check()
            progress((done, total), desc=name, unit="clips")

        recordings = [("camera", camera), ("microphone", microphone)]
        try:
            with work.turn:
                work.check()
                request = uploads.batch(scratch, files or [], recordings, limits)
                found = answers.answer(model, request, transcript or "", report)
        except UgclError as error:
            return _shown(old, str(error))
        except Exception:
            log.exception("a prediction failed")
            return _shown(old, FAULT)
        answers.forget(old)
        return _shown(found)

    return predict


def _shown(found: Answers | None, fault: str = "") -> list[Any]:
    """The state, message, result and downloads."""
    text = f'<p class="ugcl-error" role="alert">{escape(fault)}</p>'
    message = gr.HTML(text if fault else "", visible=bool(fault))
    files = found.files if found else {}
    buttons = [
        gr.DownloadButton(value=str(files[n]) if n in files else None, visible=n in files) for n in FORMATS
    ]
    return [found, message, _result(found, found.good[0] if found and found.good else -1), *buttons]


def _result(found: Answers | None, chosen: int) -> str:
    if found is None:
        return ""
    predictions = [answer.prediction for answer in found.answers]
    if len(predictions) == 1:
        return found.answers[0].panel or panels.failure(predictions[0])
    return panels.table(predictions, chosen) + (found.answers[chosen].panel if chosen >= 0 else "")


def _chosen(found: Answers | None, event: gr.EventData) -> str:
    """The result with another clip; a number that the page did not offer changes nothing."""
    index = getattr(event, "index", None)
    if found is None or index not in found.good:
        return _result(found, found.good[0] if found and found.good else -1)
    return _result(found, index)
