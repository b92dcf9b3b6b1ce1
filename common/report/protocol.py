"""Under which conditions a number was made: what was supervised with how many images, which networks were trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common.base.config import read_config
from common.base.errors import UserError
from common.data.dataset import DataSet, open_dataset
from common.pipeline.code_digest import custom_imports
from common.pipeline.recipe import config_digest
from common.pipeline.run_folder import RunFolder
from common.report.backbones import backbone_name

__all__ = ["KINDS", "Supervision", "data_set", "networks", "supervision"]

KINDS = {
    "weak": "Weakly supervised: no pixel labels",
    "semi": "Semi-supervised: pixel labels of some images (of all images: the upper limit)",
}


@dataclasses.dataclass(frozen=True)
class Supervision:
    """What a method learns from.

    masks: images with pixel labels; images: all training images, None where unknown; uses: what is known of the images
    without pixel labels, e.g. ("tags",) or ("tags", "saliency"); empty: nothing; None: they are not looked at.
    """

    masks: int = 0
    images: int | None = None
    uses: tuple[str, ...] | None = ("tags",)

    @property
    def kind(self) -> str:
        """A key of KINDS."""
        return "semi" if self.masks else "weak"

    def __str__(self) -> str:
        """'tags of 10582 images', 'masks of 1464 images, tags of 9118 images', 'masks of 12 of 240 images'."""
        if self.uses is None:
            whole = "" if self.images in (None, self.masks) else f" of {self.images}"
            return f"masks of {self.masks}{whole} images"
        parts = [f"masks of {self.masks} images"] if self.masks else []
        if self.images is None:
            parts.append(" and ".join(self.uses) or "other images without labels")
        elif rest := self.images - self.masks:
            known = " and ".join(self.uses)
            parts.append(f"{known} of {rest} images" if known else f"{rest} images without labels")
        return ", ".join(parts)

    @property
    def in_short(self) -> str:
        """Without counts: 'image tags', 'a few masks, tags of the other images', 'masks'."""
        if self.uses is None:
            return "masks"
        known = " and ".join(self.uses)
        if not self.masks:
            return f"image {known}"
        return f"a few masks, {f'{known} of the other images' if known else 'other images without labels'}"


def supervision(run: RunFolder) -> Supervision:
    """What a run was supervised with, counted in its data set.

    Images are those of every trained network's lists; masks those of the recipe's `pixel_labels`; the recipe's variable
    `uses` names what it knows of the others (tags where it is left out). A supervised reference names in its variable
    `images` the list of which it takes a part, and does not look at the others.

    Raises:
        UserError: the data set is gone, or one of its lists is another than in the run.
    """
    recipe, data = run.content, data_set(run)
    lists: dict[str, str] = {}
    for stage in run.stages.values():
        if stage["kind"] == "Weights":
            lists.update(stage["data"]["splits"])
    images: set[str] = set()
    for split, fingerprint in lists.items():
        if data.fingerprint(split) != fingerprint:
            raise UserError(f"The list '{split}' of {data.root} is not the one {run.path} was made with: run it again.")
        images.update(data.ids(split))
    labelled, whole = run.record.get("supervision"), recipe.get("images")
    masks = set(data.ids(labelled)) & images if labelled else ()
    if whole is not None:
        return Supervision(len(masks), len(data.ids(whole)), None)
    return Supervision(len(masks), len(images), run.uses)


def networks(run: RunFolder, root: Path) -> dict[str, dict[str, str | None]]:
    """Stage -> config, backbone and initial weights of every network that a run trained.

    Raises:
        UserError: a network config under `root`/configs is no longer what the run was made with, or a backbone's
            title is no plain string.
    """
    found = {}
    for name, stage in run.stages.items():
        for value in stage["params"].values():
            if isinstance(value, dict) and set(value) == {"file", "sha256"}:
                config = read_config(_config(root, value, run.path), stage["params"].get("options"))
                backbone = next(_backbones(config.to_dict()["model"]), {})
                weights = (backbone.get("init_cfg") or {}).get("weights")
                title = backbone_name(backbone, custom_imports(config))
                found[name] = {"config": value["file"], "backbone": title, "weights": weights}
    return found


def data_set(run: RunFolder) -> DataSet:
    """The run's data set; one that was moved with its run is where the recipe looks for it.

    Raises:
        UserError: it is gone.
    """
    root = run.content.get("data", {}).get("root")
    places = [Path(place) for place in (run.record["data"]["root"], root) if place]
    return open_dataset(next((place for place in places if place.is_dir()), places[0]))


def _config(root: Path, wanted: dict[str, str], run: Path) -> Path:
    for path in sorted(root.glob(f"configs/*/{wanted['file']}")):
        if config_digest(path) == wanted["sha256"]:
            return path
    raise UserError(f"No configs/*/{wanted['file']} is what {run} was made with: run the recipe again to record it.")


def _backbones(model: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The backbones in a model's config, the outermost first."""
    if isinstance(model.get("backbone"), dict):
        yield model["backbone"]
    for value in model.values():
        if isinstance(value, dict):
            yield from _backbones(value)
