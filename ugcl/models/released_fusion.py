"""The released network behind its audio encoder and video mapper, with its faults as switches.

gaoweibit/multi-modal_emotion_recognition at e8efc00 (MIT). Parameters have that code's names, so that its
states load.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ugcl.losses.contrast import attraction
from ugcl.losses.matching import nearest
from ugcl.models.crossmodal import CrossmodalStack, hidden_keys_of_clips
from ugcl.models.tokens import Query

HEADS = 10
"""Attention heads of every stack; the width is a multiple of it."""


class ReleasedOutput(NamedTuple):
    """What the released forward pass gives.

    Attributes:
        logits: (B, C).
        contrast: scalar, ½ (1 − similarity of the modalities), without negatives.
        matching: scalar, binary loss of the matching head on own partners and nearest other clips.
    """

    logits: Tensor
    contrast: Tensor
    matching: Tensor


class TokenQuery(nn.Module):
    """A soft code for each frame by itself: softmax over ⟨q_map(f), c_k⟩ / √d, nothing pooled."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.q_map = Query(width, width)

    def forward(self, frames: Tensor, codebook: Tensor) -> Tensor:
        """(B, T, W) and (K, W) → (B, T, W), rows of length 1."""
        scores = self.q_map(frames) @ codebook.T / math.sqrt(codebook.shape[1])
        coded = scores.softmax(dim=-1) @ codebook
        return coded / (coded.norm(dim=-1, keepdim=True) + 1e-10)


class FrameTokens(nn.Module):
    """The released codebook: shared by both modalities, applied frame by frame."""

    def __init__(self, width: int, tokens: int) -> None:
        super().__init__()
        self.space_dict = nn.Parameter(torch.randn(tokens, width))
        self.img_query_model, self.txt_query_model = TokenQuery(width), TokenQuery(width)

    def forward(self, audio: Tensor, video: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, W) and (B, S, W) → coded video (B, S, W) and coded audio (B, T, W)."""
        return self.img_query_model(video, self.space_dict), self.txt_query_model(audio, self.space_dict)


class PairMatcher(nn.Module):
    """Matched or not: a perceptron on two vectors side by side."""

    def __init__(self, width: int, hidden: int = 256) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(2 * width, hidden), nn.Linear(hidden, 1)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """(B, W) and (B, W) → (B, 1)."""
        return self.linear2(self.linear1(torch.cat([first, second], dim=1)).relu())


class ReleasedFusion(nn.Module):
    """Everything behind the audio encoder and the video mapper.

    With all switches on, this is the released network; switching one off repairs that fault alone.
    """

    def __init__(
        self,
        audio_dim: int,
        width: int,
        classes: int,
        *,
        tokens: int = 1024,
        layers: int = 5,
        batch_attention: bool = True,
        live_dropout: bool = True,
        every_step: bool = False,
    ) -> None:
        """Make the network.

        Args:
            audio_dim: columns of an audio frame; a projection is made unless it equals `width`.
            width: W, columns of a video frame and of everything behind; a multiple of 10.
            classes: C.
            tokens: K, codebook entries.
            layers: layers per stack.
            batch_attention: the auxiliary stacks attend over the clips of the batch; repaired, over frames.
            live_dropout: the matching head drops out in evaluation too.
            every_step: where the auxiliary stacks attend over clips, compute the steps that no clip reads
                too, as the released code does. Steps never meet, so that only the time differs.
        """
        super().__init__()
        self.batch_attention, self.live_dropout = batch_attention, live_dropout
        self.every_step = every_step

        def stack(**options: bool | float) -> CrossmodalStack:
            return CrossmodalStack(width, HEADS, layers, **options)

        self.conv_1d_a = None if audio_dim == width else nn.Conv1d(audio_dim, width, 1, bias=False)
        self.UGT = FrameTokens(width, tokens)
        self.a_mem_1, self.a_mem_2, self.a_mem_3 = stack(), stack(), stack()
        self.v_mem_1, self.v_mem_2, self.v_mem_3 = stack(), stack(), stack()
        self.trans_a_mem, self.trans_v_mem = stack(mixed=True), stack(mixed=True)
        self.trans_v_with_a = stack(attention_dropout=0.0, positional=True)
        self.trans_a_with_v = stack(attention_dropout=0.0, positional=True)
        self.proj_aux1, self.proj_aux2 = nn.Linear(width, 512), nn.Linear(512, 256)
        self.proj_aux3 = nn.Linear(256, width)
        self.proj1, self.proj2 = nn.Linear(2 * width, 2 * width), nn.Linear(2 * width, 2 * width)
        self.out_layer = nn.Linear(2 * width, classes)
        self.matcher = PairMatcher(width)

    def forward(
        self,
        audio: Tensor,
        video: Tensor,
        audio_frames: Tensor | None = None,
        video_frames: Tensor | None = None,
    ) -> ReleasedOutput:
        """Classify clips and compute both auxiliary losses, for which the code needs no labels.

        Args:
            audio: (B, T, D) frames.
            video: (B, S, W) frames behind the video mapper.
            audio_frames: (B,) frames of each clip, or (1,) of all: the last of them stands for it and later
                ones are not seen; default all, as in the released code, padding included.
            video_frames: (B,) or (1,), likewise.
        """
        if self.conv_1d_a is not None:
            audio = self.conv_1d_a(audio.transpose(1, 2)).transpose(1, 2)
        video, audio = self.UGT(audio, video)
        a, v = _lengths(audio, audio_frames), _lengths(video, video_frames)
        alignment = (1 - attraction(video, audio, _here(video, v), _here(audio, a))) / 2
        matching = self._matching(self._auxiliary(audio, a, "a"), self._auxiliary(video, v, "v"))

        audio, video = audio.transpose(0, 1), video.transpose(0, 1)
        a_clip = self._main(audio, video, a, v, self.trans_a_with_v, self.trans_a_mem)
        v_clip = self._main(video, audio, v, a, self.trans_v_with_a, self.trans_v_mem)
        both = torch.cat([a_clip, v_clip], dim=1)
        hidden = F.dropout(self.proj1(both).relu(), 0.2, self.training)
        return ReleasedOutput(self.out_layer(self.proj2(hidden) + both), alignment, matching)

    def _main(
        self,
        own: Tensor,
        other: Tensor,
        own_length: Tensor,
        other_length: Tensor,
        cross: CrossmodalStack,
        memory: CrossmodalStack,
    ) -> Tensor:
        """(T, B, W) on (S, B, W) → one vector per clip, (B, W)."""
        hidden = hidden_keys_of_clips(own_length, other_length, len(own), len(other))
        return _last(memory(cross(own, other, hidden)), own_length)

    def _auxiliary(self, frames: Tensor, lengths: Tensor, name: str) -> Tensor:
        """(B, T, W) → (B, W). The stacks take the first axis for time, whatever it is."""
        if not self.batch_attention:
            return _last(self._memory(frames.transpose(0, 1), name), lengths)
        read = lengths - 1
        if not self.every_step:
            frames, read = frames[:, read], torch.arange(len(read), device=read.device)
        return self._memory(frames, name)[torch.arange(len(frames), device=read.device), read]

    def _memory(self, h: Tensor, name: str) -> Tensor:
        for number in (1, 2, 3):
            h = getattr(self, f"{name}_mem_{number}")(h)
        return h

    def _matching(self, audio: Tensor, video: Tensor) -> Tensor:
        similarity = F.normalize(audio, dim=1) @ F.normalize(video, dim=1).T
        to_video, to_audio = nearest(similarity), nearest(similarity.T)
        sides = ((video, audio[to_audio], audio), (audio, video[to_video], video))
        # One product of all instead of six of a few rows; each row has a dropout of its own.
        projected = self._project(torch.cat([x for side in sides for x in side])).chunk(6)
        losses = []
        for own, negative, partner in (projected[:3], projected[3:]):
            mismatched, matched = self.matcher(own, negative), self.matcher(own, partner)
            # Binary cross-entropy on logits; as many matched as mismatched pairs, so the means halve.
            losses.append((F.softplus(mismatched).mean() + F.softplus(-matched).mean()) / 2)
        return sum(losses) / 2  # pyright: ignore[reportReturnType]

    def _project(self, x: Tensor) -> Tensor:
        live = self.training or self.live_dropout
        for layer in (self.proj_aux1, self.proj_aux2):
            x = F.dropout(layer(x).relu(), 0.5, live)
        return self.proj_aux3(x)


def _lengths(frames: Tensor, valid: Tensor | None) -> Tensor:
    if valid is None:
        return torch.full((1,), frames.shape[1], device=frames.device)
    return valid


def _here(frames: Tensor, lengths: Tensor) -> Tensor:
    """(B, T, W) and (B,) or (1,) → which frames a clip has, (B, T) or (1, T)."""
    return torch.arange(frames.shape[1], device=frames.device) < lengths[:, None]


def _last(frames: Tensor, lengths: Tensor) -> Tensor:
    """(T, B, W) and (B,) or (1,) → each clip's last valid frame, (B, W)."""
    return frames[lengths - 1, torch.arange(frames.shape[1], device=frames.device)]
