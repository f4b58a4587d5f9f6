"""Options that several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

from ugcl.threads import set_threads

# A callback runs before the command imports what reads the number.
Threads = Annotated[int, typer.Option(min=1, callback=set_threads, help="Threads of torch, BLAS and OpenCV.")]
