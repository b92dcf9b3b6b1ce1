"""ICD: golden files of the authors' operators, network and scripts."""

from __future__ import annotations

import random

import numpy as np
import torch
from torch import nn

from common.artifacts import Map, ScoreMap
from common.data.description import VOC_CLASSES
from common.data.tags import xml_tags
from common.models.progress import TrainingProgress
from common.ops.crf import crf_posterior
from common.ops.saliency_labels import SaliencyRule
from common.ops.superpixels import felzenszwalb, merge_superpixels, without_gaps
from common.training.transforms import MeanPadCrop, RandomFlip
from methods.icd.discriminator import IntraClassDiscriminator
from methods.icd.losses import (
    discriminator_target,
    exponential_ramp,
    projection_variance_loss,
    tag_loss,
    topdown_loss,
)
from methods.icd.released import convert_icd
from methods.icd.scores import PaddedCanvas
from methods.icd.seeds import refined_seeds, seed_labels, seed_probabilities
from methods.icd.superpixels import refine_by_superpixel, superpixel_features
from methods.icd.transforms import RandomScaleRounded
from tests.crf_constants import crf_constants
from tests.parity.compare import agree, close, equal, shapes
from tests.parity.fill import image
from tests.parity.networks import blank, filled, images, loaded

Golden = dict[str, np.ndarray]
GREY = {"type": "SegDataPreProcessor", "mean": [127.0] * 3, "std": [1.0] * 3}
SALIENCY = SaliencyRule(salient=3, conflict=0.0, min_salient=0.01)


def tensor(golden: Golden, key: str) -> torch.Tensor:
    """An array of the file; whole numbers as int64."""
    found = torch.from_numpy(golden[key])
    return found if found.is_floating_point() else found.long()


def bottom_up(golden: Golden) -> None:
    """Scores, and the gradient of the loss, which the file sums over the images."""
    features, tags = tensor(golden, "data").requires_grad_(), tensor(golden, "label")
    branch = IntraClassDiscriminator(tags.shape[1], features.shape[1])
    branch.weight.data = tensor(golden, "weight")
    close(branch.project(features), golden["out"], 0, 1e-5, what="scores")
    loss = projection_variance_loss(branch.weight, features, tags, float(golden["grad_scale"]))
    (len(tags) * loss).backward()
    close(branch.weight.grad, golden["grad_weight"], 0, 2e-4, what="gradient of the weight")
    assert features.grad is None, "the loss reaches the features"


def accumulate_sign(golden: Golden) -> None:
    """Steps of a training, then an evaluation of the first scores."""
    scores, cam, tags = (tensor(golden, key) for key in ("score", "cam", "label"))
    branch = IntraClassDiscriminator(tags.shape[2], 3, float(golden["momentum"]))
    for step in range(len(scores)):
        branch.update_sides(scores[step], cam[step], tags[step])
        close(branch.sides, golden["state"][step], 0, 1e-6, what=f"running means after step {step}")
        equal(branch.orient(scores[step]), golden["out"][step], "oriented scores")
    equal(branch.orient(scores[0]), golden["out_eval"], "oriented scores in evaluation")


def superpixel_refine(golden: Golden) -> None:
    """Scores refined by superpixels of any size."""
    found = refine_by_superpixel(*(tensor(golden, key) for key in ("data", "superpixel", "label")))
    close(found, golden["out"], 0, 1e-5, what="refined scores")


def top_down(golden: Golden) -> None:
    """Probabilities, the gradient of the loss, summed over the images, and the warm-up's factors."""
    logits, tags = tensor(golden, "data").requires_grad_(), tensor(golden, "label")
    close(logits.sigmoid(), golden["prob"], 0, 1e-6, what="probabilities")
    (len(tags) * topdown_loss(logits, *discriminator_target(tensor(golden, "score")), tags)).backward()
    close(logits.grad, golden["grad"], 0, 1e-6, what="gradient of the logits")
    ramp = [exponential_ramp(t, int(golden["warmup_total"])) for t in range(len(golden["warmup_scale"]))]
    close(ramp / golden["warmup_scale"], np.ones(len(ramp)), 1e-4, what="factors of the warm-up")


def multi_label_loss(golden: Golden) -> None:
    """The image-level loss, summed over the images."""
    logits, tags = tensor(golden, "logit").requires_grad_(), tensor(golden, "label")
    close(logits.sigmoid(), golden["prob"], 0, 1e-6, what="probabilities")
    (len(tags) * tag_loss(logits[:, :, None, None], tags)).backward()
    close(logits.grad, golden["grad"], 0, 1e-6, what="gradient of the logits")


def network(golden: Golden, named: dict) -> nn.Module:
    """The network with the file's weights."""
    backbone = {"type": "VGG16BeforePool"}
    model = blank({"type": "DiscriminatorNetwork", "backbone": backbone, "num_classes": 20}, GREY)
    state = convert_icd(filled(named, golden))
    own = model.state_dict()
    state["norm.num_batches_tracked"] = torch.tensor(0)
    state["directed"] = torch.ones(20, dtype=torch.bool)
    assert set(state) == set(own)
    model = loaded(model, state)
    return model.requires_grad_(False).requires_grad_(True)


def network_eval(golden: Golden) -> None:
    """Maps of the inference network."""
    model = network(golden, shapes(golden))
    x = model.normalize(images(golden["image_size"], *golden["image_seeds"]))
    tags = tensor(golden, "label")
    with torch.no_grad():
        cam, features = model.raw_cam(x), model.norm(model.backbone(x)[0])
        scores = model.bottom_up(features, cam, tags)
        close(cam, golden["cam"], 0, 1e-4, what="CAM")
        close(scores, golden["bottom_up"], 0, 1e-4, what="oriented scores")
        refined = refine_by_superpixel(scores, tensor(golden, "superpixel"), tags)
        close(refined, golden["bottom_up_refined"], 0, 1e-4, what="refined scores")
        close(model.responses(x), golden["top_down"], 0, 1e-4, what="top-down logits")


def network_train(golden: Golden) -> None:
    """One training pass without dropout: losses' gradients, statistics of the normalisation, the signs."""
    from mmengine.structures import PixelData
    from mmseg.structures import SegDataSample

    model = network(golden, authors_shapes())
    model.discriminator.sides.zero_()  # the file's live store starts at zero
    model.norm.weight.requires_grad_(False)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    model.train()
    tags, seen = tensor(golden, "label"), {}
    samples = []
    for own, segments in zip(tags, tensor(golden, "superpixel"), strict=True):
        sample = SegDataSample(segments=PixelData(data=segments[None]))
        sample.set_field(own, "tags")
        samples.append(sample)
    model.warmup_steps, model.progress = int(golden["warmup_total"]), TrainingProgress(0, 1000, 0, 1)
    for name in ("cam_branch", "top_down"):
        model.get_submodule(name).register_forward_hook(lambda _, __, y, name=name: seen.update({name: y.detach()}))
    inner = model.bottom_up
    model.bottom_up = lambda *given: seen.setdefault("scores", inner(*given))
    x = model.normalize(images(golden["image_size"], *golden["image_seeds"]))
    losses = model.loss(x, samples)
    present = np.nonzero(golden["label"])
    close(seen["cam_branch"].mean(dim=(2, 3)).sigmoid(), golden["cls_prob"], 0, 2e-4, what="class probabilities")
    close(seen["scores"][present], golden["bottom_up"][present], 0, 2e-4, what="oriented scores")
    close(seen["top_down"].sigmoid(), golden["top_down_prob"], 0, 2e-4, what="top-down probabilities")
    close(model.norm.running_mean, golden["bn_mean_after"], 2e-4, 2e-4, what="running mean")
    count = x.shape[0] * seen["scores"][0, 0].numel()
    before = filled(authors_shapes(), golden)["feat_bn_moving_var"]
    batch = (model.norm.running_var - 0.9 * before) * (count - 1) / count  # torch's is unbiased, the authors' biased
    close(0.9 * before + batch, golden["bn_var_after"], 2e-4, 2e-4, what="running variance")
    rows = np.flatnonzero(golden["label"].any(axis=0))
    close(model.discriminator.sides[rows], golden["sign_state_after"][rows], 0, 2e-4, what="running means of the CAM")
    (len(tags) * sum(losses.values())).backward()
    check_gradients(model, golden, rows)


def check_gradients(model: nn.Module, golden: Golden, rows: np.ndarray) -> None:
    """All norms, and the parts that the file holds."""
    named = [key for key in golden["grad_names"].tolist() if key != "feat_bn_gamma"]  # fixed at 1
    ours = {theirs: name for name, theirs in convert_icd({key: key for key in named}).items()}
    grads = {key: dict(model.named_parameters())[name].grad for key, name in ours.items()}
    wanted = dict(zip(golden["grad_names"].tolist(), golden["grad_norms"].tolist(), strict=True))
    norms = [float(grads[key].double().norm()) / wanted[key] for key in named]
    close(norms, np.ones(len(norms)), 2e-3, what="relative gradient norms")
    close(grads["fc8_weight"][:, ::16], golden["grad_fc8_weight"], 2e-3, what="gradient of fc8")
    close(grads["fc8_bias"], golden["grad_fc8_bias"], 2e-3, what="gradient of fc8's bias")
    close(grads["conv_ft_weight"][rows], golden["grad_conv_ft_weight"], 2e-3, what="gradient of the top-down layer")
    close(grads["icd_bu_weight"][rows], golden["grad_icd_bu_weight"], 0, 5e-4, what="gradient of the directions")
    close(grads["conv1_1_weight"], golden["grad_conv1_1_weight"], 2e-3, what="gradient of conv1_1")
    close(grads["conv5_3_weight"][::64, ::64], golden["grad_conv5_3_weight"], 2e-3, what="gradient of conv5_3")
    close(grads["feat_bn_beta"], golden["grad_feat_bn_beta"], 2e-3, what="gradient of the norm's shift")


def authors_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the authors' parameters for 20 classes."""
    widths = {1: (64, 64), 2: (128, 128), 3: (256,) * 3, 4: (512,) * 3, 5: (512,) * 3}
    named: dict[str, tuple[int, ...]] = {}
    channels = 3
    for stage, layers in widths.items():
        for number, width in enumerate(layers, 1):
            named |= {f"conv{stage}_{number}_weight": (width, channels, 3, 3), f"conv{stage}_{number}_bias": (width,)}
            channels = width
    for end in ("", "_ft"):
        named |= {f"fc6{end}_weight": (1024, 512, 3, 3), f"fc6{end}_bias": (1024,)}
        named |= {f"fc7{end}_weight": (1024, 1024, 1, 1), f"fc7{end}_bias": (1024,)}
    named |= {"fc8_weight": (20, 1024, 1, 1), "fc8_bias": (20,), "conv_ft_weight": (20, 2560, 1, 1)}
    named |= {f"feat_bn_{name}": (512,) for name in ("beta", "moving_mean", "moving_var")}
    return named | {"icd_bu_weight": (20, 512), "icd_accum_resign_moving_mean": (20, 2)}


def felzenszwalb_file(golden: Golden) -> None:
    """The partition of the authors' C++ program, with its numbers."""
    sigma = round(float(golden["sigma"]), 6)
    found = felzenszwalb(golden["image"], float(golden["k"]), int(golden["min_size"]), sigma)
    equal(found, golden["segments"], "superpixels")


def superpixel_merge(golden: Golden) -> None:
    """Features of superpixels on a canvas, and the merged superpixels."""
    features = superpixel_features(golden["feature"], golden["superpixel"], int(golden["infer_size"]))
    close(features, golden["superpixel_feature"], 0, 1e-5, what="features")
    merged = merge_superpixels(golden["superpixel"], features, int(golden["max_count"]))
    equal(merged, golden["merged"], "merged superpixels")


def loader(golden: Golden) -> None:
    """Scaled, mirrored and padded images and superpixels; the authors number these anew."""
    height, width = map(int, golden["image_size"])
    for number in range(sum(key.startswith("args_") for key in golden)):
        scale, mirrored, size = golden[f"args_{number}"].tolist()
        results = {
            "img": image(height, width, int(golden["image_seed"])),
            "maps": {"segments": Map(golden["superpixel"], -1)},
            "rng": random.Random(0),
        }
        for step in (
            RandomScaleRounded((scale,)),
            RandomFlip(mirrored),
            MeanPadCrop(int(size), (127, 127, 127)),
        ):
            results = step(results)
        equal(results["img"], golden[f"image_{number}"], f"image {number}")
        found, wanted = results["maps"]["segments"].values, golden[f"superpixel_{number}"]
        equal(partition(found), partition(wanted), f"superpixels {number}")


def partition(segments: np.ndarray) -> np.ndarray:
    """The first pixel of the region that each pixel belongs to."""
    _, first, found = np.unique(segments, return_index=True, return_inverse=True)
    return without_gaps(first[found].reshape(segments.shape))


def seed(golden: Golden) -> None:
    """Tags of the annotation, seeds without and with saliency, and the CRF."""
    height, width = size = tuple(map(int, golden["image_size"]))
    pixels, keys = image(height, width, int(golden["image_seed"])), golden["label"] + 1
    tags = xml_tags(annotation(golden), VOC_CLASSES, difficult=False)
    equal([VOC_CLASSES.index(name) for name in tags], keys, "tags")
    frame = PaddedCanvas(int(golden["infer_size"]))
    responses, cam = (ScoreMap(keys, golden[key], size, frame).full() for key in ("top_down", "cam"))
    labels = seed_labels(responses, cam, keys)
    agree(labels, golden["seed"], 0.999, "seeds")
    salient = seed_labels(responses, cam, keys, golden["saliency"], SALIENCY)
    agree(salient, golden["seed_saliency"], 0.999, "seeds with saliency")
    crf = crf_constants()["psa"]
    probabilities = seed_probabilities(labels, 21, 0.5)
    for value in np.unique(-np.log(probabilities)):
        assert np.abs(golden["unary_values"] - value).min() < 1e-5, "energies of the labels"
    posterior = crf_posterior(pixels, probabilities, crf)
    close(posterior[[0, *keys]], golden["crf_prob"], 0, 2e-2, what="probabilities after the CRF")
    agree(refined_seeds(pixels, labels, 21, crf), golden["seed_crf"], 0.995, "seeds after the CRF")


def annotation(golden: Golden) -> bytes:
    """The XML of the file's objects, whose classes it counts from 0, without the background."""
    objects = "".join(
        f"<object><name>{VOC_CLASSES[number + 1]}</name><difficult>{difficult}</difficult></object>"
        for number, difficult in zip(golden["object_class"], golden["difficult"], strict=True)
    )
    return f"<annotation>{objects}</annotation>".encode()


CASES = {
    "accumulate_sign": accumulate_sign,
    "bottom_up": bottom_up,
    "felzenszwalb": felzenszwalb_file,
    "loader": loader,
    "multi_label_loss": multi_label_loss,
    "network_eval": network_eval,
    "network_train": network_train,
    "seed": seed,
    "superpixel_merge": superpixel_merge,
    "superpixel_refine": superpixel_refine,
    "top_down": top_down,
}
