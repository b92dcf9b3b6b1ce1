"""A Group-WSSS network of a few hundred weights and its config, for trainings in seconds."""

from __future__ import annotations

import json
from pathlib import Path

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from common.data.dataset import write_description
from common.models.backbone import Taps
from methods.group_wsss.groups import GroupDataset

CONFIG = """
_base_ = ["{base}/runtime.py"]
custom_imports = dict(imports=["methods.group_wsss.model", "tests.unit.tiny_groups", "tests.unit.tiny_network"])
data = dict(root="{root}")
model = dict(
    type="GroupNetwork", width=6, backbone=dict(type="TinyTap"), {room}
    data_preprocessor=dict(type="SegDataPreProcessor", mean=[127.5] * 3, std=[127.5] * 3, size_divisor=1),
)
train_dataloader = dict(
    batch_size=2, num_workers=0, collate_fn=dict(type="flat_collate"),
    dataset=dict(
        type="GroupDataset", split="train",
        pipeline=[dict(type="Squash", height=24, width=32), dict(type="RandomColorJitter"), dict(type="Pack")],
    ),
)
train_cfg = dict(type="SeekingTrainLoop", max_epochs={epochs})
param_scheduler = [dict(type="MultiStepLR", milestones=[2], gamma=0.1, by_epoch=True)]
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=1e-7, momentum=0.9, nesterov=True))
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval={checkpoint}))
custom_hooks = [dict(type="KillHere")]
"""


@MODELS.register_module()
class TinyTap(Taps, BaseModule):
    """One convolution of stride 4; its features are large, because the layers behind it start small."""

    title = "TinyTap"
    channels, strides = (5,), (4,)

    def __init__(self, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.conv = nn.Conv2d(3, 5, 4, stride=4)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return (3e4 * self.conv(x).relu(),)


def two_classes(root: Path) -> Path:
    """`tiny_voc` with a second class: images of one tag, of two, and one without."""
    names = [["thing"], ["other"], ["thing", "other"], ["thing"], [], ["other"], ["thing", "other"], ["thing"]]
    tags = json.loads((root / "tags.json").read_text())
    (root / "tags.json").write_text(json.dumps(tags | dict(zip(sorted(tags), names, strict=False))))
    write_description(root, "tiny", ("background", "thing", "other"), "given")
    return root


def write_config(folder: Path, root: Path, *, epochs: int = 4, checkpoint: int = 3, room: bool = True) -> Path:
    """A network config file; room: whether it says how many maps there are."""
    pairs = GroupDataset(str(root), "train", []).pairs
    base = Path(__file__).resolve().parents[2] / "configs" / "_base_"
    said = f"pairs={pairs}, grid=(6, 8)," if room else ""
    path = Path(folder) / "groups.py"
    path.write_text(CONFIG.format(base=base, root=root, epochs=epochs, checkpoint=checkpoint, room=said))
    return path
