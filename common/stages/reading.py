"""What comes from outside: maps of the data set, region numbers and labels that others made."""

from pathlib import Path
from typing import Literal

import numpy as np

from common.artifacts import Artifact, GreyMaps, IdMaps, Labels
from common.base.constants import IGNORE
from common.base.errors import UserError, lacking
from common.data.dataset import DataSet
from common.data.regions import SUFFIXES, read_regions, region_file
from common.pipeline import Folder, Image, PerImage, Run, Source, checked_by, comes_from, per_image
from common.pipeline.run_folder import RunFolder, read_run

MADE_FROM = ("tags", "saliency", "proposals", "masks")
"""What the labels of a folder may be made from."""


def read_maps(run: Run, what: Literal["saliency"], split: str) -> PerImage[GreyMaps]:
    """Maps that come with the data set."""

    def read(image: Image) -> np.ndarray:
        return _fitting(run.data.saliency(image.id), image, f"the {what} map")

    return per_image(read, split=split)


def _need_regions(data: DataSet, folder: Path, split: str) -> None:
    ids = data.ids(split)
    missing = [image_id for image_id in ids if region_file(folder, image_id) is None]
    if missing:
        cure = f"add them as ID{' or ID'.join(SUFFIXES)}"
        raise UserError(lacking(folder, "regions", missing, f"{len(ids)} images of '{split}'", cure))


@checked_by(_need_regions)
def read_ids(run: Run, folder: Folder, split: str) -> PerImage[IdMaps]:
    """Region numbers (superpixels, proposals) that another program made: `<id>.png`, `.npy` or `.npz` in a folder."""

    def read(image: Image) -> np.ndarray:
        return _fitting(read_regions(run.data.note_file(region_file(folder, image.id))), image, "the map of regions")

    return per_image(read, split=split)


def _need_labels(data: DataSet, folder: Path, split: str, supervision: str | None) -> None:
    run = _run_of(folder)
    if run is not None:
        _need_finished(data, run, folder, supervision)
    elif supervision is None:
        raise UserError(
            f"{folder} is no stage of a run, so nothing says what its labels were made from: add it to the stage, "
            "supervision='tags' (or 'tags+saliency', 'masks')."
        )
    elif unknown := [word for word in supervision.split("+") if word not in MADE_FROM]:
        known = ", ".join(MADE_FROM)
        raise UserError(f"supervision='{supervision}': '{unknown[0]}' is none of {known}, joined by '+'.")
    ids = data.ids(split)
    missing = [image_id for image_id in ids if not (folder / f"{image_id}.png").is_file()]
    if missing:
        raise UserError(lacking(folder, "labels", missing, f"{len(ids)} images of '{split}'", "add them as ID.png"))


def _need_finished(data: DataSet, run: RunFolder, folder: Path, supervision: str | None) -> None:
    stage = run.stages.get(folder.name)
    if stage is None:
        raise UserError(f"The stage {folder} is not finished: run its recipe to its end first.")
    if not issubclass(Artifact.kind(stage["kind"]), Labels):
        raise UserError(f"{folder} holds {stage['kind']}, but Labels are needed: name another stage of that run.")
    if run.record["data"]["name"] != data.name:
        raise UserError(f"{folder} was made on '{run.record['data']['name']}', this recipe runs on '{data.name}'.")
    if supervision is not None:
        raise UserError(
            f"{folder} is a stage of a run, which says what its labels were made from: leave 'supervision' out."
        )


def _source(folder: Path, supervision: str | None, pixel_labels: str | None) -> Source:
    run = _run_of(folder)
    if run is None:
        uses = tuple(supervision.split("+"))
        mark = "labels from elsewhere were made with masks" if "masks" in uses else None
        return Source(f"the folder {folder.name}", tuple(word for word in uses if word != "masks"), mark)
    recipe, split = run.record["recipe"], run.record.get("supervision")
    mark = run.marks[folder.name]
    if split is not None and split != pixel_labels:
        mark = f"{recipe} learned from the masks of '{split}'"
    return Source(f"stage '{folder.name}' of {recipe}, seed {run.record['seed']}", run.uses, mark)


@checked_by(_need_labels)
@comes_from(_source)
def read_labels(run: Run, folder: Folder, split: str, supervision: str | None = None) -> PerImage[Labels]:
    """Label maps that were made elsewhere: `<id>.png` with class ids and 255 (or the data set's `ignore_index`).

    folder: a stage of another run, which says what its labels were made from and brings its marks; or any other, then
    `supervision` says it: some of `MADE_FROM`, joined by "+".
    """

    def read(image: Image) -> np.ndarray:
        labels = _fitting(run.data.class_ids(folder / f"{image.id}.png"), image, "the label map")
        return np.where(labels == run.data.ignore_index, np.uint8(IGNORE), labels)

    return per_image(read, split=split)


def _run_of(folder: Path) -> RunFolder | None:
    """The run whose stage a folder is, or None."""
    records = ("stage.json", "started.json")
    inside = any((folder / name).is_file() for name in records) and (folder.parent / "run.json").is_file()
    return read_run(folder.parent) if inside else None


def _fitting(values: np.ndarray, image: Image, what: str) -> np.ndarray:
    """`values` [h, w] if they have the image's size.

    Raises:
        UserError: they have another.
    """
    if values.shape == image.size:
        return values
    (height, width), (rows, columns) = image.size, values.shape
    raise UserError(f"{what} of {image.id} is {rows} x {columns}, its photo {height} x {width} pixels: make it again.")
