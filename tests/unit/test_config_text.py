"""The text of a config: it reads back as the same, by mmengine and without running anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from common.base.config import plain_text, read_plain

ROOT = Path(__file__).resolve().parents[2]

VALUES = {
    "empty": [{}, [], (), ""],
    "single": (1,),
    "names": {"a": 1, "b c": None, "lambda": True, 3: "x"},
    "quotes": 'it\'s "so"\nand so',
    "long": {"path": "/" + "x" * 150, "pipeline": [{"type": "Crop", "size": (32, 32)}, {"type": "Pack"}] * 4},
    "numbers": [1e-05, -3, 0.1, 10**20],
}


def test_a_config_reads_back_as_the_same(tmp_path):
    text = plain_text(Config(VALUES))
    (tmp_path / "config.py").write_text(text)
    assert Config.fromfile(tmp_path / "config.py").to_dict() == VALUES
    assert read_plain(text) == VALUES
    assert max(len(line) for line in text.splitlines() if "xxx" not in line) <= 110


@pytest.mark.parametrize("file", ["irnet/cam_r50_voc12.py", "irnet/irnet_shapes.py", "dmt/dmt_shapes.py"])
def test_a_shipped_config_reads_as_mmengines_text(file):
    config = Config.fromfile(ROOT / "configs" / file, import_custom_modules=False)
    assert read_plain(plain_text(config)) == read_plain(config.pretty_text)
