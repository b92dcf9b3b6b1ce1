"""AffinityNet: golden files of the authors' code (jiwoon-ahn/psa) and the public functions they are compared with."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from common.artifacts import CAM, Map
from common.base.constants import IMAGENET_MEAN, IMAGENET_STD
from common.inference.cam import multi_scale_cams
from common.ops.affinity import PairSet
from common.ops.cam import Normalisation, argmax_with_background, background_score, merge_cams, with_background
from common.ops.crf import crf_posterior
from common.ops.crop import crop_into, draw_crop_box
from common.ops.random_walk import transition_matrix
from common.ops.resize import pool, upsample
from common.training.poly_sgd import PolySGD
from common.training.transforms import RandomCrop, RandomFlip, ResizeLong
from methods.affinitynet.labels import MergeScores, Walk, score_volume
from tests.crf_constants import crf_constants
from tests.parity.affinitynet.backbone_cases import CASES as BACKBONE_CASES
from tests.parity.affinitynet.network_cases import CASES as NETWORK_CASES
from tests.parity.compare import agree, close, equal

Golden = dict[str, np.ndarray]
MEAN, STD = np.float32(IMAGENET_MEAN), np.float32(IMAGENET_STD)


def pair_indices(golden: Golden) -> None:
    """Cells of all pairs, per case of radius and grid."""
    for key in (key for key in golden if key.endswith("_radius_h_w")):
        name, (radius, height, width) = key.removesuffix("_radius_h_w"), golden[key].tolist()
        pairs = PairSet(radius)
        equal(pairs.sources(height, width), golden[f"{name}_from"], f"{name}_from")
        equal(pairs.destinations(height, width), golden[f"{name}_to"], f"{name}_to")
    for key in (key for key in golden if key.startswith("offsets_dy_dx_radius")):
        equal(PairSet(int(key.removeprefix("offsets_dy_dx_radius"))).offsets, golden[key], key)


def pair_indices_56(golden: Golden) -> None:
    """The grid of training: sources, and a summary of the destinations."""
    radius, height, width = golden["radius_h_w"].tolist()
    destinations = PairSet(radius).destinations(height, width)
    equal(PairSet(radius).sources(height, width), golden["index_from"], "sources")
    equal(destinations[:, [0, -1]], golden["index_to_first_last_column"], "first and last destination")
    equal(destinations.sum(dim=1), golden["index_to_sum_per_offset"], "sum of the destinations")


def affinity_labels(golden: Golden, label: np.ndarray | None = None) -> None:
    """Pair labels of a label map."""
    pairs = PairSet(int(golden["radius"])).labels(golden["label"] if label is None else label)
    for name, found in zip(("bg_pos", "fg_pos", "neg"), pairs, strict=True):
        equal(found, golden[name], name)


def aff_dataset_item(golden: Golden) -> None:
    """A training item: crop, mirror image, label map, pair labels."""
    crop, seed = int(golden["crop"]), int(golden["python_random_seed"])
    box = draw_crop_box(random.Random(seed), golden["image"].shape, crop)
    equal(box, golden["box_ct_cb_cl_cr_it_ib_il_ir"], "crop box")
    results = {
        "rng": random.Random(seed),
        "img": golden["image"],
        "maps": {name: Map(golden[f"crf_{name}_alpha"].transpose(1, 2, 0)) for name in ("low", "high")},
    }
    stride = crop // len(golden["label_map"])
    for transform in (RandomCrop(crop, pad=(0, 0, 0)), RandomFlip(), MergeScores(stride)):
        results = transform(results)
    image = (results["img"] - MEAN) / STD
    close(image.transpose(2, 0, 1), golden["out_image"], 0, 1e-5, what="image")
    label = results["maps"]["gt_sem_seg"].values
    equal(label, golden["label_map"], "label map")
    affinity_labels(golden, label)


def random_crop(golden: Golden) -> None:
    """Boxes by seed, and one crop of an array."""
    for height, width, crop, seed, *box in golden["h_w_crop_seed_box"].tolist():
        equal(draw_crop_box(random.Random(seed), (height, width), crop), box, f"box of seed {seed}")
    for key in (key for key in golden if key.startswith("random_crop")):
        crop, seed = map(int, key.removeprefix("random_crop").split("_seed"))
        box = draw_crop_box(random.Random(seed), golden["in"].shape, crop)
        equal(crop_into(golden["in"], box, crop, 0), golden[key], key)


def resize_long(golden: Golden) -> None:
    """Sizes by seed, and one resized image."""
    for width, height, low, high, seed, *size in golden["w_h_lo_hi_seed_outw_outh"].tolist():
        blank = np.zeros((height, width, 3), np.uint8)
        resized = ResizeLong(low, high)({"img": blank, "rng": random.Random(seed)})["img"]
        equal(resized.shape[1::-1], size, f"size of seed {seed}")
        if f"seed{seed}_in" in golden and golden[f"seed{seed}_in"].shape == blank.shape:
            resized = ResizeLong(low, high)({"img": golden[f"seed{seed}_in"], "rng": random.Random(seed)})["img"]
            close(resized, golden[f"seed{seed}_out"], 0, 1, what=f"image of seed {seed}")


class Recorder:
    """A classifier that keeps what it is asked for."""

    def __init__(self) -> None:
        self.inputs: list[Tensor] = []

    def normalize(self, images: Tensor) -> Tensor:
        """RGB in 0..255, [B, 3, H, W]."""
        return (images - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]

    def cam(self, x: Tensor) -> Tensor:
        """The input itself."""
        self.inputs += x
        return x


def multi_scale_list(golden: Golden) -> None:
    """The inputs of CAM inference: scales, each followed by its mirror image."""
    recorder = Recorder()
    multi_scale_cams(recorder, [golden["image"]], golden["scales"].tolist())
    for number, x in enumerate(recorder.inputs):
        close(x, golden[f"item{number}"], 0, 0.02, what=f"item{number}")
    assert f"item{len(recorder.inputs)}" not in golden


def cam_postproc(golden: Golden) -> None:
    """Merged CAMs, quick prediction, background scores and both score volumes."""
    check_volumes(merged_cam(golden), golden)


def merged_cam(golden: Golden, normalisation: Normalisation = "class_max", constant: float = 0.2) -> CAM:
    """The CAM of eight inputs, and its prediction over a constant background."""
    size, keys = tuple(golden["image_hw"].tolist()), golden["class_ids"] + 1
    items = [torch.from_numpy(golden[f"cam_item{i}"]) for i in range(sum(key.startswith("cam_item") for key in golden))]
    maps = [upright + mirrored.flip(-1) for upright, mirrored in zip(items[::2], items[1::2], strict=True)]
    cam = merge_cams(maps, size, np.arange(1, len(keys) + 1), normalisation=normalisation)
    close(cam, golden["norm_cam"], 1e-5, what="merged CAM")
    prediction = np.append(0, keys)[argmax_with_background(torch.from_numpy(cam), constant)]
    equal(prediction, golden["pred"], "prediction")
    return CAM(keys, cam, size, stride=1)


def check_volumes(cam: CAM, golden: Golden) -> None:
    """Background scores and score volumes of both alphas."""
    alphas = golden["alphas"].tolist()
    volume = score_volume(cam, golden["image"], *alphas, crf_constants()["psa"])
    for alpha, scores in zip(alphas, (volume.low, volume.high), strict=True):
        background = background_score(torch.from_numpy(cam.maps), alpha)
        close(background, golden[f"bg_score_alpha{alpha}"], 1e-5, what=f"background, alpha {alpha}")
        equal(np.append(0, volume.keys), golden[f"crf_alpha{alpha}_keys"], "keys")
        close(scores, golden[f"crf_alpha{alpha}"], 0, 1e-3, what=f"CRF, alpha {alpha}")


def crf(golden: Golden) -> None:
    """The CRF on scores."""
    params = replace(crf_constants()["psa"], iterations=int(golden["t"])).shrunk(float(golden["scale_factor"]))
    close(crf_posterior(golden["image"], golden["scores"], params), golden["out"], 0, 1e-3, what="posterior")


def random_walk(golden: Golden) -> None:
    """Pooled scores, transition matrix and its power, walked scores, labels."""
    size, grid = tuple(golden["image_hw"].tolist()), golden["grid_hw"].tolist()
    walk = Walk(*(golden[key].item() for key in ("alpha", "beta", "log2_steps", "radius")))
    stride, offsets = -(-size[0] // grid[0]), PairSet(walk.radius).points
    affinity = PairSet(walk.radius).stencil(torch.from_numpy(golden["aff"]), *grid)
    pooled = pool(with_background(torch.from_numpy(golden["cam"]), walk.alpha), stride)
    close(pooled, golden["pooled_scores"], 1e-5, what="pooled scores")
    matrix = transition_matrix(affinity.pow(walk.beta), offsets)
    close(matrix, golden["transition_one_step"], 1e-5, what="transition matrix")
    if "transition_power" in golden:
        power = torch.linalg.matrix_power(matrix, 2**walk.logt)
        close(power, golden["transition_power"], 1e-4, what="power of the transition matrix")
    walked = walk(pooled, affinity)
    close(walked, golden["walked"], 1e-4, what="walked scores")
    labels = np.append(0, golden["class_ids"] + 1)[upsample(walked, size, stride).argmax(dim=0)]
    agree(labels, golden["label"], 0.9999, "labels")


def poly_optimizer(golden: Golden) -> None:
    """Parameters and learning rates of four groups, beyond the last step too."""
    parameters = [torch.nn.Parameter(torch.from_numpy(row.copy())) for row in golden["init"]]
    rates, decays = golden["lrs"][0].tolist(), golden["weight_decay_per_group"].tolist()
    groups = [{"params": [p], "lr": lr, "weight_decay": d} for p, lr, d in zip(parameters, rates, decays, strict=True)]
    momentum = float(golden["momentum_in_effect"][0])
    optimizer = PolySGD(groups, float(golden["lr"]), int(golden["max_step"]), momentum=momentum)
    for step, gradients in enumerate(golden["grads"]):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = torch.from_numpy(gradient.copy())
        optimizer.step()
        close([group["lr"] for group in optimizer.param_groups], golden["lrs"][step], 1e-5, what=f"lr of step {step}")
        close(torch.stack(list(parameters)), golden["trajectory"][step], 1e-5, what=f"parameters after step {step}")


CASES = {
    **BACKBONE_CASES,
    **NETWORK_CASES,
    "aff_dataset_item": aff_dataset_item,
    "affinity_labels": affinity_labels,
    "cam_postproc": cam_postproc,
    "crf": crf,
    "multi_scale_list": multi_scale_list,
    "pair_indices": pair_indices,
    "pair_indices_56": pair_indices_56,
    "poly_optimizer": poly_optimizer,
    "random_crop": random_crop,
    "random_walk": random_walk,
    "resize_long": resize_long,
}
