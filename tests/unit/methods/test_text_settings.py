"""What the systems that were published for speech and text cannot do is refused with a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from ugcl import config

CONFIG = config.load(Path(__file__).resolve().parents[3] / "params.yaml")


def resolve(method, **changes):
    made = type(CONFIG.systems["concat"])(method=method, **changes)
    return CONFIG.model_copy(update={"systems": {**CONFIG.systems, "made": made}}).resolve(
        "demo_peers", "made"
    )


@pytest.mark.parametrize("name", ["gban", "m2fnet", "mcn_cl", "mcihn", "gia_mic", "deepmsi"])
def test_one_modality_cannot_be_fused(name):
    with pytest.raises(ValueError, match=rf"method {name} reads 2.* modalities, input\.modalities names 1"):
        resolve({"name": name}, input={"modalities": ["video"]})


def test_products_of_three_modalities_are_refused():
    made = type(CONFIG.systems["concat"])(
        method={"name": "gban", "fusion": "tfl"}, input={"modalities": ["audio", "text", "video"]}
    )
    config = CONFIG.model_copy(update={"systems": {**CONFIG.systems, "made": made}})
    with pytest.raises(ValueError, match=r"method gban reads 2 modalities, input\.modalities names 3"):
        config.resolve("demo_peers", "made")


@pytest.mark.parametrize("name", ["gban", "deepmsi"])
def test_networks_that_cannot_go_in_step(name):
    with pytest.raises(ValueError, match=rf"method {name} cannot be trained in step; set train\.pack 1"):
        resolve({"name": name}, train={"pack": 2})


def test_codes_of_half_the_width_are_divided_among_the_heads():
    assert resolve({"name": "mcihn"}, encoder={"width": 48, "heads": 4}).encoder.width == 48
    with pytest.raises(ValueError, match=r"half the width 44, .* heads 4; change encoder\.width"):
        resolve({"name": "mcihn"}, encoder={"width": 44, "heads": 4})


def test_columns_of_the_pyramid_are_four_groups():
    with pytest.raises(ValueError, match=r"four groups of columns, encoder\.width is 10; make it a multiple"):
        resolve({"name": "mcn_cl"}, encoder={"width": 10, "heads": 5})
