"""DMT's head and networks, its checkpoints by their authors' names, and its training."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from common.artifacts import ConfidentLabel, ConfidentLabels
from common.base.config import read_config
from common.base.errors import UserError
from common.checkpoints.formats import network_shapes, recognise
from common.checkpoints.networks import build_model, without_init
from common.data.dataset import open_dataset
from common.models.classes import fill_classes
from common.training.param_groups import LrGroupConstructor
from common.training.train import train_network
from methods.dmt.losses import mutual_loss
from methods.dmt.model import MutualHead
from methods.dmt.released import FORMATS

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "configs/dmt/mutual_r101_coco_voc12.py"


def sample(label: torch.Tensor, confidence: torch.Tensor | None) -> SegDataSample:
    made = SegDataSample(metainfo={"id": "a", "strong": confidence is None})
    made.gt_sem_seg = PixelData(data=label[None])
    if confidence is not None:
        made.confidence = PixelData(data=confidence[None])
    return made


def batch() -> tuple[torch.Tensor, list[SegDataSample], torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 4, 5, 6, generator=generator)
    label = torch.randint(0, 4, (3, 17, 21), generator=generator)
    label[:, :3] = 255
    confidence = torch.rand(3, 17, 21, generator=generator)
    samples = [sample(label[0], confidence[0]), sample(label[1], confidence[1]), sample(label[2], None)]
    return logits, samples, label, confidence


def test_the_head_brings_logits_to_the_labels_and_tells_labelled_images():
    logits, samples, label, confidence = batch()
    head = MutualHead({"rule": "flip", "gamma_agree": 2.0}, in_channels=8, num_classes=4, align_corners=True)
    found = head.loss_by_feat(logits, samples)
    large = F.interpolate(logits, (17, 21), mode="bilinear", align_corners=True)
    labelled = torch.tensor([False, False, True])
    loss, statistics = mutual_loss(large, label, confidence, labelled, "flip", gamma_agree=2.0)
    torch.testing.assert_close(found["loss_ce"], loss)
    assert set(found) == {"loss_ce", *statistics}
    assert [key for key in found if "loss" in key] == ["loss_ce"]  # mmengine adds up what is called loss


def test_an_unknown_rule_and_labels_without_confidence_are_refused():
    with pytest.raises(UserError, match="'dynamik': there are dynamic"):
        MutualHead({"rule": "dynamik"}, in_channels=8, num_classes=4)
    logits, _, label, _ = batch()
    bare = sample(label[0], None)
    bare.set_metainfo({"strong": False})
    with pytest.raises(UserError, match="labels of a have no confidence"):
        MutualHead(in_channels=8, num_classes=4).loss_by_feat(logits[:1], [bare])


def test_the_first_block_of_a_dilated_stage_keeps_the_dilation_before():
    config = read_config(CONFIG)
    network = without_init(config.to_dict())
    fill_classes(network["model"], 21)
    with torch.device("meta"):
        model = build_model(network)
    for stage, first, rest in (("layer2", 1, 1), ("layer3", 1, 2), ("layer4", 2, 4)):
        blocks = getattr(model.backbone, stage)
        assert [block.conv2.dilation[0] for block in blocks] == [first] + [rest] * (len(blocks) - 1)
        assert blocks[0].conv2.stride == ((2, 2) if stage == "layer2" else (1, 1))  # on the 3x3
        assert blocks[0].conv1.stride == (1, 1)
    assert [branch.dilation[0] for branch in model.decode_head.branches] == [6, 12]
    assert model.backbone.strides[-1] == 8
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert model.train().backbone.bn1.training  # statistics of the batch


def test_every_parameter_has_one_rate_and_decays():
    config = read_config(CONFIG)
    network = without_init(config.to_dict())
    fill_classes(network["model"], 21)
    with torch.device("meta"):
        model = build_model(network)
    optimizer = config.optim_wrapper.optimizer
    groups = LrGroupConstructor({}, config.optim_wrapper.paramwise_cfg).groups(
        model, optimizer.lr, optimizer.weight_decay
    )
    assert {(group["lr"], group["weight_decay"]) for group in groups} == {(1e-3, 5e-4)}
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))


@pytest.mark.parametrize(("name", "branches"), [("dmt_deeplabv2", 4), ("advsemiseg_coco", 4)])
def test_released_checkpoints_fill_the_network(name: str, branches: int):
    form = FORMATS[name]
    one = torch.zeros(21, 2048, 3, 3)
    config = form.network({f"decode_head.branches.{i}.weight": one for i in range(branches)})
    ours = network_shapes(config)
    if name == "dmt_deeplabv2":
        rules = (("decode_head.branches.", "classifier.0.convs."),)
    else:
        rules = (("decode_head.branches.", "layer5.conv2d_list."), ("backbone.", ""))
    released = {}
    for key, shape in ours.items():
        theirs = key
        for old, new in rules:
            theirs = theirs.replace(old, new)
        released[theirs] = torch.empty(shape, device="meta")
    assert recognise(released, "file.pth") == name
    converted = form.convert({**released, "fc.weight": one})
    assert {key: value.shape for key, value in converted.items()} == ours


@pytest.fixture
def mutual(tiny_voc: Path) -> Config:
    """A small network's mutual training on `tiny_voc`: two images labelled, six with made-up pseudo labels."""
    splits = tiny_voc / "ImageSets/Segmentation"
    ids = (splits / "train.txt").read_text().split()
    (splits / "few.txt").write_text("\n".join(ids[:2]))
    (splits / "rest.txt").write_text("\n".join(ids[2:]))
    data, labels = open_dataset(tiny_voc), ConfidentLabels(tiny_voc / "pseudo")
    generator = torch.Generator().manual_seed(0)
    for image_id in ids[2:]:
        confidence = torch.rand(data.size(image_id), generator=generator)
        labels.write(image_id, ConfidentLabel((confidence > 0.5).byte().numpy(), confidence.numpy()))
    cfg = read_config(ROOT / "configs/dmt/mutual_lite0_shapes.py")
    cfg.model = without_init(cfg.model.to_dict())
    cfg.model.decode_head.num_classes = 2
    cfg.merge_from_dict(
        {
            "train_cfg.max_epochs": 2,
            "train_cfg.min_iters": 1,
            "train_dataloader.batch_size": 3,
            "train_dataloader.num_workers": 0,
            "train_dataloader.sampler.strong": 1,
            "train_dataloader.dataset.pipeline.1.size": 32,
            "default_hooks.checkpoint.interval": 2,
            "default_hooks.logger.interval": 1,
        }
    )
    cfg.train_dataloader.dataset.update(
        root=str(tiny_voc),
        split="rest+few",
        labels=str(labels.path),
        label_kind="ConfidentLabels",
        pixel_labels="few",
        thresholds=[0.2, 0.6],
    )
    return cfg


@pytest.mark.slow
def test_stopped_and_resumed_mutual_training_ends_with_the_bytes_of_an_unbroken_one(
    mutual: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = train_network(mutual, tmp_path / "whole", device="cpu").read_bytes()
    lines = (tmp_path / "whole/log.jsonl").read_text().splitlines()
    assert len(lines) == 6  # 6 pseudo-labelled images, 2 a batch, 2 passes
    assert '"decode.disagree"' in lines[0] and '"decode.mean_weight"' in lines[0]
    original, calls = MutualHead.loss_by_feat, []

    def stopping(self: MutualHead, *arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return original(self, *arguments)

    monkeypatch.setattr(MutualHead, "loss_by_feat", stopping)
    with pytest.raises(KeyboardInterrupt):
        train_network(mutual, tmp_path / "broken", device="cpu")
    assert train_network(mutual, tmp_path / "broken", device="cpu").read_bytes() == whole
    assert len(calls) == 4 + 4  # three done and one broken off, then on from the second


@pytest.mark.slow
def test_thresholds_and_seed_are_part_of_the_training(mutual: Config, tmp_path: Path):
    first = train_network(mutual, tmp_path / "a", device="cpu").read_bytes()
    mutual.train_dataloader.dataset.thresholds = [0.2, 0.9]
    second = train_network(mutual, tmp_path / "b", device="cpu").read_bytes()
    mutual.seed = 1
    assert len({first, second, train_network(mutual, tmp_path / "c", device="cpu").read_bytes()}) == 3
