"""MXNet's container: files written here byte by byte, in its three forms, whole, cut and damaged."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from common.base.errors import UserError
from common.checkpoints.formats import network_shapes
from common.checkpoints.importing import import_weights
from common.checkpoints.initial import load_matching, resolve_init
from common.checkpoints.mxnet import is_params, read_params
from common.models.resnet38 import ResNet38

HEADERS = ("legacy", "int64", "storage")


def shape_bytes(shape: tuple[int, ...], header: str) -> bytes:
    if header == "legacy":
        return struct.pack(f"<I{len(shape)}I", len(shape), *shape)
    dimensions = struct.pack(f"<I{len(shape)}q", len(shape), *shape)
    start = struct.pack("<I", 0xF993FAC8) if header == "int64" else struct.pack("<Ii", 0xF993FAC9, 0)
    return start + dimensions


def params(arrays: dict[str, np.ndarray], header: str = "storage", dtype: int = 0) -> bytes:
    content = struct.pack("<QQQ", 0x112, 0, len(arrays))
    for array in arrays.values():
        content += shape_bytes(array.shape, header) + struct.pack("<iii", 1, 0, dtype) + array.tobytes()
    content += struct.pack("<Q", len(arrays))
    for name in arrays:
        content += struct.pack("<Q", len(name.encode())) + name.encode()
    return content


ARRAYS = {
    "arg:conv_weight": np.arange(24, dtype="<f4").reshape(2, 3, 2, 2) / 7,
    "aux:bn_moving_mean": np.array([-1.5], "<f4"),
}


@pytest.mark.parametrize("header", HEADERS)
def test_what_is_written_is_read(tmp_path: Path, header: str):
    file = tmp_path / "model.params"
    file.write_bytes(params(ARRAYS, header))
    assert is_params(file)
    tensors = read_params(file)
    assert list(tensors) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert tensors[name].dtype == torch.float32
        assert torch.equal(tensors[name], torch.from_numpy(array))


@pytest.mark.parametrize("header", HEADERS)
def test_every_cut_is_noticed(tmp_path: Path, header: str):
    whole, file = params(ARRAYS, header), tmp_path / "cut.params"
    for length in range(16, len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(UserError, match=r"cut\.params is truncated"):
            read_params(file)


DAMAGED = [
    (params(ARRAYS) + b"\0", "damaged: 2 arrays, 2 names, 1 bytes left"),
    (params(ARRAYS, dtype=1), "dtype 1: only float32"),
    (params(ARRAYS).replace(struct.pack("<Ii", 0xF993FAC9, 0), struct.pack("<Ii", 0xF993FAC9, 1)), "sparse"),
    (params(ARRAYS)[:24] + struct.pack("<I", 1000) + params(ARRAYS)[28:], "1000 dimensions"),
    (params(ARRAYS).replace(b"arg:conv", b"arg:\xff\xff\xff\xff"), "damaged name"),
    (params(ARRAYS, "int64").replace(struct.pack("<Iq", 1, 1), struct.pack("<Iq", 1, -1)), "shape \\(-1,\\)"),
    (b"not of MXNet at all", r"no MXNet \.params file"),
]


@pytest.mark.parametrize(("content", "words"), DAMAGED)
def test_damaged_and_foreign_files_are_refused(tmp_path: Path, content: bytes, words: str):
    file = tmp_path / "damaged.params"
    file.write_bytes(content)
    with pytest.raises(UserError, match=rf"damaged\.params .*{words}"):
        read_params(file)


def test_absent_files(tmp_path: Path):
    assert not is_params(tmp_path / "absent.params")
    with pytest.raises(UserError, match=r"absent\.params cannot be read"):
        read_params(tmp_path / "absent.params")


def mxnet_name(name: str) -> str:
    """Of a tensor of ResNet-38, by the rule of psa's converter read backwards."""
    module, _, entry = name.rpartition(".")
    if name == "conv1a.weight":
        return "arg:conv1a_weight"
    block, _, layer = module.partition(".")
    kind, _, branch = layer.partition("_")
    stage, _, index = block.removeprefix("b").partition("_")
    if block == "bn7":
        unit = "bn7"
    else:
        unit = f"{'bn' if kind == 'bn' else 'res'}{stage}{f'b{index}' if index else 'a'}_{branch}"
    norm = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_var"}
    suffix = norm[entry] if kind == "bn" or block == "bn7" else entry
    return f"{'aux' if 'moving' in suffix else 'arg'}:{unit}_{suffix}"


@pytest.mark.slow
def test_resnet38_is_imported_whatever_the_file_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WSSEG_WEIGHTS", str(tmp_path / "store"))
    torch.manual_seed(0)
    shapes = network_shapes({"backbone": {"type": "ResNet38"}})
    named = {key.removeprefix("backbone."): shape for key, shape in shapes.items() if "num_batches" not in key}
    arrays = {mxnet_name(key): np.full(shape, i, "<f4") for i, (key, shape) in enumerate(named.items())}
    file = tmp_path / "downloaded"
    file.write_bytes(params({**arrays, "arg:linear1000_bias": np.zeros(1000, "<f4")}))
    report = import_weights(file, "resnet38_imagenet")
    assert (report.format, len(report.matched), report.missing) == ("mxnet_resnet38", 191, [])
    assert report.unexpected == ["arg:linear1000_bias"]
    network = ResNet38()
    assert load_matching(network, resolve_init("resnet38_imagenet"), "backbone.") == []
    for i, (key, tensor) in enumerate(item for item in network.state_dict().items() if item[0] in named):
        assert (tensor == i).all(), key
