"""Notebooks: from a jupytext script to an executed page that needs no network."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ugcl import files
from ugcl.config import Config
from ugcl.errors import UgclError
from ugcl.plan import reports as plan
from ugcl.plan.reports import notebook_output, notebook_source
from ugcl.reports.pages.templating import TEMPLATES, link

KERNEL = "python3"
FILES = {"style": "style.css", "script": "scroll.js"}
"""What every page of the report holds, of the templates."""


def render(config: Config, name: str, benchmarks: Iterable[str] | None = None) -> Path:
    """Execute a notebook in the working folder and write it as HTML.

    Args:
        name: stem of a script in notebooks/.
        benchmarks: passed to the notebook; default the active ones.

    Returns:
        The page.

    Raises:
        UgclError: the notebook does not exist, or one of its cells fails (its error is named).
    """
    source = notebook_source(name)
    if not source.is_file():
        raise UgclError(f"{source}: not found; choose from {', '.join(config.report.notebooks)}")
    parameters = {"root": ".", "benchmarks": list(benchmarks or config.active)}
    page = to_html(execute(source, parameters), plan.notebook_title(name), navigation(config, name))
    output = notebook_output(config, name)
    files.write(output, page)
    return output


def execute(source: Path, parameters: dict[str, object]):
    """Run a jupytext script with this interpreter's kernel, from the working folder.

    Returns:
        The executed notebook (nbformat NotebookNode), cells numbered in order instead of by chance.

    Raises:
        UgclError: a cell fails.
    """
    import jupytext
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError
    from traitlets.config import Config as Traits

    notebook = jupytext.read(source)
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "in.ipynb"), Path(folder, "out.ipynb")
        # Kernels that start at one time may choose the same TCP ports, and then one of them dies.
        sockets = {"transport": "ipc", "ip": f"{folder}/kernel"} if os.name == "posix" else {}
        nbformat.write(notebook, before)
        try:
            papermill.execute_notebook(
                before,
                after,
                parameters,
                kernel_name=KERNEL,
                cwd=".",
                progress_bar=False,
                log_output=False,
                config=Traits({"KernelManager": sockets}),
            )
        except PapermillExecutionError as error:
            fault = f"{error.ename}: {' '.join(error.evalue.split())}"
            raise UgclError(
                f"{source}: cell {error.exec_count} fails with {fault}; run the stages before it or fix it"
            ) from None
        except RuntimeError as error:
            raise UgclError(f"{source}: its kernel died ({error}); run it again, with more memory") from None
        done = nbformat.read(after, as_version=4)
    for number, cell in enumerate(done.cells):
        cell["id"] = f"cell-{number}"
    return done


def navigation(config: Config, name: str) -> dict[str, Any]:
    """What a notebook's page shows of the report around it.

    Returns:
        report: title of the front page; home: its address from the page; links: title and address of each
        notebook's page, the address "" for the page itself.
    """
    here = notebook_output(config, name)
    links = [
        (plan.notebook_title(other), "" if other == name else link(notebook_output(config, other), here))
        for other in plan.notebooks(config)
    ]
    return {
        "report": config.report.title,
        "home": link(plan.folder(config) / "index.html", here),
        "links": links,
    }


def to_html(notebook, title: str, around: Mapping[str, Any] | None = None) -> str:
    """An executed notebook as one HTML page without requests; code of hidden cells is left out.

    Args:
        notebook: NotebookNode.
        title: of the page.
        around: of :func:`navigation`; none for a page by itself.
    """
    from nbconvert import HTMLExporter
    from nbconvert.preprocessors import TagRemovePreprocessor
    from traitlets.config import Config as Traits

    traits = Traits()
    traits.TagRemovePreprocessor.enabled = True
    traits.TagRemovePreprocessor.remove_cell_tags = {"injected-parameters", "parameters"}
    traits.TagRemovePreprocessor.remove_input_tags = {"hide-input"}
    exporter = HTMLExporter(
        config=traits, template_name="offline", extra_template_basedirs=[str(TEMPLATES)], embed_images=True
    )
    exporter.register_preprocessor(TagRemovePreprocessor(config=traits), enabled=True)
    around = around or {"report": "", "home": "", "links": []}
    texts = {kind: (TEMPLATES / file).read_text() for kind, file in FILES.items()}
    page = {"title": f"{title} – {around['report']}" if around["report"] else title, **around, **texts}
    page, _ = exporter.from_notebook_node(notebook, resources={"metadata": {"name": title}, "page": page})
    requests = re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"'](?:https?:)?//[^\"']+", page)
    if requests:
        fault = f"{title}: the page would load {requests[0][:120]}"
        raise UgclError(f"{fault}; remove that output from the notebook")
    return page
