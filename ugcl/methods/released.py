"""The main paper's method as its released code computes it, faults and all.

The faults are those of gaoweibit/multi-modal_emotion_recognition at e8efc00 (MIT). Those that a network can
have are switches of the method's settings; those of losses and of training are settings there, which the
system `ugcl-as-released` sets: double-softmax focal loss, modality dropout by batch, batches of two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor, nn

from ugcl.errors import UgclError
from ugcl.methods.base import Method, Outputs, Statistics
from ugcl.models.encoders import Standardise
from ugcl.models.released_fusion import ReleasedFusion
from ugcl.models.trunk import FrameTrunk

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos

NOT_LEARNT = re.compile(
    r"\.version$|\.embed_positions\._float_tensor$|^UGT\.logit_scale$|^out_layer_aux\.|^mapping_layers\."
)
"""Entries of a released state that its forward pass never reads, and the video mapper, which comes before."""


AUXILIARY = ("a_mem_", "v_mem_", "proj_aux", "matcher")
"""Parameters that the matching loss alone teaches."""


class Released(Method):
    """The released system on this project's features: last layer of each encoder, no learnt layer mix.

    A missing modality is features of zero, as there; the network has no flag for it. With the
    fault `last_step` all clips are as long as the longest of their batch; what is padded beyond that, so that
    runs can go in step, is not seen. Claims no invariant: the faults break them.
    """

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own = run.method
        self.dims = {m: infos[m].dim // infos[m].layers for m in self.modalities}
        self.standardise = None
        if not own.raw_features:
            self.standardise = nn.ModuleDict(
                {m: Standardise(d, 1, _last_layer(statistics.get(m), d)) for m, d in self.dims.items()}
            )
        self.trunk = FrameTrunk(self.dims["video"], own.width, own.trunk, own.off_by_one)
        sizes = {"tokens": own.tokens, "layers": own.layers}
        faults = {"batch_attention": own.batch_attention, "live_dropout": own.live_dropout}
        classes = len(run.protocol.classes)
        self.fusion = ReleasedFusion(self.dims["audio"], own.width, classes, **sizes, **faults)
        if own.weights.matching == 0:
            for name, parameter in self.fusion.named_parameters():
                parameter.requires_grad = not name.startswith(AUXILIARY)

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`: `logits` (B, C), and both terms, which the network computes itself."""
        x = {m: batch.features[m][..., -d:] for m, d in self.dims.items()}
        if self.standardise is not None:
            x = {m: self.standardise[m](frames) for m, frames in x.items()}
        masks, present = batch.masks, batch.present
        x = {m: frames * (masks[m] & present[m][:, None])[..., None] for m, frames in x.items()}
        valid = {m: masks[m].sum(dim=1).clamp(min=1) for m in x}
        if self.settings.last_step:
            valid = {m: frames.amax(dim=0, keepdim=True) for m, frames in valid.items()}
        video = self.trunk(x["video"])
        out = self.fusion(x["audio"], video, valid["audio"], valid["video"].clamp(max=video.shape[1]))
        return out._asdict()

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`contrast` and `matching`, for which the released code needs no labels."""
        return {name: outputs[name] for name in self.settings.weights.positive()}


def _last_layer(statistics: tuple[Tensor, Tensor] | None, dim: int) -> tuple[Tensor, Tensor] | None:
    return None if statistics is None else (statistics[0][-dim:], statistics[1][-dim:])


def from_released_state(
    state: Mapping[str, Tensor], classes: int, *, live_dropout: bool = False
) -> ReleasedFusion:
    """The released network with the parameters of a state of that code.

    Args:
        state: parameters by the released code's names; sizes, layers and tokens are read from it. What its
            forward pass never reads may be there or not, as may the video mapper, which comes before.
        classes: number of classes C.
        live_dropout: keep the matching head's dropout in evaluation, as the code does; its loss is then
            another at each call.

    Returns:
        The network in eval mode, which computes every step as that code does; `forward(audio, video)` takes
        (B, T, D) audio and (B, S, W) mapped video.

    Raises:
        UgclError: the state lacks a parameter, has an unknown one, or is of another number of classes.
    """
    learnt = {name: value for name, value in state.items() if not NOT_LEARNT.search(name)}
    try:
        tokens, width = learnt["UGT.space_dict"].shape
        found = len(learnt["out_layer.weight"])
        layers = len({name.split(".")[2] for name in learnt if name.startswith("a_mem_1.layers.")})
    except KeyError as error:
        raise UgclError(f"released state: no parameter {error}; give a state of its fusion model") from None
    if found != classes:
        raise UgclError(
            f"released state: its classifier has {found} classes, not {classes}; correct `classes`"
        )
    convolution = learnt.get("conv_1d_a.weight")
    audio_dim = width if convolution is None else convolution.shape[1]
    options = {"tokens": tokens, "layers": layers, "live_dropout": live_dropout, "every_step": True}
    model = ReleasedFusion(audio_dim, width, classes, **options)
    problems = model.load_state_dict(learnt, strict=False)
    for names, what in ((problems.missing_keys, "lacks"), (problems.unexpected_keys, "has unknown")):
        if names:
            raise UgclError(f"released state: {what} {names[0]} [and {len(names) - 1} more]; give another")
    return model.eval()
