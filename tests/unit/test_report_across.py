"""Methods side by side: what corresponds, what was not run, and weak and semi-supervised methods apart."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import methods
from common.base.errors import UserError
from common.base.files import write_json
from common.pipeline.run_folder import read_run
from common.report.backbones import backbone_name
from common.report.compare import compare, tables
from common.report.expected import read_expected
from common.report.markdown import NOTES, commits, whole_runs
from common.report.protocol import Supervision, networks, supervision
from common.report.record import write_record
from common.report.verify import verify
from tests.unit.report_run import NETWORK, make_run

ROOT = Path(__file__).resolve().parents[2]

ROW = """
[[row]]
id = "{id}"
stage = "{stage}"
split = "{split}"
metric = "miou"
value = {value}
source = "paper"
network = "ResNet-{depth}"
protocol = "no | CRF"
"""

INNER = {"type": "Teacher", "student": {"type": "Net", "backbone": {"type": "VGG16Dilated"}}}


@pytest.fixture
def project(tmp_path) -> Path:
    """Two weak methods and a semi-supervised one, nothing run."""
    for method in ("alpha", "beta", "semi"):
        folder = tmp_path / "methods" / method
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(f'"""{method}."""\n')
    (tmp_path / "methods/alpha/__init__.py").write_text('"""Alpha: a walk (A, B, CVPR 2018)."""\n')
    cam = ROW.format(id="cam", stage="eval_cam_best", split="train", value=48.3, depth=50)
    val = ROW.format(id="val", stage="val", split="val", value=63.5, depth=50)
    others = 'others = [{ value = 63.0, source = "a" }, { value = 64.4, source = "b" }]\n'
    (tmp_path / "methods/alpha/expected.toml").write_text(cam + val + others)
    aside = ROW.format(id="aside", stage="eval_sure", split="train", value=80, depth=38)
    instances = ROW.format(id="instances", stage="eval_instances", split="train", value=30, depth=38)
    beta = ROW.format(id="val", stage="val", split="val", value=64.5, depth=38)
    (tmp_path / "methods/beta/expected.toml").write_text(f"{instances}headline = true\n{aside}{beta}")
    semi = ROW.format(id="val", stage="val", split="val", value=74.0, depth=101)
    (tmp_path / "methods/semi/expected.toml").write_text(f"{semi}masks = 1322\nimages = 10582\nuses = []\n")
    return tmp_path


def record(project: Path, method: str, seed: int = 0, **changed: Any) -> None:
    """Put a record of the recipe <method>_shapes into results/."""
    made = {
        "method": method, "recipe": f"{method}_shapes", "seed": seed, "commit": "0123456789ab-dirty",
        "data": {"name": "shapes", "splits": {"train": "t", "val": "v"}, "content": "c" * 64}, "digest": "d" * 64,
        "machine": {"cpu": "x86_64", "threads": 2},
        "seconds": {"cam": 100.0, "val": 80.0}, "supervision": {"masks": 0, "images": 240, "uses": ["tags"]},
        "networks": {name: {"config": "c.py", "backbone": "ResNet-50", "weights": None} for name in ("cam", "net")},
        "stages": {
            "eval_cam": stage("train", 0.40, mark="threshold chosen on the masks it is judged with"),
            "val": stage("val", 0.60 + 0.02 * seed),
        },
    }  # fmt: skip
    made = {key: value for key, value in {**made, **changed}.items() if value is not None}
    write_json(project / "results" / method / f"{method}_shapes-seed{seed}.json", made)


def stage(split: str, miou: float, mark: str | None = None, **numbers: Any) -> dict[str, Any]:
    return {"split": split, "mark": mark, "numbers": {"miou": miou, **numbers}}


def lines(table: str, method: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in table.splitlines()
        if line.startswith(f"| {method} |")
    ]


def test_a_method_that_was_not_run_says_so_in_its_own_part(project):
    record(project, "alpha")
    table = tables(project)["compare:shapes"]
    weak, semi = table.split("**Semi-supervised")
    assert lines(weak, "beta") == [["beta", "–", "tags", "–", "not run", "not run", "–", "–", "–"]]
    assert lines(semi, "semi")[0][2] == "masks of 1322 images, 9260 images without labels"
    assert not lines(weak, "semi") and not lines(semi, "beta")


def test_seeds_are_one_line_with_their_protocol(project):
    record(project, "alpha")
    record(project, "alpha", seed=1)
    table = tables(project)["compare:shapes"]
    assert "| CAM, train | segmentation, val | seeds |" in table
    cells = lines(table, "alpha")
    assert cells == [
        ["alpha", "alpha_shapes", "tags of 240 images", "ResNet-50 (cam, net)", "40.0 ± 0.0 †", "61.0 ± 1.4",
         "0, 1", "3.0 min, x86_64, 2 threads", "01234567-dirty"]
    ]  # fmt: skip
    assert table.count("† selected with pixel labels") == 1


def test_the_brief_table_has_five_columns_and_the_same_numbers(project):
    record(project, "alpha", stages={"eval_cam": stage("train", 0.4), "eval_pseudo": stage("train", 0.5)})
    weak, semi = tables(project)["brief:shapes"].split("**Semi-supervised")
    assert "| method | learns from | pseudo labels, train | seeds |" in weak
    record(project, "alpha", stages={"eval_pseudo": stage("train", 0.5), "val": stage("val", 0.6)})
    record(project, "alpha", seed=1, stages={"eval_pseudo": stage("train", 0.5), "val": stage("val", 0.62)})
    weak, semi = tables(project)["brief:shapes"].split("**Semi-supervised")
    assert "| method | learns from | pseudo labels, train | segmentation, val | seeds |" in weak
    assert "| [Alpha](methods/alpha/README.md) | tags of 240 images | 50.0 ± 0.0 | 61.0 ± 1.4 | 0, 1 |" in weak
    assert "| [beta](methods/beta/README.md) | tags | not run | not run | – |" in weak
    assert "| [semi](methods/semi/README.md) | masks of 1322 images, 9260 images without labels | not run |" in semi


def test_in_the_brief_table_a_control_goes_by_its_name_and_a_reference_links_to_its_recipe(project):
    record(project, "alpha")
    record(project, "alpha", seed=1, recipe="alpha_cam_shapes", digest=None)
    record(project, "supervised", recipe="supervised_shapes_20")
    brief = tables(project)["brief:shapes"]
    assert "| [Alpha](methods/alpha/README.md) |" in brief
    assert "| [alpha_cam_shapes](methods/alpha/README.md) ‡ |" in brief and brief.count(NOTES["‡"]) == 1
    assert "| [supervised_shapes_20](configs/supervised/supervised_shapes_20.py) |" in brief


def test_controls_have_a_table_of_their_own_and_no_line_in_the_brief_one(project):
    record(project, "alpha")
    record(project, "alpha", seed=1, recipe="alpha_shapes_blur")
    made = tables(project)
    assert "alpha_shapes_blur" not in made["brief:shapes"]
    weak, controls = made["compare:shapes"].split("**Weakly supervised: controls and variants**")
    assert "alpha_shapes_blur" not in weak and "| alpha | alpha_shapes |" in weak
    assert "| alpha | alpha_shapes_blur |" in controls.split("**")[0]


def test_a_recipe_is_no_variant_of_one_that_was_not_run(project):
    record(project, "alpha", recipe="alpha_shapes_blur")
    assert "[alpha_shapes_blur](methods/alpha/README.md)" in tables(project)["brief:shapes"]


def test_a_new_folder_of_a_method_is_a_line_of_the_list(project):
    head = "| method | what it does | learns from |\n| --- | --- | --- |\n"
    alpha = "| [Alpha](methods/alpha/README.md) | a walk (A, B, CVPR 2018) | image tags |\n"
    (project / "README.md").write_text("<!-- table:methods -->\n<!-- /table -->\n")
    assert compare(project) == 0
    assert f"{head}{alpha}| [beta](" in (project / "README.md").read_text()
    (project / "methods/gamma").mkdir()
    (project / "methods/gamma/__init__.py").write_text('"""Gamma: more."""\n')
    assert compare(project, check=True) == 1
    assert compare(project) == 0
    text = (project / "README.md").read_text()
    assert "| [Gamma](methods/gamma/README.md) | more | – |" in text
    assert "| [semi](methods/semi/README.md) | – | a few masks, other images without labels |" in text


def test_links_of_a_table_are_relative_to_its_page(project):
    page = project / "docs/list.md"
    page.parent.mkdir()
    page.write_text("<!-- table:methods -->\n<!-- /table -->\n")
    assert compare(project) == 0
    assert "[Alpha](../methods/alpha/README.md)" in page.read_text()


def test_the_best_threshold_is_preferred_and_other_lists_have_their_own_column(project):
    record(project, "alpha")
    record(project, "beta", stages={"eval_cam": stage("train", 0.3), "eval_cam_best": stage("quick", 0.35, "best")})
    table = tables(project)["compare:shapes"]
    assert "| CAM, quick | CAM, train |" in table
    assert lines(table, "beta")[0][4:6] == ["35.0 †", "–"]
    assert lines(table, "alpha")[0][4:6] == ["–", "40.0 †"]


def test_supervision_of_the_run_decides_and_an_old_record_invents_nothing(project):
    record(project, "alpha", supervision={"masks": 30, "images": 240, "uses": ["tags", "saliency"]})
    record(project, "beta", supervision=None, networks=None)
    weak, semi = tables(project)["compare:shapes"].split("**Semi-supervised")
    assert lines(semi, "alpha")[0][2] == "masks of 30 images, tags and saliency of 210 images"
    assert lines(weak, "beta")[0][2:4] == ["not recorded", "not recorded"]


def test_many_networks_are_counted(project):
    record(project, "alpha", networks={f"a{number}": {"backbone": "VGG16"} for number in range(5)})
    assert lines(tables(project)["compare:shapes"], "alpha")[0][3] == "VGG16 (5 networks)"


def test_a_semi_supervised_method_stands_between_its_masks_alone_and_all_masks(project):
    for name, masks, uses in (("full", 240, None), ("semi", 12, []), ("alone", 12, None)):
        record(project, name, supervision={"masks": masks, "images": 240, "uses": uses})
    _, semi = tables(project)["compare:shapes"].split("**Semi-supervised")
    found = [line.split(" | ")[2] for line in semi.splitlines() if "_shapes" in line]
    assert found == [
        "masks of 12 of 240 images",
        "masks of 12 images, 228 images without labels",
        "masks of 240 images",
    ]


def test_a_row_may_name_the_recipe_of_a_reference(project, capsys):
    row = ROW.format(id="alone", stage="val", split="val", value=60.5, depth=101)
    with (project / "methods/semi/expected.toml").open("a") as file:
        file.write(f'{row}recipe = "supervised_shapes"\ndata = "shapes"\nmasks = 12\ntolerance = 1.0\n')
    record(project, "supervised")
    assert "| 60.0 | supervised_shapes |" in tables(project)["expected:semi"]
    assert verify("semi", project) == 0
    assert "ok                alone (shapes val, miou): 60.0, expected 60.5" in capsys.readouterr().out


def test_lists_that_differ_are_not_comparable(project):
    record(project, "alpha")
    record(project, "beta")
    assert "Not comparable" not in tables(project)["compare:shapes"]
    record(project, "beta", data={"name": "shapes", "splits": {"val": "other"}})
    table = tables(project)["compare:shapes"]
    assert "Not comparable: the list `val` holds other images in alpha_shapes / beta_shapes." in table
    record(project, "alpha", seed=1, digest=None, data={"name": "shapes", "splits": {"val": "other"}})
    record(project, "beta")
    assert "in alpha_shapes, beta_shapes / alpha_shapes ‡." in tables(project)["brief:shapes"]


def test_classes_of_the_mean_are_named(project):
    record(project, "alpha", stages={"val": stage("val", 0.5, classes=["background", "cat"])})
    assert "mIoU over background, cat.\n" in tables(project)["compare:shapes"]
    record(project, "beta")
    assert "mIoU over background, cat (alpha_shapes).\n" in tables(project)["compare:shapes"]


def test_paper_others_and_ours(project):
    weak, semi = tables(project)["compare:voc12"].split("**Semi-supervised")
    assert lines(weak, "alpha") == [
        ["alpha", "cam", "ResNet-50", "tags", "train", "miou", "48.3", "–", "not run", "no \\| CRF"],
        ["alpha", "val", "ResNet-50", "tags", "val", "miou", "63.5", "63.0 to 64.4 (2)", "not run", "no \\| CRF"],
    ]
    assert [cells[1] for cells in lines(weak, "beta")] == ["val", "instances"]  # no eval_sure: nothing corresponds
    assert lines(semi, "semi")[0][6:9] == ["74.0", "–", "not run"]
    record(project, "alpha", data={"name": "voc12", "splits": {"val": "v"}})
    assert lines(tables(project)["compare:voc12"], "alpha")[1][8] == "60.0"


def test_tables_reach_the_pages_of_the_docs(project):
    page = project / "docs/compare.md"
    page.parent.mkdir()
    page.write_text("# Compare\n\n<!-- table:compare:shapes -->\n<!-- /table -->\n")
    assert compare(project) == 0
    assert "| alpha | – | tags |" in page.read_text()
    assert compare(project, check=True) == 0


def test_machines_and_commits_of_all_seeds_are_shown():
    runs = [
        {"machine": {"gpu": "H100"}, "seconds": {"a": 60.0, "b": 30.0}, "commit": "aaaabbbbcccc, ddddeeeeffff-dirty"},
        {"machine": {"cpu": "x86_64", "threads": 1}, "seconds": {"a": 600.0}, "commit": "aaaabbbbcccc"},
        {"machine": {"cpu": "x86_64", "threads": 1}, "seconds": {"a": 1200.0}, "commit": "aaaabbbbcccc"},
    ]
    assert whole_runs(runs) == "90.0 s, H100; 15.0 min, x86_64, 1 thread"
    assert commits(runs, digits=4) == "aaaa, dddd-dirty" and commits(runs[1:]) == "aaaabbbbcccc"


def test_supervision_says_its_kind_and_itself():
    assert Supervision().kind == "weak" and str(Supervision()) == "tags"
    assert str(Supervision(images=10582, uses=("tags", "saliency"))) == "tags and saliency of 10582 images"
    assert Supervision(1464, 10582).kind == "semi"
    assert str(Supervision(1464, 10582)) == "masks of 1464 images, tags of 9118 images"
    assert str(Supervision(1464)) == "masks of 1464 images, tags"
    assert str(Supervision(1464, uses=())) == "masks of 1464 images, other images without labels"
    assert str(Supervision(10582, 10582)) == str(Supervision(10582, 10582, None)) == "masks of 10582 images"
    assert str(Supervision(530, 10582, None)) == "masks of 530 of 10582 images"
    assert str(Supervision(530, uses=None)) == "masks of 530 images"


def test_supervision_in_short_counts_nothing():
    assert Supervision().in_short == "image tags" and Supervision(530, uses=None).in_short == "masks"
    assert Supervision(images=10582, uses=("tags", "saliency")).in_short == "image tags and saliency"
    assert Supervision(1464, 10582).in_short == "a few masks, tags of the other images"
    assert Supervision(1322, uses=()).in_short == "a few masks, other images without labels"


def test_backbones_go_by_their_names():
    assert backbone_name({"type": "DilatedResNet", "depth": 101}) == "ResNet-101"
    assert backbone_name({"type": "EfficientNetLite", "name": "lite0"}) == "EfficientNet-Lite0"
    assert backbone_name({"type": "EfficientNetLite"}) == "EfficientNet-Lite0"  # the default of the class
    assert backbone_name({"type": "CaffeResNet"}) == "ResNet-101"  # the title of its base class, its own default
    assert backbone_name({"type": "VGG16FullyConv"}) == "VGG16"


def test_backbones_of_mmseg_go_by_their_class_and_depth():
    assert backbone_name({"type": "Swin"}) == "Swin"
    assert backbone_name({"type": "mmseg.ResNetV1c", "depth": 50}) == "ResNetV1c-50"
    assert backbone_name({}) == "own"


def test_a_method_brings_its_own_title(tmp_path, project, toy_method):
    run = make_run(tmp_path / "runs")
    (project / "configs/toy").mkdir(parents=True)
    (project / "configs/toy/cam_toy.py").write_text(NETWORK)
    backbone = {"_delete_": True, "type": "ToyNet", "size": "small"}
    edit(run / "cam/stage.json", lambda made: made["params"].update(options={"model": {"backbone": backbone}}))
    assert networks(read_run(run), project)["cam"]["backbone"] == "Toy-Small of 8"
    assert backbone_name({"type": "ToyResNet", "depth": 34}, ["methods.toy.model"]) == "ResNet-34"
    assert backbone_name({"type": "ToyNet"}) == "ToyNet"  # nothing says the size


def test_of_two_methods_the_one_that_the_config_imports_is_read(tmp_path, monkeypatch):
    for method in ("one", "two"):
        (tmp_path / method).mkdir()
        (tmp_path / method / "nets.py").write_text(f'class Net(Base):\n    title = "Net {method}"\n')
    monkeypatch.setattr(methods, "__path__", [str(tmp_path)])
    assert backbone_name({"type": "Net"}) == "Net one"
    assert backbone_name({"type": "Net"}, ["methods.two.nets"]) == "Net two"


@pytest.mark.parametrize("title", ["title = NAME", "title = f'Net-{DEPTH}'", "def title(self):\n        return 'Net'"])
def test_a_title_that_must_run_is_refused(tmp_path, monkeypatch, title):
    (tmp_path / "one").mkdir()
    (tmp_path / "one/model.py").write_text(f"class Net(Base):\n    {title}\n")
    monkeypatch.setattr(methods, "__path__", [str(tmp_path)])
    with pytest.raises(UserError, match=r"one/model\.py: the title of Net must be a plain string"):
        backbone_name({"type": "Net"})


def test_titles_are_read_without_torch(toy_method):
    code = "import sys\nfrom common.report.backbones import backbone_name\n"
    code += "assert backbone_name({'type': 'ToyNet', 'size': 's'}) == 'Toy-S of 8' and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_run_with_masks_counts_them(tmp_path, project):
    run = make_run(tmp_path / "runs", masks="train")
    given = supervision(read_run(run))
    assert given == Supervision(6, 6, ("tags",)) and given.kind == "semi"
    (project / "configs/toy").mkdir(parents=True)
    (project / "configs/toy/cam_toy.py").write_text(NETWORK)
    path = write_record(read_run(run), project)
    assert json.loads(path.read_text())["supervision"] == {"masks": 6, "images": 6, "uses": ["tags"]}
    edit(run / "run.json", lambda made: made.update(config="uses = ['saliency']\n"))
    assert supervision(read_run(run)).uses == ("saliency",)
    edit(run / "run.json", lambda made: made.update(config="images = 'val'\n"))
    assert supervision(read_run(run)) == Supervision(6, 3, None)


def test_what_a_run_was_made_with_must_still_be_there(tmp_path, project):
    run = make_run(tmp_path / "runs")
    with pytest.raises(UserError, match=r"No configs/\*/cam_toy\.py is what"):
        networks(read_run(run), project)
    edit(run / "cam/stage.json", lambda made: made["data"]["splits"].update(train="another"))
    with pytest.raises(UserError, match=r"The list 'train' of .* is not the one"):
        supervision(read_run(run))


def test_options_and_inner_networks_are_seen(tmp_path, project):
    run = make_run(tmp_path / "runs")
    (project / "configs/toy").mkdir(parents=True)
    (project / "configs/toy/cam_toy.py").write_text(NETWORK)
    edit(run / "cam/stage.json", lambda made: made["params"].update(options={"model.backbone.depth": 101}))
    assert networks(read_run(run), project)["cam"]["backbone"] == "ResNet-101"
    edit(run / "cam/stage.json", lambda made: made["params"].update(options={"model": {"_delete_": True, **INNER}}))
    assert networks(read_run(run), project)["cam"] == {"config": "cam_toy.py", "backbone": "VGG16", "weights": None}


def edit(path: Path, change: Any) -> None:
    made = json.loads(path.read_text())
    change(made)
    write_json(path, made)


def test_rows_without_counts_are_weak(project):
    rows = read_expected(project / "methods/alpha/expected.toml")
    assert {row.supervision.kind for row in rows} == {"weak"} and rows[0].network == "ResNet-50"
