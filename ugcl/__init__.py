"""Audio-visual emotion recognition by unified granularity contrastive learning, as a workflow.

The Python interface is what `__all__` names; docs/python.md shows it in use. Importing the package loads
neither torch nor pandas: a name is imported when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ugcl.errors import UgclError

__version__ = "0.1.0"

# Names as text: the lineage of a result follows imports, and no result depends on this interface.
_HOMES = {
    "Classifier": "ugcl.inference.api.classifier",
    "Model": "ugcl.inference.api.model",
    "Result": "ugcl.inference.api.model",
    "load": "ugcl.inference.api.load",
    "load_features": "ugcl.evaluation.frames",
    "load_predictions": "ugcl.evaluation.frames",
    "write_timeline": "ugcl.inference.annotations.write",
}

# The checker does not see names that __getattr__ gives.
# pyright: reportUnsupportedDunderAll=false
__all__ = [
    "Classifier",
    "Model",
    "Result",
    "UgclError",
    "load",
    "load_features",
    "load_predictions",
    "write_timeline",
]


def __getattr__(name: str) -> Any:
    """A name of the interface, from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
