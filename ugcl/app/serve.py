"""The server of the browser app: where it listens, what it may keep, and how it ends."""

from __future__ import annotations

import logging
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ugcl.app.answers import Work
from ugcl.app.uploads import Limits
from ugcl.errors import UgclError
from ugcl.inference.api.model import Model

log = logging.getLogger(__name__)
LOCAL = ("127.0.0.1", "::1", "localhost")
GRACE = 1  # seconds that open connections have when the server ends
ADVICE = "the browser app needs the extra `app`; install it with: pip install -e '.[app]'"


def check_installed() -> None:
    """Refuse to start without the packages of the extra `app`.

    Raises:
        UgclError: one is missing.
    """
    from importlib.util import find_spec

    if missing := [name for name in ("gradio", "uvicorn") if find_spec(name) is None]:
        raise UgclError(f"{', '.join(missing)}: not installed; {ADVICE}")


def listen(host: str, port: int) -> tuple[socket.socket, str]:
    """Open the server's socket.

    Args:
        port: 0 for any that is free.

    Returns:
        The socket and its address for a browser.

    Raises:
        UgclError: the port is taken, or the host is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while")[0]  # it repeats the address
        raise UgclError(f"{host}, port {port}: {reason}; choose another with --port or --host") from None
    name = f"[{host}]" if ":" in host else host
    return opened, f"http://{name}:{opened.getsockname()[1]}"


def serve(
    model: Model, host: str, port: int, limits: Limits, opened: Callable[[str], None] = lambda address: None
) -> None:
    """Serve the page of a model until the process is interrupted or terminated.

    Files of visitors lie in a folder that only this user can read and that is removed at the end. Nothing
    else of this machine can be read through the page.

    Args:
        opened: takes the address as soon as it can be opened.

    Raises:
        UgclError: the address is taken, or no modality of a clip can be encoded.
    """
    check_installed()
    _ = model.observer  # a fault of the encoders comes now, and not with the first clip
    connection, address = listen(host, port)
    with connection, tempfile.TemporaryDirectory(prefix="ugcl-app-") as scratch, _ending():
        work = Work()
        server = _server(_application(model, limits, Path(scratch), work))
        opened(address)
        try:
            server.run(sockets=[connection])
        finally:
            work.end()


def _application(model: Model, limits: Limits, scratch: Path, work: Work) -> Any:
    """The ASGI application; Gradio reads its settings from the environment when it is imported."""
    os.environ |= {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_MCP_SERVER": "False",
        "GRADIO_TEMP_DIR": str(scratch),
        "GRADIO_EXAMPLES_CACHE": str(scratch / "examples"),
    }
    import gradio as gr
    from fastapi import FastAPI

    from ugcl.app import page
    from ugcl.app.guard import Guard

    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    application.add_middleware(Guard)
    blocks = page.build(model, limits, scratch, work)
    gr.mount_gradio_app(
        application,
        blocks,
        path="/",
        allowed_paths=[],
        max_file_size=round(limits.megabytes * 1e6),
        show_error=False,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        theme=page.theme(),
        css=page.style(),
    )
    # Gradio 6 checks that files of a request were uploaded only after launch(), which is not used here:
    # without this, a request that names any file of the server would get it.
    blocks.has_launched = blocks.is_running = True
    return application


def _server(application: Any) -> Any:
    import uvicorn

    # Connections that stay open for events are cut at the end, which uvicorn reports as errors.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    settings = uvicorn.Config(
        application, log_config=None, access_log=False, timeout_graceful_shutdown=GRACE, lifespan="on"
    )
    return uvicorn.Server(settings)


@contextmanager
def _ending() -> Iterator[None]:
    """Signals end the block, so that what it holds is removed.

    uvicorn stops at SIGINT and SIGTERM and raises them again behind itself; then they get here.
    """
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _interrupted) if main else None
    try:
        yield
    except KeyboardInterrupt:
        log.debug("interrupted")
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def _interrupted(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
