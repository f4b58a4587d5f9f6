"""The main system: unified granularity contrastive learning and similar negative discrimination.

Li, Gao and Li, *Multimodal emotion recognition via unified granularity contrastive learning and similar
negative discrimination*, Pattern Recognition 176 (2026) 113224. The abstract is the specification:

    features ─ encoder ─┬─ cross-attention ─ pooling ─┐
      (per modality)    │    (both directions)        ├─ classifier ─ logits
                        └─ unified granularity tokens ┤
                           (one codebook for all)     ├─ UGCL: contrast across modalities
                                                      └─ SND:  matching head on similar negatives of
                                                               another emotion, auxiliary classifier
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ugcl.models.fusion.cross import CrossFusion
from ugcl.models.heads import Classifier, Matcher
from ugcl.models.system import EncodedSystem, Statistics, Tensors
from ugcl.models.tokens import UnifiedGranularityTokens

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.models.system import Infos

LARGEST_SCALE = 100.0
"""Largest inverse temperature of the contrastive loss (Radford et al. 2021, §2.5)."""


class UGCL(EncodedSystem):
    """Encoders, tokens, cross-attention fusion, classifier; heads of the losses that have a weight.

    Labels never come in here: the losses choose negatives by label from what `forward` returns, and a
    clip's logits depend on that clip alone.
    """

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        model, loss, classes = run.model, run.loss, len(run.protocol.classes)
        width, self.vote = model.width, model.vote
        self.pairs = list(itertools.combinations(self.modalities, 2))

        self.tokens = UnifiedGranularityTokens(
            dict.fromkeys(self.modalities, width),
            model.tokens,
            width,
            model.assignment,
            model.token_pool,
            model.token_temperature,
            model.token_temperature_end,
        )
        self.granularities, self.segments = model.granularities, model.segments
        self.fusion = CrossFusion(model)
        self.pools = nn.ModuleDict({m: self.encoders[m].pool(width) for m in self.modalities})
        self.classifier = Classifier(2 * len(self.modalities) * width, width, classes, model.dropout)

        # Parameters that only a loss reads exist only where that loss has a weight.
        self.log_scale = None
        if loss.ugcl.weight > 0:
            start = torch.tensor(-math.log(loss.ugcl.temperature))
            learnt = loss.ugcl.learnable and loss.ugcl.kind != "attraction"  # which has no temperature
            self.log_scale = nn.Parameter(start, requires_grad=learnt)
        self.matchers = self.auxiliary = None
        if loss.snd.weight > 0:
            self.matchers = nn.ModuleDict(
                {"_".join(pair): Matcher(width, width, model.dropout) for pair in self.pairs}
            )
            self.queued = loss.snd.queue > 0
            if loss.snd.auxiliary > 0:
                self.auxiliary = Classifier(width, width, classes, model.dropout)

    def forward(self, features: Tensors, masks: Tensors, present: Tensors) -> dict[str, Any]:
        """See `System.forward`.

        Returns:
            `logits` (B, C), in eval mode with the auxiliary classifier's votes; `tokens` modality →
            z (B, W) of length 1; `assignments` modality → (B, K); `auxiliary` modality → (B, C); `present`
            as given. For the losses, in training: `levels` granularity → modality → representations
            (B, S, W) of length 1 and which of the S parts are there (B, S); `scale` inverse temperature;
            `matches` pair of modalities → (B, B) logits; with a queue, `judges` pair → the head itself.
        """
        streams, valid = self.encode(features, masks, present)  # (B, T, W), (B, T)
        tokens, assignments, levels = {}, {}, {name: {} for name in self.granularities}
        for m in self.modalities:
            scores = self.tokens.score(m, streams[m])  # (B, T, K)
            tokens[m], assignments[m] = self.tokens.express(self.tokens.gather(scores, valid[m]))
            for name in self.granularities if self.training else ():
                levels[name][m] = self._level(name, scores, valid[m], tokens[m])  # (B, S, W), (B, S)

        # A unit vector has entries near 1/√W; √W brings it to the scale of a normalised frame.
        clip_level = {m: z * math.sqrt(z.shape[-1]) for m, z in tokens.items()}
        clocks = {m: self.encoders[m].clock(x) for m, x in streams.items()}
        fused = self.fusion(streams, valid, clip_level, clocks)  # modality → (B, T, W)
        pooled = [self.pools[m](fused[m], valid[m]) for m in self.modalities]  # M × (B, W)
        logits = self.classifier(torch.cat([*pooled, *clip_level.values()], dim=-1))  # (B, C)

        outputs = {"logits": logits, "tokens": tokens, "present": present}
        if self.tokens.codebook is not None:
            outputs["assignments"] = assignments
        if self.log_scale is not None and self.training:
            outputs["levels"] = levels
            outputs["scale"] = self.log_scale.exp().clamp(max=LARGEST_SCALE)
        if self.matchers is not None and self.training:
            outputs["matches"] = {
                (a, b): self.matchers[f"{a}_{b}"](clip_level[a], clip_level[b]) for a, b in self.pairs
            }
            if self.queued:
                outputs["judges"] = {pair: functools.partial(self._judge, pair) for pair in self.pairs}
        if self.auxiliary is not None:
            outputs["auxiliary"] = {m: self.auxiliary(clip_level[m]) for m in self.modalities}
            if not self.training:  # its own loss teaches it; what it has learnt counts at inference
                for m, votes in outputs["auxiliary"].items():
                    votes = votes.log_softmax(dim=-1).masked_fill(~present[m][:, None], 0.0)
                    outputs["logits"] = outputs["logits"] + self.vote * votes
        return outputs

    def _level(self, name: str, scores: Tensor, mask: Tensor, whole: Tensor) -> tuple[Tensor, Tensor]:
        if name == "frame":
            return self.tokens.frames(scores), mask
        if name == "segment":
            return self.tokens.segments(scores, mask, self.segments)
        return whole[:, None], mask.any(dim=1, keepdim=True)

    def _judge(self, pair: tuple[str, str], u: Tensor, v: Tensor) -> Tensor:
        """The matching head of a pair on tokens (N, W) and (M, W) of length 1 → (N, M) logits."""
        scale = math.sqrt(u.shape[-1])
        return self.matchers["_".join(pair)](u * scale, v * scale)

    def advance(self, progress: float) -> None:
        """Cool the tokens (see `UnifiedGranularityTokens.advance`)."""
        self.tokens.advance(progress)
