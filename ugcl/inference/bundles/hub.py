"""Bundles on the Hugging Face hub, or on another server that speaks its protocol (HF_ENDPOINT)."""

from __future__ import annotations

from pathlib import Path

from ugcl.errors import UgclError

KINDS = ("*.json", "*.md", "*.csv", "*.safetensors")
"""Files that a bundle has; others of a repository are not fetched."""


def push(folder: Path, name: str, private: bool = False) -> str:
    """Upload a bundle's folder; the repository is made where it is missing.

    The user's token is the one of `hf auth login`, or of the environment variable HF_TOKEN.

    Args:
        name: user/name.
        private: whether a new repository is.

    Returns:
        The address of the repository.

    Raises:
        UgclError: the hub cannot be reached, or refuses it.
    """
    from huggingface_hub import HfApi

    try:
        api = HfApi(library_name="ugcl")
        address = api.create_repo(name, private=private, exist_ok=True)
        message = "Upload a bundle of ugcl"
        api.upload_folder(repo_id=name, folder_path=folder, commit_message=message, delete_patterns="runs/*")
    except Exception as error:  # the hub raises many kinds: no such name, no token, no network
        raise UgclError(
            f"{name}: the hub refused it ({_line(error)}); check the name, and log in by `hf auth login`"
        ) from error
    return str(address)


def fetch(name: str) -> Path:
    """Download a bundle into the hub's cache, or take it from there.

    Args:
        name: user/name.

    Returns:
        The folder, which is not checked yet.

    Raises:
        UgclError: the hub has no repository of this name, or cannot be reached.
    """
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(KINDS), library_name="ugcl"))
    except Exception as error:  # as above
        raise UgclError(
            f"{name}: no system or bundle here, and the hub gave {_line(error)}; check the name"
        ) from error


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
