"""Work dirs of an older version: what means the same is fresh, and says so; a changed entry is stale, with the reason.

older/*_trained.txt: `config.py` as the old version left it behind a training; *_today.txt: that network's config now.
"""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from common.base.config import read_config
from common.base.files import sha256
from common.base.hashes import Hashes
from common.cli import main
from common.data.dataset import open_dataset
from common.data.ids import write_ids
from common.data.prepare.shapes import make_shapes
from common.pipeline.freshness import Freshness, State
from common.pipeline.older import CRFS
from common.pipeline.prepare import prepare
from common.pipeline.recipe import load_recipe
from common.pipeline.run_folder import read_run
from common.training import identity
from common.training import train as training
from tests.unit.tiny_network import write_config
from tests.unit.training_runs import kill_at, train

HERE = Path(__file__).parent / "older"
ROOT = Path(__file__).resolve().parents[2]
FRESH = "fresh; recorded by an older version, which noted neither what it read nor its code"
IRN = {"iterations": 10, "bilateral": (50, 5, 10), "gaussian": (3, 3)}

FEW = {"train_dataloader.batch_size": 4, "train_dataloader.num_workers": 0, "train_cfg.max_epochs": 2}
CAM = FEW | {"train_dataloader.dataset.pipeline.2.size": 97}
MUTUAL = FEW | {"seed": 1, "train_dataloader.dataset.pipeline.1.size": 97}
PIPELINE: list[dict[str, Any]] = [
    {"stage": "train", "name": "cam", "config": "cam.py", "options": CAM},
    {"stage": "infer_cam", "name": "make_cam", "weights": "cam", "split": "train_aug"},
    {"stage": "cam_to_ir_label", "name": "ir_label", "cams": "make_cam", "fg": 0.7, "bg": 0.35, "crf": IRN},
    {"stage": "crf", "name": "refined", "labels": "ir_label", "crf": IRN},
    {"stage": "train", "name": "a0", "config": "mutual.py", "split": "train"},
    {"stage": "dmt.predict", "name": "labels_b0", "weights": "a0", "split": "train"},
    {"stage": "dmt.class_thresholds", "name": "thresholds_b0", "labels": "labels_b0", "ratio": 0.2},
    {
        **{"stage": "train", "name": "a1", "config": "mutual.py", "split": "both", "pixel_labels": "few"},
        **{"labels": "labels_b0", "init": "a0", "thresholds": "thresholds_b0", "options": MUTUAL},
    },
]
PARAMETERS = {
    "cam": {"config": {"file": "cam.py", "sha256": "0" * 64}, "split": "train_aug", "pixel_labels": None, "best": None}
    | {"options": CAM | {"model.num_classes": 6}},
    "make_cam": {"split": "train_aug", "scales": [1.0, 0.5, 1.5, 2.0], "flip": True, "normalisation": "class_max"}
    | {"stride": 4},
    "ir_label": {"fg": 0.7, "bg": 0.35, "crf": "irn"},
    "refined": {"preset": "irn", "confidence": 0.7},
    "a1": {"config": {"file": "old.py", "sha256": "0" * 64}, "split": "both", "pixel_labels": "few", "best": None}
    | {"options": MUTUAL | {"model.decode_head.num_classes": 7}},
}
"""What the old version recorded of these stages."""


class Old:
    """A work dir of the old version, with today's recipe for it."""

    def __init__(self, folder: Path, data: Path) -> None:
        self.folder, self.data, self.work = folder, open_dataset(data), folder / "work"
        for name in ("cam", "mutual"):
            shutil.copyfile(HERE / f"{name}_today.txt", folder / f"{name}.py")
        self.pipeline = copy.deepcopy(PIPELINE)
        for name in ("make_cam", "ir_label", "labels_b0", "a0", "thresholds_b0"):
            self.write(name, {"output": name})

    def write(self, name: str, record: dict[str, Any], file: str = "stage.json") -> None:
        (self.work / name).mkdir(parents=True, exist_ok=True)
        (self.work / name / file).write_text(json.dumps(record))

    def recorded(self, name: str) -> dict[str, Any]:
        return json.loads((self.work / name / "stage.json").read_text())

    def output(self, name: str) -> str:
        return self.recorded(name)["output"]

    def entry(self, name: str) -> dict[str, Any]:
        return next(entry for entry in self.pipeline if entry["name"] == name)

    def look(self) -> Freshness:
        path = self.folder / "recipe.py"
        head = f'method = "irnet"\nseed = 0\npixel_labels = "few"\ndata = dict(root={str(self.data.root)!r})\n'
        path.write_text(f"{head}pipeline = {self.pipeline!r}\n")
        return Freshness(load_recipe(path), self.work, self.data, Hashes())

    def state(self, name: str) -> State:
        fresh = self.look()
        return fresh.state(fresh.steps[name])

    def started(self, name: str, stage: str | None = None, parameters: dict | None = None) -> dict[str, Any]:
        """The part of a record that says what was asked for."""
        fresh = self.look()
        params = copy.deepcopy(parameters or PARAMETERS[name])
        named = {"few", *(params.get(key) for key in ("split", "pixel_labels"))} - {None}
        return {
            "stage": stage or self.entry(name)["stage"],
            "params": params,
            "inputs": {key: {"stage": of, "output": fresh.output(of)} for key, of in fresh.steps[name].inputs.items()},
            "data": {
                "name": "shapes",
                "description": sha256(self.data.root / "dataset.toml"),
                "splits": {split: self.data.fingerprint(split) for split in sorted(named)},
            },
            **{"seed": 0, "oracle": False, "supervision": "few"},
        }

    def finish(
        self, name: str, stage: str | None = None, trained: str | None = None, parameters: dict | None = None
    ) -> None:
        """Leave a finished stage, with files that stand for what it made."""
        record, folder = self.started(name, stage, parameters), self.work / name
        folder.mkdir(exist_ok=True)
        file = "weights.pth" if trained else f"image{self.look().steps[name].kind.suffix}"
        (folder / file).write_bytes(b"made")
        if trained:
            shutil.copyfile(HERE / trained, folder / "config.py")
        made = f"{file} {hashlib.sha256(b'made').hexdigest()}\n"
        record["data"]["root"] = str(self.data.root)
        rest = {"output": hashlib.sha256(made.encode()).hexdigest(), "numbers": {}, "seconds": 1.0}
        self.write(name, {"name": name, **record, **rest, "machine": {"ranks": 1}, "pixel_labels": "none"})


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shapes") / "data"
    make_shapes(root, train=8, val=4, size=64, seed=0)
    data = open_dataset(root)
    write_ids(data.folder("splits") / "few.txt", data.ids("train_aug")[:2])
    write_ids(data.folder("splits") / "both.txt", data.ids("train_aug"))
    return root


@pytest.fixture
def old(tmp_path: Path, shapes: Path) -> Old:
    return Old(tmp_path, shapes)


def cam(old: Old) -> dict[str, Any]:
    old.finish("cam", trained="cam_trained.txt")
    return old.entry("cam")["options"]


# --- networks -----------------------------------------------------------------------------------------------------


def test_a_trained_classifier_is_fresh_and_says_so(old: Old) -> None:
    cam(old)
    state = old.state("cam")
    assert (state.reason, state.words, state.pure) == (None, FRESH, False)


def test_a_trained_segmentor_with_two_kinds_of_images_is_fresh(old: Old) -> None:
    old.finish("a1", trained="mutual_trained.txt")  # six of the images are weak, three a batch: twice two iterations
    assert old.state("a1").words == FRESH


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ({"optim_wrapper.optimizer.lr": 0.1}, "params.config.optim_wrapper.optimizer.lr 0.02 -> 0.1"),
        ({"train_dataloader.batch_size": 2}, "params.config.train_dataloader.batch_size 4 -> 2"),
        ({"train_cfg.max_epochs": 3}, "params.config.train_cfg.max_iters 4 -> 6"),
        ({"seed": 7}, "params.config.seed 0 -> 7"),
        ({"model.backbone.frozen_stages": -1}, "params.config.model.backbone.frozen_stages 2 -> -1"),
        ({"custom_hooks": [{"type": "EMAHook"}]}, "params.config.custom_hooks.0.type None -> 'EMAHook'"),
    ],
)
def test_a_network_that_is_trained_otherwise_is_stale(old: Old, option: dict, reason: str) -> None:
    cam(old).update(option)
    assert reason in old.state("cam").words


def test_a_training_that_kept_its_best_snapshot_is_fresh(old: Old) -> None:
    old.entry("cam")["best"] = {"split": "val", "interval": 2}
    chosen = copy.deepcopy(PARAMETERS["cam"]) | {"best": {"split": "val", "interval": 2}}
    old.finish("cam", trained="cam_trained.txt", parameters=chosen)
    config = old.work / "cam/config.py"
    config.write_text(config.read_text() + "custom_hooks = [dict(interval=2, split='val', type='KeepBestHook')]\n")
    assert old.state("cam").words == FRESH
    old.entry("cam")["best"]["interval"] = 4
    assert "params.best.interval 2 -> 4" in old.state("cam").words


def test_workers_and_the_number_of_classes_in_an_option_change_nothing(old: Old) -> None:
    cam(old).update({"train_dataloader.num_workers": 3, "model.num_classes": 6})
    assert old.state("cam").words == FRESH


def test_another_number_of_classes_is_stale(old: Old) -> None:
    cam(old)
    config = old.work / "cam/config.py"
    config.write_text(config.read_text().replace("num_classes=6", "num_classes=5"))
    assert old.state("cam").words == "changed: params.config.model.num_classes is gone"


def test_other_classes_of_the_data_are_stale(old: Old, tmp_path: Path) -> None:
    cam(old)
    shutil.copytree(old.data.root, tmp_path / "other")
    text = (tmp_path / "other/dataset.toml").read_text()
    (tmp_path / "other/dataset.toml").write_text(text.replace("snail", "slug"))
    old.data = open_dataset(tmp_path / "other")
    assert old.state("cam").words.startswith("changed: data.description '")


@pytest.mark.parametrize("text", [None, "raise SystemExit('it ran')", "model = 3 +"])
def test_a_network_that_cannot_be_compared_is_stale_and_never_run(old: Old, text: str | None) -> None:
    cam(old)
    config = old.work / "cam/config.py"
    config.unlink()
    if text is not None:
        config.write_text(text)
    assert old.state("cam").words.startswith("changed: params.config.sha256 '000000000000' -> ")


def test_what_reads_a_network_stays_when_that_is_made_again_and_is_the_same(old: Old) -> None:
    cam(old)
    before = old.output("cam")
    old.finish("make_cam")
    assert (old.recorded("make_cam")["inputs"]["weights"]["output"], old.state("make_cam").words) == (before, FRESH)
    old.write("cam", {"output": "by weights and config"})
    old.write("cam", {"config.py": "c", "weights.pth": hashlib.sha256(b"made").hexdigest()}, "files.json")
    assert old.state("make_cam").words == FRESH
    old.write("cam", {"config.py": "c", "weights.pth": "other"}, "files.json")
    assert old.state("make_cam").words == f"changed: inputs.weights.output '{before[:12]}' -> 'by weights and config'"


# --- names and numbers --------------------------------------------------------------------------------------------


def test_a_stage_that_has_moved_and_its_named_crf_are_fresh(old: Old) -> None:
    old.finish("ir_label", "irnet.cam_to_ir_label")
    assert old.state("ir_label").words == FRESH


def test_a_renamed_parameter_is_fresh(old: Old) -> None:
    old.finish("refined")
    assert old.state("refined").words == FRESH


@pytest.mark.parametrize("name", ["ir_label", "refined"])
def test_other_numbers_of_a_crf_are_stale(old: Old, name: str) -> None:
    old.finish(name, "irnet.cam_to_ir_label" if name == "ir_label" else None)
    old.entry(name)["crf"] = IRN | {"bilateral": (50, 6, 10)}
    assert old.state(name).words == "changed: params.crf.bilateral [50, 5, 10] -> [50, 6, 10]"


def test_another_parameter_is_stale(old: Old) -> None:
    old.finish("ir_label", "irnet.cam_to_ir_label")
    old.entry("ir_label")["fg"] = 0.6
    assert old.state("ir_label").words == "changed: params.fg 0.7 -> 0.6"


def test_the_named_crfs_are_those_of_the_recipes() -> None:
    today = read_config(ROOT / "configs/_base_/crf.py").to_dict()
    found = {f"crf_{name}": json.loads(json.dumps(numbers)) for name, numbers in CRFS.items()}
    assert found == json.loads(json.dumps(today))


@pytest.mark.parametrize("stage", ["boundary_walk", "affinitynet.random_walk"])
def test_a_stage_that_is_two_now_is_stale_with_that_reason(old: Old, stage: str) -> None:
    walk = {"cams": "make_cam", "weights": "a0", "name": "walk", "stage": stage}
    old.pipeline.append(walk)
    before = "irnet.propagate" if stage == "boundary_walk" else stage
    default = {"bg": 0.25, "exp_times": 8} if stage == "boundary_walk" else {"crf": None, "logt": 8}
    old.finish("walk", before, parameters=default)
    said = old.state("walk").words
    assert "stage 'boundary_walk and labels'" in said if stage == "boundary_walk" else "params.crf is gone" in said
    walk.update(stage="labels", scores=walk.pop("cams"), background=0.25)
    del walk["weights"]
    walk["scores"] = "maps"
    old.pipeline.insert(-1, {"stage": "boundary_walk", "name": "maps", "cams": "make_cam", "weights": "a0"})
    name = "boundary_walk and labels" if stage == "boundary_walk" else stage
    assert old.state("walk").words == f"changed: stage '{name}' -> 'labels'"


def test_an_input_that_is_read_no_more_is_a_change(old: Old) -> None:
    old.finish("a1", trained="mutual_trained.txt")
    del old.entry("a1")["init"]
    assert "inputs.init is gone" in old.state("a1").words


# --- stages that were stopped -------------------------------------------------------------------------------------


def test_a_stopped_stage_goes_on_with_its_files_and_says_it_is_mixed(old: Old) -> None:
    (old.work / "ir_label/stage.json").unlink()
    old.write("ir_label", old.started("ir_label", "irnet.cam_to_ir_label"), "started.json")
    (old.work / "ir_label/a.png").write_bytes(b"made")
    fresh = old.look()
    step, state = fresh.steps["ir_label"], fresh.state(fresh.steps["ir_label"])
    assert state.reason == "goes on"
    mixed = prepare(step.kind(old.work / "ir_label"), {"code": {}}, state, fresh, False)
    assert mixed == ["an older version began it, which noted neither what it read nor its code"]
    assert (old.work / "ir_label/a.png").exists()
    old.entry("ir_label")["fg"] = 0.6
    assert old.state("ir_label").words == "changed: params.fg 0.7 -> 0.6"


def test_a_stopped_training_goes_on_as_its_checkpoint_tells_what_it_belongs_to(old: Old) -> None:
    old.write("cam", old.started("cam"), "started.json")
    assert old.state("cam").reason == "goes on"
    old.entry("cam")["split"] = "train"
    assert "params.split 'train_aug' -> 'train'" in old.state("cam").words


CHECKPOINTS = """
custom_hooks = [dict(type="KillHere")]
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=2))
"""


@pytest.mark.slow
def test_a_checkpoint_of_the_older_version_goes_on_to_the_bytes_of_an_unbroken_training(
    tiny_voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    config = write_config(tmp_path, tiny_voc, epochs=2, extra=CHECKPOINTS)
    unbroken = train(config, tmp_path / "unbroken")
    seen: list[tuple[str, ...]] = []
    monkeypatch.setattr(training, "earlier_identities", lambda cfg: noted(seen, identity.earlier_identities(cfg)))
    train(config, tmp_path / "unbroken")
    kill_at(config, tmp_path / "killed", "after_train_iter 5")
    file = tmp_path / "killed/checkpoint.pth"
    older = torch.load(file, weights_only=True) | {"format": "wsseg-training-1", "identity": seen[0][0]}
    del older["threads"], older["hooks"]["JsonLogHook"]["zeros"], older["hooks"]["JsonLogHook"]["collapsed"]
    torch.save(older, file)
    assert train(config, tmp_path / "killed", "--resume") == unbroken
    assert f"going on after {older['iteration']}" in capsys.readouterr().out


def noted(seen: list, value: Any) -> Any:
    seen.append(value)
    return value


def test_an_earlier_identity_knows_labels_by_the_bare_name_of_their_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    def parts(kind: str) -> dict[str, Any]:
        return {"loader": {"dataset": {"label_kind": kind}}}

    monkeypatch.setattr(identity, "_parts", parts)
    moved, bare = identity.earlier_identities("methods.affinitynet.scores.ScoreVolumes"), "ScoreVolumes"
    assert moved[1:] == identity.earlier_identities(bare) and len(moved) == 2


# --- a whole work dir ---------------------------------------------------------------------------------------------


def test_status_and_report_read_an_old_run(old: Old, capsys: pytest.CaptureFixture) -> None:
    cam(old)
    config = "method = 'irnet'\nuses = ('tags',)\npipeline = [dict(name='cam', stage='train')]\n"
    record = {"recipe": "recipe", "file": "recipe.py", "method": "irnet", "seed": 0, "supervision": "few"}
    data = {"name": "shapes", "root": str(old.data.root)}
    (old.work / "run.json").write_text(json.dumps({**record, "data": data, "stages": ["cam"], "config": config}))
    run = read_run(old.work)
    assert (run.missing, run.uses, run.marks, run.seconds) == ([], ("tags",), {"cam": None}, 1.0)
    assert main(["status", str(old.work)]) == 0
    assert "done" in capsys.readouterr().out
