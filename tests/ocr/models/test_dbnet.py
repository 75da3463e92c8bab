"""Shapes and values of the network and its parts."""

from __future__ import annotations

import pytest
import torch

from ocr.models.backbone import Backbone
from ocr.models.dbnet import DBNet
from ocr.models.head import BinarizationHead, approximate_binarization
from ocr.models.neck import FeaturePyramid

TINY_OPTIONS = {"stem_width": 16, "channels": [8, 16, 16, 16]}


def _tiny() -> DBNet:
    return DBNet(
        backbone="resnet10t",
        backbone_options=TINY_OPTIONS,
        neck_channels=16,
        feature_channels=16,
    )


def test_maps_have_the_resolution_of_the_images() -> None:
    maps = _tiny()(torch.randn(2, 3, 64, 96))
    assert [tuple(one.shape) for one in maps] == [(2, 64, 96)] * 3


def test_threshold_and_binary_maps_lie_between_0_and_1() -> None:
    maps = _tiny()(torch.randn(1, 3, 64, 64))
    for values in (maps.threshold, maps.binary):
        assert values.min() >= 0
        assert values.max() <= 1


def test_predicted_probability_is_the_sigmoid_of_the_logits() -> None:
    network = _tiny().eval()
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected = torch.sigmoid(network(images).probability_logits)
        torch.testing.assert_close(network.predict_probability(images), expected)


def test_a_side_that_is_no_multiple_of_32_is_refused() -> None:
    with pytest.raises(ValueError, match="multiples of 32"):
        _tiny()(torch.randn(1, 3, 64, 80))


@pytest.mark.parametrize(
    "name", ["resnet18", "mobilenetv4_conv_small_050", "convnext_atto", "regnetx_002"]
)
def test_backbones_of_several_families_give_features_at_strides_4_to_32(name: str) -> None:
    backbone = Backbone(name=name)
    features = backbone(torch.randn(1, 3, 64, 64))
    assert [tuple(one.shape[-2:]) for one in features] == [(16, 16), (8, 8), (4, 4), (2, 2)]
    assert [one.shape[1] for one in features] == backbone.out_channels


def test_a_backbone_without_the_four_strides_is_named_with_what_it_lacks() -> None:
    with pytest.raises(ValueError, match=r"'vit_tiny_patch16_224'.*none at \[4"):
        Backbone(name="vit_tiny_patch16_224", options={"img_size": 64})


def test_neck_concatenates_the_levels_at_stride_4() -> None:
    neck = FeaturePyramid([4, 6, 8, 10], inner_channels=8, out_channels=12)
    sizes = [(4, 16), (6, 8), (8, 4), (10, 2)]
    assert neck([torch.randn(1, c, s, s) for c, s in sizes]).shape == (1, 12, 16, 16)


def test_neck_refuses_channels_that_the_levels_cannot_share() -> None:
    with pytest.raises(ValueError, match="no multiple of the 4 levels"):
        FeaturePyramid([4, 6, 8, 10], out_channels=10)


def test_head_amplifies_the_difference_of_probability_and_threshold_by_k() -> None:
    maps = BinarizationHead(8, k=50.0)(torch.randn(1, 8, 4, 4))
    probability = torch.sigmoid(maps.probability_logits)
    expected = 1 / (1 + torch.exp(-50.0 * (probability - maps.threshold)))
    torch.testing.assert_close(maps.binary, expected)


def test_binarization_is_one_half_where_probability_meets_the_threshold() -> None:
    level = torch.tensor([0.3])
    assert approximate_binarization(level, level, 50.0).item() == 0.5
    assert approximate_binarization(level + 0.1, level, 50.0).item() == pytest.approx(
        1 / (1 + 2.718281828**-5), rel=1e-4
    )
