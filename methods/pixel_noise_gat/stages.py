"""Pixel-noise GAT's stages: noise detection, graphs, the graph network, corrected labels, and the controls' labels."""

# No `from __future__ import annotations` here: the pipeline reads the annotations of these functions.

from typing import Annotated, Any

import numpy as np

from common.artifacts import IdMaps, Labels, Scores, Weights
from common.base.constants import IGNORE
from common.base.errors import UserError
from common.base.progress import Progress
from common.data.dataset import DataSet
from common.metrics.confusion import class_ids, mean, plain
from common.pipeline import (
    Count,
    Image,
    PerImage,
    Positive,
    Range,
    Run,
    Scales,
    Unit,
    checked_by,
    evaluation,
    per_image,
)
from methods.pixel_noise_gat.graphs import Graph, Graphs
from methods.pixel_noise_gat.judged import JudgedLabel, JudgedLabels
from methods.pixel_noise_gat.rules import GATRule, SmallLoss

Taps = Annotated[tuple[int, ...], Range(0)]


def judge_labels(run: Run, labels: Labels, weights: Weights, scales: Scales = (1.0,)) -> PerImage[JudgedLabels]:
    """The labels as they are, with the cross entropy that the clean model has on each.

    scales: at which it sees a photo, without the mirror image; logits are averaged.
    """
    from methods.pixel_noise_gat.noise import label_losses

    logits = _logits(run, weights, scales)

    def judged(image: Image) -> JudgedLabel:
        noisy = labels.read(image.id)
        return JudgedLabel(noisy, label_losses(logits(image), noisy))

    return per_image(judged)


def _one_for_each_class(data: DataSet, select: SmallLoss) -> None:
    select.of_classes(data.num_classes)


@checked_by(_one_for_each_class)
def thresholds(run: Run, labels: JudgedLabels, select: SmallLoss) -> Scores:
    """The largest loss of a clean pixel of each class; see `methods.pixel_noise_gat.selection`.

    The numbers: the `share` of clean pixels, `thresholds` in the order of the classes (-1: the class has no pixel), and
    the share of each class's pixels that is `kept`.
    """
    from methods.pixel_noise_gat.selection import class_levels, kept, largest_losses

    ids, levels = labels.ids(), 0
    with Progress(len(ids), run.out.name) as progress:
        for image_id in ids:
            value = labels.read(image_id)
            levels = levels + class_levels(value.label, value.loss, run.data.num_classes)
            progress.step()
    largest = largest_losses(select, levels)
    counts, clean = levels.sum(axis=1), kept(levels, largest)
    return {
        "share": plain(clean.sum() / max(counts.sum(), 1)),
        "thresholds": largest.tolist(),
        "kept": _by_class(run, clean / np.where(counts, counts, np.nan)),
    }


def small_loss(run: Run, labels: JudgedLabels, thresholds: Scores) -> PerImage[Labels]:
    """The labels of the clean pixels; the others are open (255)."""
    from methods.pixel_noise_gat.selection import clean_label

    largest = thresholds.number("thresholds")
    return per_image(lambda image: clean_label(labels.read(image.id), largest))


@evaluation
def eval_small_loss(
    run: Run, labels: JudgedLabels, thresholds: Scores, split: str, classes: tuple[str, ...] | None = None
) -> Scores:
    """Precision of the clean pixels against the masks, and their share of all, of each class of the noisy label.

    classes: `precision`, `coverage` and `noisy_precision`, of all pixels, are means over these; None: over all. Curves:
    both over other shares that are kept of each class, and over other taus.
    """
    from methods.pixel_noise_gat.selection import class_levels, precision_and_coverage, sweep

    count, ids = run.data.num_classes, run.data.ids(split)
    right = total = 0
    with Progress(len(ids), run.out.name) as progress:
        for image_id in ids:
            value, mask = labels.read(image_id), run.data.mask(image_id)
            known = np.where(mask == run.data.ignore_index, IGNORE, value.label)
            total = total + class_levels(known, value.loss, count)
            right = right + class_levels(np.where(mask == value.label, known, IGNORE), value.loss, count)
            progress.step()
    chosen = list(range(count)) if classes is None else class_ids(run.data.classes, classes)
    precision, coverage = precision_and_coverage(right, total, np.array(thresholds.number("thresholds")))
    noisy, _ = precision_and_coverage(right, total, np.full(count, np.inf))
    return {
        "precision": plain(mean(precision[chosen])),
        "coverage": plain(mean(coverage[chosen])),
        "noisy_precision": plain(mean(noisy[chosen])),
        "class_precision": _by_class(run, precision),
        "class_coverage": _by_class(run, coverage),
        "class_noisy_precision": _by_class(run, noisy),
        "curves": sweep(right, total, chosen),
        "images": len(ids),
    }


def graphs(
    run: Run,
    labels: Labels,
    superpixels: IdMaps,
    weights: Weights,
    split: str,
    taps: Taps,
    k: Count,
    similar: Annotated[float, Range(-1, 1)],
    min_fraction: Unit,
    width: Count | None = None,
    scale: Positive = 1.0,
    longest: Count | None = None,
    strong: str | None = None,
    halves: list[Weights] | None = None,
) -> PerImage[Graphs]:
    """The graph of every photo: features of its superpixels, edges in both directions, labels of the nodes.

    Args:
        labels: of the clean pixels, 255 elsewhere; they vote for the labels of the nodes.
        superpixels: of all images.
        weights: the clean model, whose maps are the features.
        split: the images, the strong ones among them.
        taps, width, scale, longest: of `methods.pixel_noise_gat.features.seen`.
        k, similar: nodes are joined to the k most similar ones from this cosine on, besides their neighbours.
        min_fraction: the least share of clean pixels of a labelled node.
        strong: a list of images with masks, which vote for their nodes; None: there are none.
        halves: networks that learned from one half of `strong` each (`HalfDataset`, 0 and 1). A strong photo's features
            come from the one that has not seen it: from the clean model they would be of what it knows by heart.
    """
    from common.checkpoints.networks import load_model
    from common.ops.superpixels import region_adjacency
    from methods.pixel_noise_gat.edges import both_ways, similarity_edges
    from methods.pixel_noise_gat.features import colours_and_places, seen
    from methods.pixel_noise_gat.noise import node_labels, node_votes

    if (strong is None) != (halves is None) or (halves and len(halves) != 2):
        raise UserError("strong and halves belong together: name a list, and the two networks of its halves.")
    listed = [] if strong is None else run.data.ids(strong)
    models = [load_model(each.file, each.config, run.device) for each in (weights, *(halves or ()))]
    unseen = {image_id: models[1 + (place + 1) % 2] for place, image_id in enumerate(listed)}

    def graph(image: Image) -> Graph:
        segments, own = superpixels.read(image.id), image.id in unseen
        model = unseen[image.id] if own else models[0]
        deep = seen(model, image.pixels, segments, taps, width, scale, longest)
        plain_features = colours_and_places(image.pixels, segments)
        joined = [region_adjacency(segments), similarity_edges(deep, k, similar)]
        truth = _mask(run, image) if own else labels.read(image.id)
        votes = node_votes(truth, segments, run.data.num_classes)
        return Graph(
            np.concatenate([deep, plain_features], axis=1),
            both_ways(np.concatenate(joined, axis=1), len(deep)),
            node_labels(votes, segments, min_fraction),
            plain_features[:, 3:],
        )

    return per_image(graph, split=split)


def fit_gat(run: Run, graphs: Graphs, gat: GATRule) -> Weights:
    """One graph attention network for all graphs; it learns from the labelled nodes."""
    from common.checkpoints.files import plain_state_dict
    from common.checkpoints.networks import save_network
    from methods.pixel_noise_gat.fit import fit

    model = fit(run, graphs, gat)
    kind = {"features": model.conv1.in_channels, "classes": model.conv2.out_channels}
    kind |= {"channels": gat.channels, "heads": gat.heads, "dropout": gat.dropout}
    config = {
        "custom_imports": {"imports": ["methods.pixel_noise_gat.gat"], "allow_failed_imports": False},
        "model": {"type": "CorrectionGAT", **kind},
    }
    save_network(run.out, config, plain_state_dict(model))


def correct(
    run: Run, noisy: Labels, clean: Labels, superpixels: IdMaps, graphs: Graphs, weights: Weights
) -> PerImage[Labels]:
    """What the graph network says of each superpixel, painted; clean pixels keep their noisy label.

    Classes that are no tag of the image cannot win. A photo without a labelled node keeps its noisy label.
    """
    import torch

    from common.checkpoints.networks import load_model
    from methods.pixel_noise_gat.gat import batched, best_classes
    from methods.pixel_noise_gat.noise import keep_clean

    model = load_model(weights.file, weights.config, run.device)

    @torch.no_grad()
    def corrected(image: Image) -> np.ndarray:
        graph = graphs.read(image.id)
        if (graph.labels == IGNORE).all():
            return noisy.read(image.id)
        features, edges, _ = batched([graph], run.device)
        painted = best_classes(model(features, edges), (0, *image.tags))[superpixels.read(image.id)]
        return keep_clean(painted, clean.read(image.id))

    return per_image(corrected)


def own_labels(run: Run, weights: Weights, split: str, scales: Scales = (1.0,)) -> PerImage[Labels]:
    """A control: the clean model's own arg-max among the background and the tags, no graph and no noisy label."""
    logits = _logits(run, weights, scales)

    def label(image: Image) -> np.ndarray:
        known = np.array([0, *image.tags])
        return known[logits(image)[known].argmax(dim=0).cpu().numpy()].astype(np.uint8)

    return per_image(label, split=split)


def vote_labels(run: Run, noisy: Labels, clean: Labels, superpixels: IdMaps) -> PerImage[Labels]:
    """A control: every superpixel takes the most voted class of its clean pixels, no graph.

    Clean pixels keep their label; a superpixel without one keeps its noisy labels.
    """
    from methods.pixel_noise_gat.noise import keep_clean, node_labels, node_votes

    def label(image: Image) -> np.ndarray:
        segments, own = superpixels.read(image.id), clean.read(image.id)
        voted = node_labels(node_votes(own, segments, run.data.num_classes), segments, 0.0)[segments]
        return keep_clean(np.where(voted == IGNORE, noisy.read(image.id), voted), own)

    return per_image(label)


def _logits(run: Run, weights: Weights, scales: tuple[float, ...]) -> Any:
    """From an `Image` to the logits of a segmentor at its size, float32 [C, h, w]."""
    from common.checkpoints.networks import load_model
    from common.inference.segmentation import multi_scale_logits

    model = load_model(weights.file, weights.config, run.device)
    return lambda image: multi_scale_logits(model, image.pixels, scales, flip=False)


def _mask(run: Run, image: Image) -> np.ndarray:
    mask = run.data.mask(image.id)
    return np.where(mask == run.data.ignore_index, IGNORE, mask)


def _by_class(run: Run, values: np.ndarray) -> dict[str, float | None]:
    return {name: plain(value) for name, value in zip(run.data.classes, values, strict=True)}
