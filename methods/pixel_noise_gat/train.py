"""Train the graph network of a run's graphs: `python methods/pixel_noise_gat/train.py RECIPE --work-dir RUN --out DIR`.

RUN holds the recipe's stages up to `graphs`, which `wsseg run RECIPE --until graphs` makes. The losses lie in
DIR/log.jsonl. The weights are those of the recipe's own stage. The clean and the final network are ordinary segmentors,
which the recipe trains.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from common.base.errors import UserError
from common.data.dataset import open_dataset
from common.pipeline import Run
from common.pipeline.recipe import load_recipe
from methods.pixel_noise_gat.graphs import Graphs
from methods.pixel_noise_gat.stages import fit_gat


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0, or 2 with one sentence where the input is bad."""
    parser = argparse.ArgumentParser(prog="methods/pixel_noise_gat/train.py", description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--work-dir", type=Path, required=True, metavar="RUN", help="a run of the recipe")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where the weights go")
    parser.add_argument("--data-root", type=Path, metavar="DIR", help="the data set, by default the recipe's")
    parser.add_argument("--seed", type=int, help="by default the recipe's")
    parser.add_argument("--device", help="cpu, cuda or cuda:N; by default a GPU where there is one")
    try:
        _train(parser.parse_args(arguments))
    except UserError as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 2
    return 0


def _train(options: argparse.Namespace) -> None:
    recipe = load_recipe(options.recipe, {} if options.seed is None else {"seed": options.seed})
    step = next((step for step in recipe.steps if step.function is fit_gat), None)
    if step is None:
        raise UserError(f"{recipe.path} has no stage pixel_noise_gat.fit_gat: name one of Pixel-noise GAT's recipes.")
    graphs = Graphs(options.work_dir / step.inputs["graphs"])
    if not graphs.ids():
        raise UserError(f"{graphs.path} holds no graphs: run the recipe --until {graphs.name} first.")
    data = open_dataset(options.data_root or recipe.data_root).guarded(())
    options.out.mkdir(parents=True, exist_ok=True)
    fit_gat(Run(data, options.device, options.out, recipe.seed, stage=step.stage), graphs, **step.params)
    print(f"wrote {options.out / 'weights.pth'}")


if __name__ == "__main__":
    sys.exit(main())
