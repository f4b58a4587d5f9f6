"""From the `faces` section of params.yaml to a detector."""

from __future__ import annotations

from ugcl.config import Config
from ugcl.config.data import YunetFaces
from ugcl.features.faces.detector import Detector


def build(config: Config) -> Detector:
    """The detector that the `faces` section names.

    Raises:
        UgclError: its weights cannot be obtained, or are not the ones meant.
    """
    settings = config.faces
    if isinstance(settings, YunetFaces):
        from ugcl.features.faces.yunet import Yunet
        from ugcl.features.networks.weight_file import weight_file

        file = weight_file(config, "", settings.weights, settings.sha256, where="faces")
        return Yunet(file.path, settings.min_face)
    from ugcl.features.faces.mtcnn import Mtcnn

    return Mtcnn(settings.min_face)
