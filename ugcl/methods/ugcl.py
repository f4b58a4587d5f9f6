"""The main method: unified granularity contrastive learning and similar negative discrimination.

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

import itertools
import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ugcl.losses.contrast import attraction, contrast, similarities
from ugcl.losses.matching import choose, discriminate
from ugcl.methods.base import EncodedMethod, Outputs, Statistics, both
from ugcl.models.codebook import CodebookUse, clip_perplexity, perplexity
from ugcl.models.cross_fusion import CrossFusion
from ugcl.models.heads import Classifier, Matcher
from ugcl.models.queue import ClipQueue
from ugcl.models.tokens import UnifiedGranularityTokens

if TYPE_CHECKING:
    from ugcl.config.root import Run
    from ugcl.data.dataset import Batch
    from ugcl.methods.base import Infos

LARGEST_SCALE = 100.0
"""Largest inverse temperature of the contrastive loss (Radford et al. 2021, §2.5)."""


class UGCL(EncodedMethod):
    """Encoders, tokens, cross-attention fusion, classifier; heads of the terms that have a weight."""

    def __init__(self, run: Run, infos: Infos, statistics: Statistics) -> None:
        super().__init__(run, infos, statistics)
        own, weights, encoder = run.method, run.method.weights, run.encoder
        width, dropout, classes = encoder.width, encoder.dropout, len(run.protocol.classes)
        self.pairs = list(itertools.combinations(self.modalities, 2))

        widths = dict.fromkeys(self.modalities, width)
        pooling = own.assignment, own.token_pool, own.token_temperature, own.token_temperature_end
        self.tokens = UnifiedGranularityTokens(widths, own.tokens, width, *pooling)
        self.fusion = CrossFusion(self.modalities, own.readers, own.cross_layers, encoder)
        self.pools = nn.ModuleDict({m: self.encoders[m].pool(width) for m in self.modalities})
        self.classifier = Classifier(2 * len(self.modalities) * width, width, classes, dropout)

        # What only a term reads exists only where that term has a weight.
        self.log_scale = self.matchers = self.auxiliary = None
        if weights.contrast > 0:
            learnt = own.contrast.learnable and own.contrast.kind != "attraction"  # which has no temperature
            start = torch.tensor(-math.log(own.contrast.temperature))
            self.log_scale = nn.Parameter(start, requires_grad=learnt)
        if weights.matching > 0:
            self.matchers = nn.ModuleDict({"_".join(p): Matcher(width, width, dropout) for p in self.pairs})
        if weights.auxiliary > 0:
            self.auxiliary = Classifier(width, width, classes, dropout)
        self.queue = ClipQueue(own.queue, width, self.modalities)
        self.use = CodebookUse()

    def forward(self, batch: Batch) -> Outputs:
        """See `Method.forward`.

        Returns:
            `logits` (B, C), in eval mode with the auxiliary classifier's votes; by modality: `tokens`
            z (B, W) of length 1, `clips` the same at the scale of a normalised frame, `assignments` (B, K),
            `scores` of frames for tokens (B, T, K) and `valid` frames (B, T).
        """
        frames, valid = self.encode(batch)  # (B, T, W), (B, T)
        scores, tokens, assignments = {}, {}, {}
        for m in self.modalities:
            scores[m] = self.tokens.score(m, frames[m])  # (B, T, K)
            tokens[m], assignments[m] = self.tokens.express(self.tokens.gather(scores[m], valid[m]))

        # A unit vector has entries near 1/√W; √W brings it to the scale of a normalised frame.
        clips = {m: z * math.sqrt(z.shape[-1]) for m, z in tokens.items()}  # (B, W)
        clocks = {m: self.encoders[m].clock(x) for m, x in frames.items()}
        fused = self.fusion(frames, valid, clips, clocks)  # (B, T, W)
        pooled = [self.pools[m](fused[m], valid[m]) for m in self.modalities]  # M × (B, W)
        logits = self.classifier(torch.cat([*pooled, *clips.values()], dim=-1))  # (B, C)
        outputs = {"logits": self.voted(logits, clips, batch), "tokens": tokens, "clips": clips}
        return outputs | {"assignments": assignments, "scores": scores, "valid": valid}

    def voted(self, logits: Tensor, clips: dict[str, Tensor], batch: Batch) -> Tensor:
        """Logits (B, C), at inference with what the auxiliary classifier, taught by its own term, adds."""
        if self.auxiliary is None or self.training:
            return logits
        for m, x in clips.items():
            votes = self.auxiliary(x).log_softmax(dim=-1).masked_fill(~batch.present[m][:, None], 0.0)
            logits = logits + self.settings.vote * votes
        return logits

    def terms(self, outputs: Outputs, batch: Batch) -> dict[str, Tensor]:
        """`contrast` (UGCL), `matching` and `auxiliary` (SND); see `Method.terms`."""
        clips, terms = outputs["clips"], {}
        matches, logits = {}, {}
        if self.matchers is not None:
            matches = {(a, b): self.judge((a, b), clips[a], clips[b]) for a, b in self.pairs}  # (B, B)
        if self.auxiliary is not None:
            logits = {m: self.auxiliary(x) for m, x in clips.items()}  # (B, C)
        if self.log_scale is not None:
            terms["contrast"] = self._contrast(outputs, batch)
        if matches:
            found = [self._matching(outputs, batch, pair, m) for pair, m in matches.items()]
            terms["matching"] = torch.stack([loss for loss, _ in found]).mean()
            self.record("match_accuracy", torch.stack([right for _, right in found]).nanmean())
        if logits:
            terms["auxiliary"] = self.losses_of(logits, batch).mean()
        self._note(outputs["assignments"])
        self.queue.push(outputs["tokens"], batch.labels, batch.present)
        return terms

    def judge(self, pair: tuple[str, str], u: Tensor, v: Tensor) -> Tensor:
        """The matching head of a pair of modalities on clips (N, W) and (M, W) → (N, M) logits."""
        return self.matchers["_".join(pair)](u, v)

    def _contrast(self, outputs: Outputs, batch: Batch) -> Tensor:
        """Mean over granularities and pairs of modalities; clips of the queue join at the clip's."""
        own, losses = self.settings.contrast, []
        scale = self.log_scale.exp().clamp(max=LARGEST_SCALE)
        for name in self.settings.granularities:
            parts = {m: self._parts(name, outputs, m) for m in self.modalities}  # (B, S, W), (B, S)
            for a, b in self.pairs:
                here = both(batch.present, a, b)
                (u, u_here), (v, v_here) = ([part[here] for part in parts[m]] for m in (a, b))
                if own.kind == "attraction":
                    losses.append((1 - attraction(u, v, u_here, v_here)) / 2)
                    continue
                scores, labels = list(similarities(u, v, u_here, v_here, scale)), []
                for side, (x, other) in enumerate(((u, b), (v, a))):
                    past, emotions = self.queue.of(other, own.queue * (name == "clip"))
                    scores[side] = torch.cat([scores[side], scale * x[:, 0] @ past.to(x).T], dim=1)
                    labels.append(torch.cat([batch.labels[here], emotions]))
                losses.append(contrast(*scores, *(labels if own.kind == "supervised" else ())))
        return torch.stack(losses).mean()

    def _parts(self, granularity: str, outputs: Outputs, m: str) -> tuple[Tensor, Tensor]:
        scores, valid = outputs["scores"][m], outputs["valid"][m]
        if granularity == "frame":
            return self.tokens.frames(scores), valid
        if granularity == "segment":
            return self.tokens.segments(scores, valid, self.settings.segments)
        return outputs["tokens"][m][:, None], valid.any(dim=1, keepdim=True)

    def _matching(
        self, outputs: Outputs, batch: Batch, pair: tuple[str, str], matches: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The loss of a pair's matches (B, B), and the share of its pairs that are judged correctly."""
        own, here = self.settings.matching, both(batch.present, *pair)
        u, v = (outputs["tokens"][m][here] for m in pair)
        matches, similarity, labels = matches[here][:, here], u @ v.T, batch.labels[here]
        sides = []
        for x, other, m, s in ((u, pair[1], matches, similarity), (v, pair[0], matches.T, similarity.T)):
            past, emotions = self.queue.of(other, own.queue)
            if len(past) and len(x):
                past, scale = past.to(x), math.sqrt(x.shape[-1])
                first, second = (x, past) if other == pair[1] else (past, x)
                judged = self.judge(pair, first * scale, second * scale)
                m = torch.cat([m, judged if other == pair[1] else judged.T], dim=1)
                s = torch.cat([s, x @ past.T], dim=1)
            sides.append(choose(own.negatives, m, s, labels, emotions))
        temperature = {"sample": own.temperature, "random": 1.0}.get(own.negatives)
        top = 0 if own.negatives == "random" else own.top
        return discriminate(*sides, sides[0][2][: len(labels)], temperature, top)

    def _note(self, assignments: dict[str, Tensor]) -> None:
        """Record the use of the codebook, where there is one."""
        weights = {m: w.detach() for m, w in assignments.items() if w.shape[-1]}
        if weights and self.recording:
            self.use.add(weights)
            self.record("token_perplexity", torch.stack([perplexity(w) for w in weights.values()]).mean())
            self.record("clip_perplexity", torch.stack([clip_perplexity(w) for w in weights.values()]).mean())

    def facts(self) -> dict[str, float]:
        """Also `dead_tokens`, the share of tokens that a whole epoch left unused; see `Method.facts`."""
        return super().facts() | self.use.take()

    def advance(self, progress: float) -> None:
        """Cool the tokens (see `UnifiedGranularityTokens.advance`)."""
        self.tokens.advance(progress)
