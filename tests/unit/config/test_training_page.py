"""What docs/training.md says to write is accepted as it stands."""

from __future__ import annotations

import re

import yaml

from ugcl.config import load
from ugcl.config.load import parse, read
from ugcl.config.system.networks import TrainedNetwork


def test_the_parameters_of_the_page_make_systems(project):
    text = (project / "docs" / "training.md").read_text()
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)]
    assert [list(block) for block in blocks] == [["encoders", "systems"], ["encoders"]]
    tree = read(project / "params.yaml")
    for block in blocks:
        for section, entries in block.items():
            tree[section] |= entries
    for encoder in ("minilm-tokens", "my-text"):
        tree["benchmarks"]["page"] = {
            "corpus": "meld",
            "protocol": "emotion7_official",
            "features": {"text": encoder},
            "systems": ["text-finetuned"],
            "reference": "text-finetuned",
            "seeds": [0],
        }
        run = parse(tree).resolve("page", "text-finetuned")
        assert run.encoders[encoder].base == "models/all-minilm-l6-v2"
        assert run.encoder.networks["text"].mode == "all" and run.input.context == "dialogue"
    keys = set(re.findall(r"`(\w+)`", text.split("| key of")[1].split("\n\n")[0]))
    assert TrainedNetwork.model_fields.keys() <= keys


def test_the_page_has_the_system_of_the_parameters(project):
    text = (project / "docs" / "training.md").read_text()
    block = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, flags=re.DOTALL)[1])
    own = load(project / "params.yaml").systems["text-finetuned"]
    assert own.model_dump(exclude_defaults=True) == block["systems"]["text-finetuned"]
