"""Class probabilities of a dataset's clips by a trained network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ugcl.errors import UgclError

if TYPE_CHECKING:
    import torch
    from torch import nn

    from ugcl.data.dataset import ClipDataset


def predict_clips(
    model: nn.Module, clips: ClipDataset, batch: int = 64, device: torch.device | str = "cpu"
) -> pd.DataFrame:
    """Predict the clips of a dataset; a clip's row depends on its features alone.

    Returns:
        One row per clip in the dataset's order: clip, speaker, label, predicted, p_<class>.

    Raises:
        UgclError: a logit is not finite.
    """
    p = probabilities(model, clips, batch, device)
    table = pd.DataFrame({"clip": clips.clips, "speaker": clips.speakers})
    table["label"] = [clips.classes[i] for i in clips.labels.tolist()]
    table["predicted"] = [clips.classes[i] for i in p.argmax(1)]
    return table.assign(**{f"p_{name}": p[:, i] for i, name in enumerate(clips.classes)})


def probabilities(
    model: nn.Module, clips: ClipDataset, batch: int = 64, device: torch.device | str = "cpu"
) -> np.ndarray:
    """Class probabilities of the clips of a dataset, (clips, classes), in its order.

    Raises:
        UgclError: a logit is not finite.
    """
    import torch

    model = model.to(device).eval()
    found = []
    with torch.inference_mode():
        for part in clips.batches(batch):
            logits = model(part.to(device))["logits"]
            found.append(torch.softmax(logits.double(), dim=1).cpu())
    p = torch.cat(found).numpy()
    if not np.isfinite(p).all():
        raise UgclError("prediction: a probability is not finite; train again with a lower learning rate")
    return p
