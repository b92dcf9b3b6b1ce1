"""The training data set: images with tags and, where a stage made them, pseudo labels."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import Compose
from mmseg.registry import DATASETS, TRANSFORMS
from PIL import Image
from torch.utils.data import Dataset

from common import compat  # noqa: F401
from common.data import transforms
from common.data.voc import open_dataset
from common.errors import DataError, UserError


@DATASETS.register_module()
class WeakDataset(Dataset):
    """Images of a split, their tags, and label maps of a folder.

    An item is asked for by `(epoch, index)`, as `SeekingSampler` does, or by a plain index (epoch 0). Its random
    numbers come from `random.Random(f"{seed}/{epoch}/{id}")`: neither workers nor ranks nor a resumed run change them.

    Args:
        root: a data set folder (see `common.data.voc`).
        split: name of an id list, for example "train_aug".
        pipeline: transforms from the results dict (see `common.data.transforms`) to a sample.
        labels: folder of label maps `<id>.png`, uint8 class ids, 255 = ignore; None: tags only.
        seed: seed of the augmentation.
        pixel_labels: a split whose ground-truth masks are part of the supervision and come before `labels`
            (semi-supervised training; a fully supervised reference names the training split itself).

    Raises:
        DataError: a list, image or label map is missing or broken, or a label map has not the image's size.
    """

    def __init__(
        self,
        root: str,
        split: str,
        pipeline: Sequence[Mapping[str, Any] | Callable],
        labels: str | None = None,
        seed: int = 0,
        pixel_labels: str | None = None,
    ) -> None:
        data = open_dataset(root)
        masked = frozenset(data.ids(pixel_labels)) if pixel_labels else frozenset()
        self.data = data.guarded(masked)
        self.masked = masked
        self.ids = data.ids(split)
        self.labels = Path(labels) if labels else None
        self.seed = seed
        self.pipeline = Compose([TRANSFORMS.build(t) if isinstance(t, Mapping) else t for t in pipeline])
        self._check()

    def _check(self) -> None:
        for image_id in self.ids:
            self.data.tags(image_id)  # also reads the tags before worker processes are forked
        if self.labels is None:
            without = [image_id for image_id in self.ids if image_id not in self.masked] if self.masked else []
        elif not self.labels.is_dir():
            raise DataError(f"The folder of labels {self.labels} does not exist: run the stage that makes it first.")
        else:
            present = {path.stem for path in self.labels.glob("*.png")}
            without = [image_id for image_id in self.ids if image_id not in present | self.masked]
        if without:
            where = self.labels or "labels (not set)"
            raise DataError(f"{where} has no label map for {len(without)} of {len(self)} images, first {without[0]}.")

    @property
    def metainfo(self) -> dict[str, Any]:
        """Class names and palette, as mmseg's metrics and visualisers read them."""
        return {"classes": self.data.classes, "palette": self.data.palette[: self.data.num_classes].tolist()}

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, key: tuple[int, int] | int) -> Any:
        epoch, index = key if isinstance(key, tuple) else (0, key)
        return self.pipeline(self.load(index, epoch))

    def load(self, index: int, epoch: int = 0) -> dict[str, Any]:
        """The results dict before the pipeline."""
        image_id = self.ids[index]
        image = self.data.image(image_id)
        results = {
            "id": image_id,
            "rng": random.Random(f"{self.seed}/{epoch}/{image_id}"),
            "img": image,
            "tags": self.data.tag_vector(image_id),
            "img_path": str(self.data.image_path(image_id)),
            "ori_shape": image.shape[:2],
        }
        label = self._label(image_id)
        if label is None:
            return results
        if label.shape != image.shape[:2]:
            raise DataError(
                f"The label map of {image_id} is {label.shape[0]} x {label.shape[1]}, its image {image.shape[0]} x "
                f"{image.shape[1]} pixels: make the labels of {self.labels or self.data.root} again."
            )
        return results | {"gt_seg_map": label}

    def _label(self, image_id: str) -> np.ndarray | None:
        if image_id in self.masked:
            mask = self.data.mask(image_id)
            return np.where(mask == self.data.ignore_index, np.uint8(transforms.LABEL_PAD), mask)
        return read_label(self.labels / f"{image_id}.png") if self.labels else None


def read_label(path: Path) -> np.ndarray:
    """A label map, uint8 [h, w].

    Raises:
        DataError: the file is missing, broken, or a colour picture.
    """
    try:
        with Image.open(path) as picture:
            mode, label = picture.mode, np.array(picture)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist: run the stage that makes the labels again.") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}): delete it and run the stage that makes it again.") from error
    if mode not in ("P", "L"):
        raise DataError(f"{path} is a {mode} picture, not class ids: save it as an 8-bit palette or grey PNG.")
    return label


def set_data(
    cfg: Any, root: str | Path, split: str, labels: str | Path | None = None, pixel_labels: str | None = None
) -> None:
    """Point a network config's training set at a data set, a split and its labels, in place; None means none.

    Raises:
        UserError: the config has no `train_dataloader.dataset`.
    """
    dataset = cfg.get("train_dataloader", {}).get("dataset")
    if dataset is None:
        raise UserError(f"{cfg.filename or 'The network config'} has no train_dataloader.dataset.")
    dataset.update(
        root=str(root), split=split, labels=None if labels is None else str(labels), pixel_labels=pixel_labels
    )
