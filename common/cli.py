"""The `wsseg` command. Every verb imports what it needs when it is called: the help is there at once."""

from __future__ import annotations

import argparse
import ast
import itertools
import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common.base.errors import UserError, nearest

if TYPE_CHECKING:
    from common.pipeline.recipe import Step

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; 0 done, 1 a check failed, 2 bad input, 130 stopped by the user."""
    parser = build_parser()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments:
        parser.print_help()
        return 0
    try:
        _check_verb(parser, arguments[0])
        options = parser.parse_args(arguments)
        return options.handler(options) or 0
    except UserError as error:
        print(f"wsseg: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nwsseg: stopped; run the same command again to go on.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _check_verb(parser: argparse.ArgumentParser, word: str) -> None:
    """Name the nearest verb where the first word is none.

    Raises:
        UserError: it is none.
    """
    verbs = next(action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    if not word.startswith("-") and word not in verbs:
        raise UserError(f"There is no verb '{word}'{nearest(word, verbs)}.")


def build_parser() -> argparse.ArgumentParser:
    """All verbs with their options."""
    from common.checkpoints.cli import add_parser as add_weights
    from common.data.cli import add_parser as add_data
    from common.new import add_parser as add_new
    from common.report.cli import add_parser as add_report

    parser = argparse.ArgumentParser(
        prog="wsseg", description="Weakly and semi-supervised segmentation: run, compare and extend the papers."
    )
    parser.add_argument("--version", action="version", version=f"wsseg {version('wsseg')}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="the methods and their recipes")
    listing.set_defaults(handler=_list)
    add_data(verbs)
    _add_run(verbs)
    _add_config(verbs)
    status = verbs.add_parser("status", help="how far a run is, stage by stage")
    status.add_argument("run", nargs="?", default="work_dirs", help="a run's folder, or a folder of runs (work_dirs)")
    status.set_defaults(handler=_status)
    add_report(verbs)
    add_weights(verbs)
    add_new(verbs)
    demo = verbs.add_parser("demo", help="make the built-in data, run IRNet on it, and write a report")
    demo.add_argument("--work-dir", default="work_dirs/demo", help="where the run goes (%(default)s)")
    demo.add_argument("--data", default="data/shapes", help="where the built-in data goes (%(default)s)")
    demo.add_argument("--seed", type=int, default=0, help="seed of the run (%(default)s)")
    demo.set_defaults(handler=_demo)
    return parser


def _add_run(verbs: argparse._SubParsersAction) -> None:
    run = verbs.add_parser(
        "run",
        help="run a recipe, stage by stage; what is finished is not repeated",
        description="Run a recipe. Finished stages are skipped while their parameters and inputs are the same; "
        "a run that was stopped goes on where it was.",
    )
    run.add_argument("recipe", help="a recipe file, e.g. configs/irnet/irnet_shapes.py")
    run.add_argument("--work-dir", help="where the run goes (work_dirs/<recipe>)")
    run.add_argument("--from", dest="first", metavar="STAGE", help="begin at this stage; earlier ones stay as they are")
    run.add_argument("--until", metavar="STAGE", help="stop after this stage")
    run.add_argument("--only", metavar="STAGE", help="run this stage alone")
    run.add_argument("--force", action="store_true", help="make the selected stages again even if they are fresh")
    run.add_argument(
        "--reuse",
        metavar="DIR",
        help="take finished stages of the runs in this folder (between runs in work_dirs this is the default)",
    )
    run.add_argument("--no-reuse", action="store_true", help="take no stage from another run")
    run.add_argument("--dry-run", action="store_true", help="print the plan with its reasons and stop")
    run.add_argument("--full", action="store_true", help="with --dry-run: every stage with all its parameters")
    run.add_argument("--seed", type=int, help="seed of the run (the recipe's)")
    run.add_argument("--data-root", metavar="FOLDER", help="the data set (the recipe's data.root)")
    run.add_argument(
        "--cfg-options",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="override values of the recipe, e.g. pipeline.pseudo.bg=0.3 (repeated ones add up)",
    )
    run.add_argument(
        "--backbone", metavar="NAME", help="another backbone for the recipe's networks: efficientnet_lite0 or timm's"
    )
    run.add_argument(
        "--backbone-weights",
        metavar="WEIGHTS",
        help="what --backbone begins with: hub (timm's, downloaded), a file, imported weights, or random",
    )
    run.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (%(default)s)")
    run.add_argument("--workers", type=int, help="processes of per-image stages on the CPU (all cores)")
    run.add_argument("--threads", type=int, help="CPU threads of training (all cores)")
    run.add_argument(
        "--launcher",
        choices=("none", "pytorch", "slurm"),
        default="none",
        help="pytorch under torchrun, slurm under srun",
    )
    run.set_defaults(handler=_run)


def _add_config(verbs: argparse._SubParsersAction) -> None:
    config = verbs.add_parser(
        "config",
        help="each value of a recipe or network config, with the file that set it",
        description="Print each value of a recipe or a network config with the file that set it. "
        "`wsseg run RECIPE --dry-run --full` also prints the defaults of the stages.",
    )
    config.add_argument("file", help="a recipe or a network config, e.g. configs/irnet/cam_r50_voc12.py")
    config.add_argument(
        "--cfg-options", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="override values of it"
    )
    config.set_defaults(handler=_config)


def _config(options: argparse.Namespace) -> int:
    from common.base.config import check_option, read_config
    from common.base.origins import origins, table
    from common.pipeline.recipe import resolved_options

    path, told = Path(options.file), parse_options(options.cfg_options)
    content = read_config(path).to_dict()
    if "pipeline" in content:
        told = resolved_options(path, content, told)
    for key in told:
        check_option(content, key, str(path))
    content = read_config(path, told).to_dict()
    found = origins(path, content, told)
    print("\n".join(table([origin._replace(key=_by_name(origin.key, content)) for origin in found])))
    return 0


def _by_name(key: str, recipe: Mapping[str, Any]) -> str:
    """`pipeline.6.beta` -> `pipeline.walk.beta`, as `--cfg-options` takes it."""
    first, *rest = key.split(".")
    if first != "pipeline" or not rest:
        return key
    return ".".join([first, str(recipe[first][int(rest[0])].get("name", rest[0])), *rest[1:]])


def parse_options(pairs: Sequence[str]) -> dict[str, object]:
    """`key=value` arguments as a dict; values are Python literals where they can be, otherwise text.

    Raises:
        UserError: an argument has no '='.
    """
    options: dict[str, object] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise UserError(f"--cfg-options {pair}: write KEY=VALUE.")
        try:
            options[key] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            options[key] = text
    return options


def _run(options: argparse.Namespace) -> int:
    from common.base.parallel import cores
    from common.base.ranks import Ranks
    from common.pipeline.backbone import with_backbone
    from common.pipeline.describe import step_lines
    from common.pipeline.photo_cost import unfinished
    from common.pipeline.plan import Settings, make_plan
    from common.pipeline.recipe import load_recipe
    from common.pipeline.records import device_kind, duration
    from common.pipeline.run import run_recipe
    from common.report.record import comparable

    if options.full and not options.dry_run:
        raise UserError("--full says more about a plan: add --dry-run.")
    overrides = parse_options(options.cfg_options)
    if options.seed is not None:
        overrides["seed"] = options.seed
    if options.data_root is not None:
        overrides["data.root"] = options.data_root
    for name in ("workers", "threads"):
        if getattr(options, name) is not None and getattr(options, name) < 1:
            raise UserError(f"--{name} must be at least 1.")
    overrides = with_backbone(options.recipe, overrides, options.backbone, options.backbone_weights)
    recipe = load_recipe(options.recipe, overrides)
    work_dir = Path(options.work_dir or Path("work_dirs") / recipe.name)
    settings = Settings(
        work_dir=work_dir,
        device=options.device,
        workers=options.workers or cores(),
        threads=options.threads or cores(),
        told_threads=options.threads,
        launcher=options.launcher,
        first=options.first,
        until=options.until,
        only=options.only,
        force=options.force,
        reuse=() if options.no_reuse else _siblings(options.reuse, work_dir),
        estimate=comparable(ROOT, recipe.name, device_kind(options.device), options.threads or cores()),
        ranks=Ranks("none" if options.dry_run else options.launcher),
    )
    if options.dry_run:
        plan = make_plan(recipe, settings)
        _say_of_the_data(recipe.data_root, [item.step for item in plan if item.runs])
        for number, item in enumerate(plan, 1):
            verb = "run " if item.runs else "skip"
            print(f"[{number}] {verb} {item.step.name} ({item.step.stage}): {item.reason}")
            for line in step_lines(item.step) if options.full else ():
                print(f"      {line}")
        if settings.estimate.seconds:
            whole = duration(sum(settings.estimate.seconds.values()))
            print(f"The whole recipe took {whole} on a machine like this one ({settings.estimate.source}).")
        return 0
    if settings.ranks.first:
        _say_of_the_data(recipe.data_root, unfinished(recipe, settings))
    run_recipe(recipe, settings)
    return 0


def _say_of_the_data(data_root: Path, steps: Sequence[Step]) -> None:
    from common.pipeline.notes import data_notes
    from common.pipeline.photo_cost import large_photos

    for line in [*large_photos(data_root, steps), *data_notes(data_root, steps)]:
        print(line, flush=True)


def _siblings(told: str | None, work_dir: Path) -> tuple[Path, ...]:
    """The folders whose runs share their stages with the one in `work_dir`."""
    from common.pipeline.reuse import FOLDER

    if told is not None and not Path(told).is_dir():
        raise UserError(f"--reuse {told} is no folder: name a run, or a folder of runs.")
    own = work_dir.absolute().parent
    return (*([Path(told)] if told else []), *([own] if own.name == FOLDER else []))


def _list(options: argparse.Namespace) -> int:
    for folder in sorted(path for path in (ROOT / "configs").iterdir() if path.is_dir()):
        recipes = [path for path in sorted(folder.glob("*.py")) if "\npipeline" in path.read_text(encoding="utf-8")]
        if not recipes:
            continue
        method = ROOT / "methods" / folder.name / "__init__.py"
        references = "DeepLab on masks alone, the references of every table"
        print(f"{folder.name}: {_docstring(method) if method.exists() else references}")
        for recipe in recipes:
            print(f"  {recipe.relative_to(ROOT)}: {_title(recipe)}")
    return 0


def _docstring(path: Path) -> str:
    """First line of a Python file's docstring; the file is not run."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def _title(path: Path) -> str:
    """The first line of a recipe's docstring; of one without, the comment lines at its head."""
    if title := _docstring(path):
        return title
    lines = path.read_text(encoding="utf-8").splitlines()
    return " ".join(line.removeprefix("#").strip() for line in itertools.takewhile(lambda line: line[:1] == "#", lines))


def _status(options: argparse.Namespace) -> int:
    folder = Path(options.run)
    runs = [folder] if (folder / "run.json").exists() else sorted(path.parent for path in folder.glob("*/run.json"))
    if not runs:
        raise UserError(f"{folder} holds no run: start one with `wsseg run RECIPE`.")
    for run in runs:
        record = json.loads((run / "run.json").read_text(encoding="utf-8"))
        print(f"{run}: {record['recipe']}, data {record['data']['name']}, seed {record['seed']}")
        for name in record["stages"]:
            print(f"  {name:<14} {record.get('left_out', {}).get(name) or _stage_status(run / name)}")
    return 0


def _stage_status(folder: Path) -> str:
    if (folder / "stage.json").exists():
        record = json.loads((folder / "stage.json").read_text(encoding="utf-8"))
        numbers = {key: value for key, value in record["numbers"].items() if isinstance(value, int | float)}
        shown = "  ".join(f"{key} {value:.4g}" for key, value in list(numbers.items())[:4])
        return f"done {record['seconds']:8.1f} s  {shown}".rstrip()
    if (folder / "started.json").exists():
        files = sum(1 for path in folder.iterdir() if path.suffix in (".npz", ".png"))
        return f"started, {files} images so far" if files else "started"
    return "-"


def _demo(options: argparse.Namespace) -> int:
    from common.base.files import read_json
    from common.data.prepare.shapes import make_shapes

    make_shapes(Path(options.data))
    recipe = ROOT / "configs/irnet/irnet_shapes.py"
    work_dir = Path(options.work_dir)
    arguments = ["run", str(recipe), "--work-dir", str(work_dir), "--data-root", options.data]
    code = main([*arguments, "--seed", str(options.seed)]) or main(["report", str(work_dir)])
    if code:
        return code
    print("\nIRNet on the built-in shapes, mIoU in %:")
    for label, stage in (
        ("CAM, best threshold", "eval_cam"),
        ("pseudo labels (random walk)", "eval_pseudo"),
        ("DeepLab, val", "val"),
    ):
        print(f"  {label:<28} {100 * read_json(work_dir / stage / 'stage.json')['numbers']['miou']:.1f}")
    print(f"The report with pictures: {work_dir / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
