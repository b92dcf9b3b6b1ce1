"""`python -m common.report.steps RUN FILE.png`: how a weakly supervised run gets from photos to masks, in one picture.

A row a photo, a column a step: the photo with its tags, the CAM, the pseudo label, the output of the network that was
trained on the pseudo labels, and the truth. Nobody picks the photos: those with several tags are sorted by the mIoU of
their pseudo labels, and the ones at one, two and three quarters are shown.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from common.artifacts import CAMs, Labels, Weights
from common.base.errors import UserError
from common.base.files import atomic_path
from common.data.dataset import DataSet, open_dataset
from common.metrics.confusion import ConfusionMatrix
from common.ops.crf_params import CRFParams
from common.ops.overlay import paint_labels
from common.pipeline.run_folder import RunFolder, read_run

__all__ = ["at_quarters", "main", "sheet", "steps"]

HEADS = ("photo and its tags", "CAM", "pseudo label", "network output", "truth")
CELL, GAP, LINE = 172, 10, 24  # pixels: a picture's longer side, between pictures, a line of text
INK, PAPER = (31, 35, 40), (255, 255, 255)

Tag = tuple[str, tuple[int, int, int]]
"""A class and its colour."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the picture of a finished run of a recipe like irnet_shapes."""
    parser = argparse.ArgumentParser(prog="python -m common.report.steps", description=main.__doc__)
    parser.add_argument("run", type=Path, help="the run's folder, e.g. work_dirs/irnet_shapes")
    parser.add_argument("out", type=Path, help="the PNG to write, e.g. docs/img/shapes_steps.png")
    parser.add_argument("--data-root", type=Path, help="where the data set is, if it was moved since the run")
    options = parser.parse_args(arguments)
    run = read_run(options.run)
    data = open_dataset(options.data_root or run.record["data"]["root"])
    picture = steps(run, data)
    with atomic_path(options.out) as temporary:
        picture.save(temporary, "PNG", optimize=True)
    print(options.out)


def steps(run: RunFolder, data: DataSet) -> Image.Image:
    """The picture of a run.

    Raises:
        UserError: the run lacks a stage that is shown, or no training photo has several classes.
    """
    cams, pseudo = CAMs(_made(run, "make_cam")), Labels(_made(run, "pseudo"))
    network = _network(run, data)
    several = [name for name in pseudo.ids() if len(data.tags(name)) > 1]
    if not several:
        raise UserError(f"No training photo of {data.root} has several tags: there is nothing to choose from.")
    rows = []
    for name in at_quarters({name: _miou(pseudo.read(name), data.mask(name), data.num_classes) for name in several}):
        photo = data.image(name)
        labels = (pseudo.read(name), network(name), data.mask(name))
        painted = [paint_labels(photo, each, data.palette, data.ignore_index) for each in labels]
        tags = [(data.classes[tag], tuple(data.palette[tag].tolist())) for tag in data.tags(name)]
        rows.append(([photo, cams.picture(photo, cams.read(name), data), *painted], tags))
    return sheet(rows)


def at_quarters(scores: dict[str, float]) -> list[str]:
    """Of the names, sorted by score, those at one, two and three quarters; equal scores by name."""
    ranked = sorted(scores, key=lambda name: (-scores[name], name))
    return list(dict.fromkeys(ranked[(len(ranked) - 1) * quarter // 4] for quarter in (1, 2, 3)))


def sheet(rows: Sequence[tuple[Sequence[np.ndarray], Sequence[Tag]]]) -> Image.Image:
    """Rows of pictures of one size, uint8 RGB [h, w, 3], under HEADS; below the first picture of a row its tags."""
    font = ImageFont.load_default(16)
    heights = [LINE + round(CELL * photos[0].shape[0] / max(photos[0].shape[:2])) for photos, _ in rows]
    size = (len(HEADS) * (CELL + GAP) + GAP, LINE + 2 * GAP + sum(heights) + GAP * (len(rows) - 1))
    paper = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(paper)
    for column, head in enumerate(HEADS):
        draw.text((_left(column) + CELL / 2, GAP + LINE / 2), head, INK, font, anchor="mm")
    top = GAP + LINE
    for (photos, tags), height in zip(rows, heights, strict=True):
        for column, photo in enumerate(photos):
            scale = CELL / max(photo.shape[:2])
            width = round(photo.shape[1] * scale)
            shown = Image.fromarray(photo).resize((width, round(photo.shape[0] * scale)), Image.Resampling.LANCZOS)
            paper.paste(shown, (_left(column) + (CELL - width) // 2, top))
        _write_tags(draw, tags, top + height - LINE / 2, font)
        top += height + GAP
    return paper


def _write_tags(draw: ImageDraw.ImageDraw, tags: Sequence[Tag], middle: float, font: ImageFont.FreeTypeFont) -> None:
    """The names of the classes in the first column, centred, each behind a square of its colour."""
    square, widths = 11, [draw.textlength(name, font) for name, _ in tags]
    left = _left(0) + (CELL - sum(widths) - len(tags) * (square + 5) - (len(tags) - 1) * 12) / 2
    for (name, colour), width in zip(tags, widths, strict=True):
        draw.rectangle((left, middle - square / 2, left + square, middle + square / 2), colour)
        draw.text((left + square + 5, middle), name, INK, font, anchor="lm")
        left += square + 5 + width + 12


def _left(column: int) -> int:
    return GAP + column * (CELL + GAP)


def _miou(labels: np.ndarray, truth: np.ndarray, num_classes: int) -> float:
    """Of one photo, over the classes that it or its label has."""
    matrix = ConfusionMatrix(num_classes)
    matrix.add(labels, truth)
    return matrix.miou()


def _made(run: RunFolder, stage: str) -> Path:
    if stage not in run.stages:
        raise UserError(f"{run.path} has no finished stage '{stage}': finish a run of a recipe like irnet_shapes.")
    return run.path / stage


def _network(run: RunFolder, data: DataSet) -> Callable[[str], np.ndarray]:
    """Image id -> labels, as the run's stage `segment` makes them for val."""
    from common.checkpoints.networks import load_model
    from common.inference.segmentation import multi_scale_logits
    from common.ops.crf import crf_posterior

    weights, asked = Weights(_made(run, "deeplab")), run.stages[_made(run, "segment").name]["params"]
    model = load_model(weights.file, weights.config)

    def segment(name: str) -> np.ndarray:
        photo = data.image(name)
        canvas, resize = asked.get("canvas"), asked.get("resize", "pil")
        scores = multi_scale_logits(model, photo, asked["scales"], asked["flip"], canvas, resize).softmax(0).numpy()
        if asked["crf"] is not None:
            scores = crf_posterior(photo, scores, CRFParams.from_recipe(asked["crf"]))
        return scores.argmax(0).astype(np.uint8)

    return segment


if __name__ == "__main__":
    main()
