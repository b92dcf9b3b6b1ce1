"""The training data set: images with tags and, where a stage made them, pseudo labels."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import Compose
from mmseg.registry import DATASETS, TRANSFORMS
from torch.utils.data import Dataset

from common.artifacts import Artifact, ConfidentLabels, Map, PerImageArtifact, Supervision, named_maps
from common.artifacts.labels import LABEL_MAP
from common.base import compat  # noqa: F401
from common.base.constants import IGNORE
from common.base.errors import DataError, UserError, lacking, nearest
from common.data.dataset import open_dataset
from common.inference.inputs import unsquashed
from common.ops.confidence import keep_confident
from common.training import transforms  # also registers the steps of a pipeline


@DATASETS.register_module()
class WeakDataset(Dataset):
    """Images of a split, their tags, and label maps of a folder.

    An item is read by `(epoch, index)`, as `SeekingSampler` does, or by a plain index (epoch 0). Its random
    numbers come from `random.Random(f"{seed}/{epoch}/{id}")`: neither workers nor ranks nor a resumed run change them.

    Args:
        root: a data set folder (see `common.data.dataset`).
        split: name of an id list, for example "train_aug".
        pipeline: transforms from the results dict (see `common.training.transforms`) to a sample.
        labels: folder of what a stage made for each image to learn from; None: tags only.
        label_kind: `kind_name` of that artefact, a subclass of `common.artifacts.Supervision`: "Labels" are label maps
            `<id>.png`, uint8 class ids, 255 = ignore.
        seed: seed of the augmentation.
        pixel_labels: a split whose ground-truth masks are part of the supervision and come before `labels`
            (semi-supervised training; a fully supervised reference names the training split itself).
        thresholds: least confidence of each of the C classes, for labels that come with one: what lies below is left
            open (255). None: all labels count.
        tags: whether samples have the images' tags; None: where there is nothing else to learn from.
        inputs: what else the network receives with each image: name -> dict(folder=..., kind=..., follow=True). The
            kind's `maps` come under that name, or under NAME_MAP where there are several; with `follow=False` they are
            handed on whole instead of cropped with the image.

    Raises:
        DataError: a list, image or label map is missing or broken, or a map that follows the image has another size.
        UserError: `thresholds` does not fit the classes, the labels have no confidence, or a kind gives no maps.
    """

    def __init__(
        self,
        root: str,
        split: str,
        pipeline: Sequence[Mapping[str, Any] | Callable],
        labels: str | None = None,
        seed: int = 0,
        pixel_labels: str | None = None,
        label_kind: str = "Labels",
        thresholds: Sequence[float] | None = None,
        tags: bool | None = None,
        inputs: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        data = open_dataset(root)
        masked = frozenset(data.ids(pixel_labels)) if pixel_labels else frozenset()
        self.data = replace(data.guarded(masked), reads=None)  # loaders read in other processes: see `reads`
        self.masked, self.split, self.pixel_labels = masked, split, pixel_labels
        self.ids = data.ids(split)
        self.labels = Supervision.kind(label_kind)(Path(labels)) if labels else None
        self.inputs = {
            name: Artifact.kind(given["kind"])(Path(given["folder"])) for name, given in (inputs or {}).items()
        }
        self.whole = {name for name, given in (inputs or {}).items() if not given.get("follow", True)}
        self.thresholds = self._fitting(thresholds)
        self.seed = seed
        self.tags = (labels is None and pixel_labels is None) if tags is None else tags
        self.pipeline = Compose([TRANSFORMS.build(t) if isinstance(t, Mapping) else t for t in pipeline])
        self._check()
        self._check_inputs()

    @property
    def squashes(self) -> bool:
        """Whether the pipeline begins with `Squash`, which takes maps on a squashed grid as they are."""
        return bool(self.pipeline.transforms) and isinstance(self.pipeline.transforms[0], transforms.Squash)

    def _fitting(self, thresholds: Sequence[float] | None) -> np.ndarray | None:
        if thresholds is None:
            return None
        if len(thresholds) != self.data.num_classes:
            raise UserError(f"thresholds holds {len(thresholds)} numbers for {self.data.num_classes} classes.")
        if not isinstance(self.labels, ConfidentLabels):
            raise UserError("thresholds are for ConfidentLabels: other labels have no confidence to compare with.")
        return np.asarray(thresholds, np.float32)

    def _check(self) -> None:
        for image_id in self.ids if self.tags else ():
            self.data.tags(image_id)  # also reads the tags before worker processes are forked
        if self.labels is None:
            without = [image_id for image_id in self.ids if image_id not in self.masked] if self.masked else []
        elif not self.labels.path.is_dir():
            raise DataError(
                f"The folder of labels {self.labels.path} does not exist: run the stage that makes it first."
            )
        else:
            without = [
                image_id for image_id in self.ids if image_id not in self.masked and not self.labels.has(image_id)
            ]
        if without:
            where = self.labels.path if self.labels else "A training set without 'labels'"
            made = "run the stage that makes them on the same list"
            cure = made if self.labels else "set 'labels', or name a list in 'pixel_labels' that has their masks"
            raise DataError(lacking(where, "label maps", without, f"{len(self)} images of '{self.split}'", cure))

    def _check_inputs(self) -> None:
        for name, artifact in self.inputs.items():
            if type(artifact).maps is Artifact.maps:
                artifact.maps(self.ids[0])  # says that the kind gives none
            each = isinstance(artifact, PerImageArtifact)
            without = [image_id for image_id in self.ids if each and not artifact.has(image_id)]
            if without:
                where, cure = f"{artifact.path} ('{name}')", "run the stage that makes them on the same list"
                raise DataError(lacking(where, "maps", without, f"{len(self)} images of '{self.split}'", cure))

    def reads(self) -> dict[str, list[str]]:
        """What the samples are made of, kind -> names (see `common.data.reads`), apart from labels and inputs."""
        splits = [split for split in (self.split, self.pixel_labels) if split]
        found = {"splits": splits, "images": self.ids, "masks": [i for i in self.ids if i in self.masked]}
        return found | ({"tags": self.ids} if self.tags else {})

    @property
    def metainfo(self) -> dict[str, Any]:
        """Class names and palette, as mmseg's metrics and visualisers read them."""
        return {"classes": self.data.classes, "palette": self.data.palette[: self.data.num_classes].tolist()}

    @property
    def strong(self) -> list[bool]:
        """Of each image, whether it is learned from its ground-truth mask."""
        return [image_id in self.masked for image_id in self.ids]

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
            "img_path": str(self.data.image_path(image_id)),
            "ori_shape": image.shape[:2],
            "strong": image_id in self.masked,
        }
        if self.tags:
            results["tags"] = self.data.tag_vector(image_id)
        maps = self._label_maps(image_id) | self._input_maps(image_id)
        results["maps"] = {name: m if self.squashes else unsquashed(m, image.shape[:2]) for name, m in maps.items()}
        for name, m in results["maps"].items():
            if m.follow and not m.squashed and m.values.shape[:2] != image.shape[:2]:
                (height, width), (rows, columns) = image.shape[:2], m.values.shape[:2]
                raise DataError(
                    f"The map '{name}' of {image_id} in {self._source(name)} is {rows} x {columns}, its image "
                    f"{height} x {width} pixels: make it again."
                )
        return results

    def _label_maps(self, image_id: str) -> dict[str, Map]:
        if image_id in self.masked:
            mask = self.data.mask(image_id)
            return {LABEL_MAP: Map(np.where(mask == self.data.ignore_index, np.uint8(IGNORE), mask), IGNORE)}
        maps = self.labels.maps(image_id) if self.labels else {}
        if self.thresholds is not None:
            kept = keep_confident(maps[LABEL_MAP].values, maps["confidence"].values, self.thresholds)
            maps[LABEL_MAP] = Map(kept, IGNORE)
        return maps

    def _input_maps(self, image_id: str) -> dict[str, Map]:
        following = {name: artifact for name, artifact in self.inputs.items() if name not in self.whole}
        whole = named_maps({name: self.inputs[name] for name in self.whole}, image_id)
        return named_maps(following, image_id) | {name: replace(m, follow=False) for name, m in whole.items()}

    def _source(self, name: str) -> Path:
        """The folder that a map comes from."""
        given = next((artifact for key, artifact in self.inputs.items() if name.startswith(key)), self.labels)
        return given.path if given else self.data.root


def set_data(
    cfg: Any,
    root: str | Path,
    split: str,
    labels: Supervision | None = None,
    pixel_labels: str | None = None,
    thresholds: Sequence[float] | None = None,
    inputs: Mapping[str, Artifact] | None = None,
    follow: Mapping[str, bool] | None = None,
) -> None:
    """Point a network config's training set at a data set, a split, its labels and inputs, in place; None means none.

    follow: of an input by name, whether it is cropped with the image (the default).

    Raises:
        UserError: the config has no `train_dataloader.dataset`, or `follow` names no input.
    """
    dataset = cfg.get("train_dataloader", {}).get("dataset")
    if dataset is None:
        raise UserError(f"{cfg.filename or 'The network config'} has no train_dataloader.dataset.")
    inputs, follow = inputs or {}, follow or {}
    for name in follow:
        if name not in inputs:
            raise UserError(f"follow names '{name}', which is no input{nearest(name, inputs)}.")
    dataset.update(root=str(root), split=split, labels=None, pixel_labels=pixel_labels)
    if labels is not None:
        dataset.update(labels=str(labels.path), label_kind=labels.kind_name())
    if thresholds is not None:
        dataset.update(thresholds=list(thresholds))
    if inputs:
        dataset.inputs = {
            name: {"folder": str(given.path), "kind": given.kind_name(), "follow": follow.get(name, True)}
            for name, given in inputs.items()
        }
