"""The HTML page: whole, self-contained, and showing what the run holds."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.artifacts import CAM, CAMs, ConfidentLabel, ConfidentLabels, InstanceMaps, Instances, Labels
from common.base.files import read_json, write_json
from common.cli import main
from common.data.dataset import open_dataset, voc_palette
from common.pipeline.run_folder import read_run
from common.report.page import duration, read_log, render
from common.report.pictures import data_uri, galleries
from common.report.plots import line_plot, ticks
from common.report.record import make_record
from tests.unit.report_run import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def project(tmp_path) -> Path:
    (tmp_path / "methods/toy").mkdir(parents=True)
    row = 'stage = "{0}"\ndata = "shapes"\nsplit = "{1}"\nmetric = "miou"\nsource = "paper <2>"\n'
    rows = [("eval_cam", "train", 'id = "a"\nvalue = 40.0\ntolerance = 2'), ("val", "val", 'id = "b"\nvalue = 63.5'),
            ("test", "test", 'id = "c"\nvalue = 64.8')]  # fmt: skip
    text = "".join(f"[[row]]\n{row.format(stage, split)}{more}\n" for stage, split, more in rows)
    (tmp_path / "methods/toy/expected.toml").write_text(text)
    return tmp_path


class Balance(HTMLParser):
    """Raises where tags do not nest."""

    void = ("meta", "img", "br", "line", "circle")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        pass


def test_page_is_whole_and_needs_no_network(run, project):
    html = render(read_run(run), project)
    parser = Balance()
    parser.feed(html)
    assert parser.open == []
    assert "http" not in html and "src=" in html
    assert all(source.startswith("data:image/") for source in re.findall(r'src="([^"]*)"', html))


def test_page_shows_numbers_beside_the_papers(run, project):
    html = render(read_run(run), project)
    assert re.search(
        r'41\.0 <abbr title="[^"]+">†</abbr></td><td[^>]*>40\.0</td><td[^>]*><span class="ok">\+1\.0', html
    )
    assert "-8.5" in html and "paper &lt;2&gt;" in html
    assert html.count("not run") == 1
    assert "&lt;train&gt;" in html and "<train>" not in html


def test_page_has_curves_and_pictures(run, project):
    html = render(read_run(run), project)
    assert html.count("<svg") == 3  # loss, learning rate, threshold curve
    assert html.count("<polyline") == 4
    assert html.count("<img") == 6 * 5 + 3 * 3
    assert render(read_run(run), project, images=2).count("<img") == 2 * 5 + 2 * 3


def test_an_evaluation_shows_curves_and_classes_of_its_own(tmp_path, project):
    run = make_run(tmp_path / "runs")
    record = read_json(run / "eval_pseudo/stage.json")
    lines = {"precision": [[0.1, 0.9], [0.5, None], [1.0, 0.6]], "coverage": [[0.1, 0.1], [1.0, 1.0]]}
    record["numbers"] |= {
        "curves": {"share kept": lines},
        "kept": {"fish": 0.123, "boat": None},
        "other": {"cat": 0.456},
    }
    write_json(run / "eval_pseudo/stage.json", record)
    html = render(read_run(run), project)
    assert html.count("<svg") == 4 and html.count("<polyline") == 6
    assert "eval_pseudo: percent over the share kept" in html
    assert "eval_pseudo: kept" in html and ">12.3<" in html and "45.6" not in html
    assert "curves" not in make_record(read_run(run))["stages"]["eval_pseudo"]["numbers"]


def test_same_run_same_page(run, project):
    assert render(read_run(run), project) == render(read_run(run), project)


def test_an_unfinished_run_has_a_page_too(tmp_path, project):
    run = make_run(tmp_path / "runs")
    for name in read_run(run).record["stages"][1:]:
        (run / name / "stage.json").unlink()
    html = render(read_run(run), project)
    assert "Not finished: make_cam, eval_cam" in html and "not finished" in html and "None yet." in html


def test_report_verb_writes_the_file(run, capsys):
    assert main(["report", str(run), "--images", "1"]) == 0
    assert capsys.readouterr().out.strip() == str(run / "report.html")
    assert (run / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main(["report", str(run.parent)]) == 2


def test_verbs_do_not_import_the_heavy_modules():
    code = (
        "import sys, argparse; from common.report.cli import add_parser;"
        "add_parser(argparse.ArgumentParser().add_subparsers());"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'PIL')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_galleries_group_stages_that_share_images(run):
    folder = read_run(run)
    train, val = galleries(folder, open_dataset(folder.record["data"]["root"]), 3)
    assert train[0] == ["train_0000", "train_0002", "train_0004"]
    assert [title.split()[0] for title, _ in train[1]] == ["photo", "make_cam", "pseudo", "instances", "truth"]
    assert [title.split()[0] for title, _ in val[1]] == ["photo", "segment", "truth"]


def test_each_kind_draws_its_picture(tiny_voc, tmp_path):
    data = open_dataset(tiny_voc)
    data.palette[:] = voc_palette()
    photo = np.full((8, 8, 3), 100, np.uint8)
    labels = np.zeros((8, 8), np.uint8)
    labels[:, 4:], labels[0] = 2, 255
    shown = Labels(tmp_path).picture(photo, labels, data)
    assert (shown[1:, :4] == 100).all()
    assert shown[1, 4].tolist() == [30, 120, 30] and shown[0, 0].min() > 200
    cam = CAM(np.array([1, 3]), np.stack([np.zeros((2, 2)), np.ones((2, 2))]).astype(np.float32), (8, 8))
    assert CAMs(tmp_path).picture(photo, cam, data)[4, 4].tolist() == [125, 125, 10]
    empty = CAM(np.zeros(0, np.int64), np.zeros((0, 2, 2), np.float32), (8, 8))
    assert (CAMs(tmp_path).picture(photo, empty, data) == 100).all()
    sure = np.linspace(0, 1, 8, dtype=np.float32)[None].repeat(8, 0)
    shown = ConfidentLabels(tmp_path).picture(photo, ConfidentLabel(np.full((8, 8), 2, np.uint8), sure), data)
    assert shown[0, 0].tolist() == [100] * 3 and shown[0, 7].tolist() == [15, 124, 15]
    owners = np.zeros((8, 8), np.uint16)
    owners[2], owners[4] = 1, 2
    two = InstanceMaps(tmp_path).picture(
        photo, Instances(np.array([0.0, 1.0], np.float32), owners, np.array([1, 1])), data
    )
    assert (two[0] == 100).all() and two[2, 0].tolist() == [108, 70, 70] and two[4, 0].tolist() == [20, 122, 20]
    none = Instances(np.zeros(0, np.float32), np.zeros((8, 8), np.uint16), np.zeros(0, np.int64))
    assert (InstanceMaps(tmp_path).picture(photo, none, data) == 100).all()


def test_data_uri_is_a_small_jpeg():
    uri = data_uri(np.full((400, 300, 3), (200, 30, 30), np.uint8))
    image = Image.open(io.BytesIO(base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))))
    assert image.size == (150, 200)
    assert np.abs(np.asarray(image, np.int64)[50, 50] - [200, 30, 30]).max() < 12


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.3, 0.31), (-2, 700), (5, 5), (0, 0), (1e-7, 3e-7)])
def test_ticks_enclose_the_range(low, high):
    marks = ticks(low, high)
    assert 2 <= len(marks) <= 8 and marks == sorted(set(marks))
    assert marks[0] <= low and marks[-1] >= high - 1e-12


def test_line_plot_places_points_and_drops_what_is_not_finite():
    svg = line_plot({"a": [(0, 0.0), (1, 1.0), (2, float("nan"))], "b": [(0, float("inf"))]}, "x", "<t>")
    points = re.search(r'points="([^"]*)"', svg)[1].split()
    (x0, y0), (x1, y1) = (tuple(map(float, point.split(","))) for point in points)
    assert x0 < x1 and y0 > y1  # SVG's y points down
    assert svg.count("<polyline") == 1 and "&lt;t&gt;" in svg and "nan" not in svg
    assert line_plot({"a": []}, "x", "t") == "" == line_plot({}, "x", "t")
    assert "<polyline" in line_plot({"a": [(3, 2.0)]}, "x", "t")


def test_log_without_its_half_written_line(run, tmp_path):
    lines = read_log(run / "cam" / "log.jsonl")
    assert [line["iter"] for line in lines] == list(range(1, 9))
    assert read_log(tmp_path / "none") == []


def test_duration():
    assert [duration(s) for s in (3.21, 119, 600, 7300)] == ["3.2 s", "119.0 s", "10.0 min", "2.0 h"]
