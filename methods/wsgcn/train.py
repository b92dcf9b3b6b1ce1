"""Fit the graph networks of given photos: `python methods/wsgcn/train.py RECIPE IMAGE... --work-dir RUN --out DIR`.

RUN holds the recipe's stages up to `partial`, which `wsseg run RECIPE --until partial` makes. The losses are printed,
labels without a CRF are written to DIR/IMAGE.png. They are those of the recipe's own stage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from common.artifacts import Labels
from common.base.errors import UserError
from common.data.dataset import open_dataset
from common.pipeline import Image, Run
from common.pipeline.recipe import Recipe, Step, load_recipe
from methods.wsgcn.photo import photo_scores
from methods.wsgcn.stages import complete


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, or 2 with one sentence where the input is bad."""
    parser = argparse.ArgumentParser(prog="methods/wsgcn/train.py", description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="ids of photos")
    parser.add_argument("--work-dir", type=Path, required=True, metavar="RUN", help="a run of the recipe")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the labels go")
    parser.add_argument("--data-root", type=Path, metavar="DIR", help="the data set, by default the recipe's")
    parser.add_argument("--seed", type=int, help="by default the recipe's")
    parser.add_argument("--device", help="cpu, cuda or cuda:N; by default a GPU where there is one")
    try:
        fit_photos(parser.parse_args(arguments))
    except UserError as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 2
    return 0


def fit_photos(options: argparse.Namespace) -> None:
    """One fit after the other.

    Raises:
        UserError: the recipe has no such stage, or a file of the run or an image is missing.
    """
    recipe = load_recipe(options.recipe)
    step = _fitting(recipe)
    data = open_dataset(options.data_root or recipe.data_root).guarded(())
    seed = recipe.seed if options.seed is None else options.seed
    run = Run(data, options.device, options.out, seed, stage=step.stage)
    by_name = {other.name: other for other in recipe.steps}
    inputs = {key: by_name[name].kind(options.work_dir / name) for key, name in step.inputs.items()}
    params = {key: value for key, value in step.params.items() if key != "split"}
    make = photo_scores(run, **inputs, **params, watch=_report)
    labels = Labels(options.out)
    labels.path.mkdir(parents=True, exist_ok=True)
    for image_id in options.images:
        print(f"{image_id}:", flush=True)
        value = make(Image(data, image_id))
        labels.write(image_id, value.label(next(iter(value.log_prob))))
        print(f"{image_id}: wrote {labels.file(image_id)}", flush=True)


def _fitting(recipe: Recipe) -> Step:
    found = [step for step in recipe.steps if step.function is complete]
    if not found:
        raise UserError(f"{recipe.path} has no stage wsgcn.complete: name one of WSGCN's recipes.")
    return found[0]


def _report(step: int, losses: dict) -> None:
    if step % 50 == 0:
        print(f"  step {step}: " + ", ".join(f"{name} {float(loss):.4f}" for name, loss in losses.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
