"""`wsseg config`: each value with the file that set it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from common.base.config import read_config
from common.base.origins import OPTIONS, leaves, origins
from common.cli import main

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(path for path in ROOT.glob("configs/*/*.py") if path.parent.name != "_base_")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """low.py, whose base is middle.py, whose base is high.py."""
    (tmp_path / "high.py").write_text("loop = dict(epochs=3, lr=0.1)\nkept, other = 1, 2\ncrf = dict(steps=10)\n")
    (tmp_path / "middle.py").write_text('_base_ = "high.py"\nloop = dict(lr=0.1, clip={"norm": 5})\n')
    (tmp_path / "low.py").write_text(
        '_base_ = ["middle.py"]\n'
        "size = 32\n"
        'steps = [dict(type="Crop", size=size), dict(type="Pack")]\n'
        "for number in range(2):\n"
        "    steps += [dict(type=number, crf=_base_.crf)]\n"
        "loop = dict(clip=dict(_delete_=True, value=1))\n"
    )
    return tmp_path


def sources(path: Path, options: dict | None = None) -> dict[str, str]:
    found = origins(path, read_config(path, options).to_dict(), options)
    return {origin.key: Path(origin.source).name for origin in found}


def test_each_value_has_the_file_that_said_it_last(files: Path):
    assert sources(files / "low.py") == {
        "loop.epochs": "high.py",
        "loop.lr": "middle.py",  # though high.py says the same
        "loop.clip.value": "low.py",
        "kept": "high.py",
        "other": "high.py",
        "crf.steps": "high.py",
        "size": "low.py",
        "steps.0.type": "low.py",
        "steps.0.size": "low.py",
        "steps.1.type": "low.py",
        "steps.2.type": "low.py",
        "steps.2.crf.steps": "high.py",  # lent as _base_.crf
        "steps.3.type": "low.py",
        "steps.3.crf.steps": "high.py",
        "number": "low.py",
    }


def test_what_is_left_of_a_list_is_the_bases(files: Path):
    (files / "row.py").write_text('_base_ = "low.py"\nsteps = [{**step, "type": 7} for step in _base_.steps[:3]]\n')
    found = sources(files / "row.py")
    assert {key: file for key, file in found.items() if key.startswith("steps")} == {
        "steps.0.type": "row.py",
        "steps.0.size": "low.py",
        "steps.1.type": "row.py",
        "steps.2.type": "row.py",
        "steps.2.crf.steps": "high.py",
    }


def test_an_option_overrides_every_file(files: Path):
    found = sources(files / "low.py", {"loop.epochs": 9, "steps.2.crf.steps": 1, "loop.clip": {"other": 2}})
    said = {key for key, source in found.items() if source == OPTIONS}
    assert said == {"loop.epochs", "steps.2.crf.steps", "loop.clip.other"}
    assert found["loop.clip.value"] == "low.py" and found["steps.3.crf.steps"] == "high.py"


def test_data_files_have_values_too(tmp_path: Path):
    (tmp_path / "plain.yaml").write_text("a: {b: [1, 2], c: {}}\n")
    assert sources(tmp_path / "plain.yaml") == {"a.b": "plain.yaml", "a.c": "plain.yaml"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_value_of_a_shipped_config_is_left_out(path: Path):
    content = read_config(path).to_dict()
    found = origins(path, content)
    assert [(origin.key, origin.value) for origin in found] == list(leaves(content))
    if path.stem.endswith("_voc12"):
        constants = [origin for origin in found if origin.key != "data.root"]  # a place, as users say it
        files = {Path(origin.source).name for origin in constants} - {"runtime.py"}  # which holds no number of a paper
        assert len(files) <= 3, "a row's constants stand in three files at most"


def printed(capsys: pytest.CaptureFixture, *arguments: str) -> dict[str, list[str]]:
    assert main(["config", *arguments]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    return {key: rest for key, *rest in lines}


def test_the_command_shows_a_network_and_a_recipe(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    lr = "optim_wrapper.optimizer.lr"
    said = printed(capsys, "configs/irnet/cam_r50_voc12.py", "--cfg-options", f"{lr}=0.5")
    assert said[lr] == ["0.5", "--cfg-options"]
    assert said["train_cfg.max_epochs"] == ["5", "configs/irnet/cam_r50_voc12.py"]
    assert said["default_hooks.logger.interval"] == ["None", "configs/_base_/runtime.py"]
    said = printed(capsys, "configs/irnet/irnet_r50_voc12.py", "--cfg-options", "pipeline.walk.beta=3")
    assert said["pipeline.walk.beta"] == ["3", "--cfg-options"]
    assert said["pipeline.walk.radius"] == ["5", "configs/irnet/irnet_r50_voc12.py"]
    assert said["pipeline.segment.crf.iterations"] == ["10", "configs/_base_/crf.py"]


@pytest.mark.parametrize("option", ["optim_wrapper.optimiser.lr=1", "model.backbone.dept=18"])
def test_an_option_that_touches_nothing_is_refused(capsys: pytest.CaptureFixture, option: str):
    assert main(["config", str(ROOT / "configs/irnet/cam_r50_voc12.py"), "--cfg-options", option]) == 2
    assert "touches nothing" in capsys.readouterr().err


def test_the_command_needs_no_torch():
    code = "import sys; from common.cli import main; main(sys.argv[1:]); assert 'torch' not in sys.modules"
    arguments = [sys.executable, "-c", code, "config", "configs/seam/seam_shapes.py"]
    subprocess.run(arguments, check=True, cwd=ROOT, capture_output=True)
