"""The inter-pixel network: what is trained, the canvas, odd sizes, backbones of other strides, released weights."""

from __future__ import annotations

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from common.models.boundary import on_canvas
from methods.irnet.model import InterPixelNet, estimate_mean_shift
from methods.irnet.released import convert_irn

PREPROCESSOR = {"type": "SegDataPreProcessor", "mean": [127.5] * 3, "std": [127.5] * 3, "size_divisor": 1}
RESNET = {"type": "DilatedResNet", "depth": 18, "strides": (1, 2, 2, 1)}
LITE = {"type": "EfficientNetLite", "name": "lite0", "output_stride": 16}


def build(backbone: dict = RESNET, **options) -> InterPixelNet:
    torch.manual_seed(0)
    config = {"type": "InterPixelNet", "backbone": backbone, "radius": 3, "data_preprocessor": PREPROCESSOR}
    return MODELS.build(config | options).eval()


def samples(count: int, size: int) -> list[SegDataSample]:
    label = torch.zeros(1, size, size, dtype=torch.long)
    label[:, :, size // 2 :] = 1
    return [SegDataSample(gt_sem_seg=PixelData(data=label)) for _ in range(count)]


def photo(height: int, width: int) -> torch.Tensor:
    return torch.randint(256, (3, height, width), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def test_head_sizes_are_those_of_the_paper():
    model = build(RESNET | {"depth": 50})
    count = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    assert count["edge_head"] == 125409 and count["displacement_head"] == 1269120


@pytest.mark.parametrize("backbone", [RESNET, LITE], ids=["resnet", "lite0"])
@pytest.mark.parametrize("size", [(64, 64), (75, 49), (33, 97)])
def test_outputs_lie_on_the_stride_4_grid(backbone, size):
    edge, displacement = build(backbone).infer(photo(*size), canvas=112)
    grid = tuple(-(-side // 4) for side in size)
    assert edge.shape == grid and displacement.shape == (2, *grid)
    assert edge.min() >= 0 and edge.max() <= 1
    logit, field = build(backbone)(torch.randn(1, 3, *size))
    assert logit.shape == (1, 1, *grid) and field.shape == (1, 2, *grid)


def test_training_leaves_the_backbone_alone():
    model = build().train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    model(torch.randn(2, 3, 48, 48), samples(2, 48), mode="loss")["loss"].backward()
    optimizer.step()
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    trainable = {key for key in before if "head" in key and "mean_shift" not in key}
    assert changed == trainable


@pytest.mark.slow
def test_the_loss_falls_on_one_image():
    model = build().train()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.2)
    x = torch.randn(1, 3, 64, 64)
    x[..., 32:] += 1
    losses = []
    for _ in range(25):
        loss = model(x, samples(1, 64), mode="loss")["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_boundaries_do_not_depend_on_the_displacement_branch():
    both = build()
    alone = build(displacement=None)
    alone.load_state_dict({key: value for key, value in both.state_dict().items() if "displacement" not in key})
    x, labels = torch.randn(1, 3, 48, 48), samples(1, 48)
    for model in (both, alone):
        model.train()(x, labels, mode="loss")["loss"].backward()
    torch.testing.assert_close(both.edge_head.out.weight.grad, alone.edge_head.out.weight.grad)
    assert alone.eval().infer(photo(48, 48), canvas=64)[1] is None


def test_the_canvas_is_part_of_the_result_and_grows_for_large_photos():
    model, picture = build(), photo(60, 70)
    small, large = model.infer(picture, canvas=80)[0], model.infer(picture, canvas=160)[0]
    assert (small - large).abs().max() > 1e-4
    assert on_canvas(torch.zeros(1, 3, 70, 30), 64).shape == (1, 3, 80, 64)
    assert on_canvas(torch.zeros(1, 3, 50, 50), 50).shape == (1, 3, 50, 50)


def test_the_mean_shift_moves_the_field_in_evaluation_only():
    model, x = build(), torch.randn(2, 3, 48, 48)
    plain = model(x)[1]
    shift = estimate_mean_shift(model, [x])
    torch.testing.assert_close(shift, plain.mean(dim=(0, 2, 3)))
    torch.testing.assert_close(model(x)[1], plain - shift[:, None, None])
    torch.testing.assert_close(estimate_mean_shift(model, [x]), shift)  # not what is left after the first shift
    torch.testing.assert_close(model.train()(x)[1], plain)


def test_mirrored_photo_has_mirrored_boundaries():
    model, picture = build(), photo(48, 64)  # the width is a multiple of 4 and fills the canvas
    edge, mirrored = model.infer(picture, canvas=64)[0], model.infer(picture.flip(-1), canvas=64)[0]
    torch.testing.assert_close(edge, mirrored.flip(-1))


def test_released_weights_leave_out_aliases():
    names = ["resnet50.layer1.0.conv1.weight", "stage2.0.conv1.weight", "fc_edge1.0.weight", "edge_layers.0.0.weight"]
    names += [
        "fc_dp7.3.weight",
        "fc_dp7.4.running_mean",
        "mean_shift.running_mean",
        "path_indices_0",
        "resnet50.fc.bias",
    ]
    converted = convert_irn({name: torch.zeros(1) for name in names})
    assert set(converted) == {
        "backbone.layer1.0.conv1.weight",
        "edge_head.taps.0.0.weight",
        "displacement_head.out.weight",
        "displacement_head.mean_shift",
    }


def test_taps_without_stride_8_are_refused():
    with pytest.raises(ValueError, match="stride 4 and 8"):
        build(RESNET | {"strides": (1, 1, 1, 1)})
