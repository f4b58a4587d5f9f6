"""From an `encoders` entry of params.yaml to an encoder."""

# An encoder names one modality, the protocol any: not compatible for pyright, since both could be assigned.
# pyright: reportReturnType=false

from __future__ import annotations

from pathlib import Path

from ugcl.config import Config
from ugcl.config.features import (
    AnyEncoder,
    Files,
    Hog,
    Image,
    LogMel,
    MelSpectrogram,
    Ngrams,
    OpenSmile,
    Sequences,
    Speech,
    Table,
    Text,
    Textual,
    Tokens,
    VggFace,
    Whisper,
)
from ugcl.data import sources, tables
from ugcl.devices import choose_device
from ugcl.errors import UgclError
from ugcl.features.encoder import Encoder
from ugcl.features.networks.weights import weights_folder
from ugcl.plan import paths


def build(config: Config, corpus: str, encoder: str) -> Encoder:
    """Make an encoder ready for a corpus.

    Args:
        corpus: key of `corpora`; tables and sequences are read from its root.

    Raises:
        UgclError: an unknown name, or weights, a table or a device that are not there.
    """
    config.corpus(corpus)  # names the corpora that there are
    if encoder not in config.encoders:
        raise UgclError(f"encoders: no entry {encoder!r}; choose from {', '.join(config.encoders)}")
    return _made(config, corpus, encoder, config.encoders[encoder])


def _made(config: Config, corpus: str, encoder: str, entry: AnyEncoder) -> Encoder:
    if isinstance(entry, Table | Sequences):
        return _reader(encoder, entry, sources.root(config, corpus) / entry.path)
    if isinstance(entry, Files):
        from ugcl.features.encoders.exported.files import FilesEncoder

        clips = tables.read_manifest(paths.manifest(corpus)).to_dict("records")
        return FilesEncoder(encoder, entry, sources.root(config, corpus), clips)
    if isinstance(entry, Textual):
        from ugcl.features.encoders.language.textual import TextualEncoder

        table = entry.units and _made(config, corpus, encoder, entry.units)
        return TextualEncoder(encoder, entry, _made(config, corpus, encoder, entry.reader), table)
    if isinstance(entry, Tokens):
        from ugcl.features.encoders.language.tokens import TokensEncoder

        return TokensEncoder(encoder, entry, weights_folder(config, encoder, entry.weights))
    return _network(config, encoder, entry) if entry.runs_network else _own(encoder, entry)


def _own(encoder: str, entry: AnyEncoder) -> Encoder:
    """An encoder that needs no weights."""
    match entry:
        case LogMel():
            from ugcl.features.encoders.logmel import LogMelEncoder

            return LogMelEncoder(encoder, entry)
        case MelSpectrogram():
            from ugcl.features.encoders.sound.melspectrogram import MelspectrogramEncoder

            return MelspectrogramEncoder(encoder, entry)
        case Hog():
            from ugcl.features.encoders.hog import HogEncoder

            return HogEncoder(encoder, entry)
        case OpenSmile():
            from ugcl.features.encoders.opensmile import OpensmileEncoder

            return OpensmileEncoder(encoder, entry)
        case Ngrams():
            from ugcl.features.encoders.ngrams import NgramsEncoder

            return NgramsEncoder(encoder, entry)
    raise _unknown(encoder, entry)


def _network(config: Config, encoder: str, entry: AnyEncoder) -> Encoder:
    """An encoder that runs a pretrained network."""
    device = choose_device(config.extraction.accelerator, "extraction")
    if isinstance(entry, VggFace):
        from ugcl.features.encoders.vgg_face import VggFaceEncoder
        from ugcl.features.networks.weight_file import weight_file

        file = weight_file(config, encoder, entry.weights, entry.sha256)
        return VggFaceEncoder(encoder, entry, file.path, file.sha256, device)
    folder = weights_folder(config, encoder, entry.weights)
    match entry:
        case Whisper():
            from ugcl.features.encoders.whisper import WhisperEncoder

            return WhisperEncoder(encoder, entry, folder, device)
        case Speech():
            from ugcl.features.encoders.speech import SpeechEncoder

            return SpeechEncoder(encoder, entry, folder, device)
        case Image():
            from ugcl.features.encoders.image import ImageEncoder

            return ImageEncoder(encoder, entry, folder, device)
        case Text():
            from ugcl.features.encoders.text import TextEncoder

            return TextEncoder(encoder, entry, folder, device)
    raise _unknown(encoder, entry)


def _reader(encoder: str, entry: Table | Sequences, path: Path) -> Encoder:
    """What reads precomputed features from a file."""
    if isinstance(entry, Table):
        from ugcl.features.encoders.table import TableEncoder

        return TableEncoder(encoder, entry, path)
    from ugcl.features.encoders.sequences import SequencesEncoder

    return SequencesEncoder(encoder, entry, path)


def _unknown(encoder: str, entry: AnyEncoder) -> UgclError:
    text = f"encoders.{encoder}.kind: {entry.kind!r} has no encoder; see ugcl/features/build.py"
    return UgclError(text)
