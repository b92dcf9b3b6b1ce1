"""Named inputs at test: they go with the photo through scales, mirror images and the canvas."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from common.artifacts import IdMaps, Map, ScoreMap, ScoreMaps, Strided, named_maps
from common.inference.cam import multi_scale_cams
from common.inference.segmentation import multi_scale_logits

SIZE = (12, 20)
RAMP = np.linspace(0, 1, 20, dtype=np.float32)[None].repeat(12, 0)
IMAGE = np.zeros((*SIZE, 3), np.uint8)
IMAGE[..., 0] = np.rint(RAMP * 255)


class Reader(nn.Module):
    """Gives back the input `ramp`, and keeps all it receives."""

    align_corners = False

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.seen: list[tuple[Tensor, dict[str, Tensor]]] = []

    def normalize(self, images: Tensor) -> Tensor:
        return images.float() / 255

    def cam(self, x: Tensor, **inputs: Tensor) -> Tensor:
        self.seen.append((x, inputs))
        return inputs["ramp"]

    def forward(self, x: Tensor, mode: str, **inputs: Tensor) -> Tensor:
        return self.cam(x, **inputs)


def maps() -> dict[str, Map]:
    numbers = np.arange(12 * 20, dtype=np.int32).reshape(SIZE)
    return {"ramp": Map(RAMP, resize="bilinear"), "regions": Map(numbers, -1), "graph": Map(np.arange(5), follow=False)}


def test_a_map_goes_with_the_photo():
    model = Reader()
    for merged in multi_scale_cams(model, [IMAGE, IMAGE], (1.0, 2.0), True, [maps(), maps()]):
        assert merged.shape[:2] == (2, 1)
        assert torch.allclose(merged[0, 0].diff(dim=1).mean(0)[2:-2], merged[0, 0].diff(dim=1).mean(), rtol=0.2)
    for x, inputs in model.seen:
        assert (inputs["ramp"][:, 0] - x[:, 0]).abs().max() < 0.05  # PIL's filter is bicubic, the map's bilinear
        assert inputs["regions"].dtype == torch.int64 and inputs["regions"].shape[-2:] == x.shape[-2:]
        assert inputs["graph"].tolist() == [list(range(5))] * 2
    upright, mirrored = (inputs["regions"][0, 0] for _, inputs in model.seen[:2])
    assert torch.equal(upright, mirrored.flip(1)) and upright[0, :3].tolist() == [0, 1, 2]


def test_a_map_is_padded_with_the_photo():
    model = Reader()
    rules = {"channel_conversion": False, "mean": torch.zeros(3, 1, 1), "std": torch.ones(3, 1, 1)}
    model.data_preprocessor = SimpleNamespace(**rules)
    logits = multi_scale_logits(model, IMAGE, (1.0,), True, canvas=(16, 24), inputs=maps())
    assert torch.allclose(logits[0], torch.from_numpy(RAMP), atol=1e-6)
    x, inputs = model.seen[0]
    assert (
        x.shape[-2:] == (16, 24)
        and (inputs["regions"][0, 0, 12:] == -1).all()
        and (inputs["ramp"][0, 0, :, 20:] == 0).all()
    )


def test_names_of_maps(tmp_path):
    class Two(IdMaps):
        """A kind that gives two maps."""

        def maps(self, image_id):
            return {"a": Map(self.read(image_id)), "b": Map(self.read(image_id) + 1)}

    scores, two = ScoreMaps(tmp_path / "scores"), Two(tmp_path / "two")
    scores.write("x", ScoreMap(np.array([1]), np.ones((1, 3, 5), np.float32), SIZE, Strided(4)))
    two.write("x", np.zeros(SIZE, np.int64))
    found = named_maps({"prior": scores, "pair": two}, "x")
    assert list(found) == ["prior", "pair_a", "pair_b"] and found["prior"].values.shape == (*SIZE, 1)


@pytest.mark.parametrize("given", [(), None])
def test_without_inputs_the_network_receives_the_photo_alone(given):
    class Bare(Reader):
        def cam(self, x: Tensor) -> Tensor:
            return x.mean(1, keepdim=True)

    assert multi_scale_cams(Bare(), [IMAGE], (1.0,), False, given or ())[0].shape == (1, 1, *SIZE)
