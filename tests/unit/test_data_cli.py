"""`wsseg data` from the outside: exit codes, messages, and a quick start."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from common.base.errors import UserError
from common.data.cli import add_parser
from common.data.dataset import open_dataset
from common.data.prepare import voc12 as prepare
from tests.unit import data_miniature as mini


def wsseg(*arguments: object) -> int:
    """Run a verb in this process."""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers(required=True))
    options = parser.parse_args([str(argument) for argument in arguments])
    return options.handler(options)


def test_start_up_is_light():
    code = "import sys, common.data.cli; print(*{'torch', 'scipy', 'cv2', 'PIL', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == ""


def test_check_exit_codes(tiny_voc, capsys):
    assert wsseg("data", "check", tiny_voc, "--workers", 1) == 0
    assert "no faults" in capsys.readouterr().out
    (tiny_voc / "JPEGImages/2007_000003.jpg").write_bytes(b"")
    assert wsseg("data", "check", tiny_voc, "--workers", 1) == 1
    out = capsys.readouterr().out
    assert "JPEGImages/2007_000003.jpg  is no image" in out and "1 faults" in out
    with pytest.raises(UserError, match="does not exist"):
        wsseg("data", "check", tiny_voc / "nowhere")


def test_prepare_voc12(tmp_path, monkeypatch, capsys):
    voc = mini.unpack(tmp_path / "voc", mini.voc_files())
    sbd = mini.pack(tmp_path / "sbd.tgz", mini.sbd_files(), "w:gz")
    command = ("data", "prepare", "voc12", "--voc", voc, "--sbd", sbd, "--out", tmp_path / "out", "--workers", 1)
    with pytest.raises(UserError, match="expected"):
        wsseg(*command)
    monkeypatch.setattr(prepare.prepare_voc12, "__defaults__", (None, "xml", mini.COUNTS, print))
    assert wsseg(*command, "--tags", "mask") == 0
    assert "train_aug 8" in capsys.readouterr().out and open_dataset(tmp_path / "out").tag_rule == "mask"


@pytest.mark.parametrize("missing", ["voc", "sbd"])
def test_prepare_asks_for_a_missing_archive(tmp_path, missing):
    given = {"voc": tmp_path, "sbd": tmp_path}
    del given[missing]
    options = [part for name, path in given.items() for part in (f"--{name}", path)]
    with pytest.raises(UserError, match=f"--{missing} is missing: give .* or add --download"):
        wsseg("data", "prepare", "voc12", *options, "--out", tmp_path / "out")


def test_splits(tiny_voc, capsys):
    lists = tiny_voc / "ImageSets/Segmentation"
    (lists / "train.txt").write_text("2007_000001\n")
    assert wsseg("data", "splits", tiny_voc) == 0
    data = open_dataset(tiny_voc)
    labelled, rest = data.ids("2_labeled_1"), data.ids("2_unlabeled_1")
    assert len(labelled) == 4 and sorted([*labelled, *rest]) == sorted(data.ids("train_aug"))
    assert "106_labeled_0: left out, it would be empty" in capsys.readouterr().out
    assert not (lists / "106_labeled_0.txt").exists()
    (tiny_voc / "mine.txt").write_text("7 6 5 4 3 2 1 0")
    assert wsseg("data", "splits", tiny_voc, "--permutation", tiny_voc / "mine.txt", "--fraction", "1/4") == 0
    assert data.ids("4_labeled_mine") == data.ids("train_aug")[:-3:-1]
    (lists / "some.txt").write_text("\n".join(data.ids("train_aug")[:4]))
    assert wsseg("data", "splits", tiny_voc, "--of", "some") == 0
    assert sorted(data.ids("some_2_labeled_0+some_2_unlabeled_0")) == sorted(data.ids("some"))
    assert wsseg("data", "check", tiny_voc, "--workers", 1) == 0


def test_help_names_every_action(capsys):
    with pytest.raises(SystemExit) as stop:
        wsseg("data", "--help")
    text = capsys.readouterr().out
    assert stop.value.code == 0 and all(action in text for action in ("prepare", "make", "check", "splits"))


@pytest.mark.parametrize("workers", ["0", "-1", "many"])
def test_workers_must_be_a_number(tiny_voc: Path, workers):
    with pytest.raises(SystemExit) as stop:
        wsseg("data", "check", tiny_voc, "--workers", workers)
    assert stop.value.code == 2
