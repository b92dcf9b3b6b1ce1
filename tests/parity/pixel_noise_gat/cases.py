"""Pixel-noise GAT: golden files made from the paper's description, and the public functions they are compared with."""

from __future__ import annotations

import numpy as np
import torch

from common.base.constants import IGNORE
from common.ops.losses import pixel_cross_entropy
from common.ops.superpixels import region_adjacency, slic, unit_vectors
from methods.pixel_noise_gat.edges import both_ways, similarity_edges
from methods.pixel_noise_gat.features import colours_and_places, upsampled_means
from methods.pixel_noise_gat.gat import CorrectionGAT, attention_layer, best_classes
from methods.pixel_noise_gat.judged import JudgedLabel
from methods.pixel_noise_gat.noise import label_losses, node_labels, node_votes
from methods.pixel_noise_gat.rules import SmallLoss
from methods.pixel_noise_gat.selection import clean_label, largest_losses
from tests.parity.compare import close, equal

Golden = dict[str, np.ndarray]


@torch.no_grad()
def gat_layer(golden: Golden) -> None:
    """The library's layer: its output, the edges with loops, the attention of each edge."""
    x, edges = torch.from_numpy(golden["x"]), torch.from_numpy(golden["edge_index"])
    heads, concat = int(golden["heads"]), bool(golden["concat"])
    layer = attention_layer(x.shape[1], golden["att_src"].shape[2], heads, concat, dropout=0.6).eval()
    close(layer.negative_slope, golden["negative_slope"], 1e-6, what="slope")
    names = {"lin.weight": "weight", **{name: name for name in ("att_src", "att_dst", "bias")}}
    layer.load_state_dict({ours: torch.from_numpy(golden[theirs]) for ours, theirs in names.items()}, strict=True)
    out, (looped, attention) = layer(x, edges, return_attention_weights=True)
    close(out, golden["out"], 1e-5, what="output")
    equal(looped, golden["edge_index_with_loops"], "edges with loops")
    close(attention, golden["attention"], 1e-5, what="attention")


def gat_network(golden: Golden) -> None:
    """Both layers without dropout, the loss of the labelled nodes, all gradients; then the photo's classes alone."""
    features, edges = torch.from_numpy(golden["features"]), torch.from_numpy(golden["edge_index"])
    heads, channels = golden["param_conv1.att_src"].shape[1:]
    model = CorrectionGAT(features.shape[1], golden["logits"].shape[1], channels, heads, dropout=0.6).eval()
    prefix = "param_"
    own = {key.removeprefix(prefix): torch.from_numpy(golden[key]) for key in golden if key.startswith(prefix)}
    model.load_state_dict(own, strict=True)
    logits = model(features, edges)
    close(logits, golden["logits"], 1e-5, what="logits")
    loss = pixel_cross_entropy(logits, torch.from_numpy(golden["node_label"]))
    close(loss, golden["loss"], 1e-5, what="loss")
    loss.backward()
    for name, parameter in model.named_parameters():
        close(parameter.grad, golden[f"grad_{name}"], 1e-5, atol=1e-8, what=f"gradient of {name}")
    best = best_classes(logits, golden["present"].tolist())
    equal(best, golden["node_prediction"], "classes of the nodes")
    equal(best[golden["segments"]], golden["label_map"], "label map")


def noise_detection(golden: Golden) -> None:
    """Losses and the clean mask, from them and from what is stored of them; votes and labels of the nodes."""
    noisy, segments = golden["noisy_label"], golden["segments"]
    losses = label_losses(torch.from_numpy(golden["clean_model_logits"]), noisy)
    close(losses, golden["cross_entropy"], 1e-5, what="losses")
    classes = golden["node_votes"].shape[1]
    largest = largest_losses(SmallLoss(tau=float(golden["tau"])), np.zeros((classes, 1)))
    for stored in (losses, losses.astype(np.float16).astype(np.float32)):
        clean = clean_label(JudgedLabel(noisy, stored), largest)
        equal(clean != IGNORE, golden["clean_mask"], "clean pixels")
    votes = node_votes(clean, segments, classes)
    equal(votes, golden["node_votes"], "votes")
    labels = node_labels(votes, segments, float(golden["min_clean_fraction"]))
    equal(labels, golden["node_label"], "labels of the nodes")


def superpixel_graph(golden: Golden) -> None:
    """Superpixels of the library, means, centres, neighbours, edges between similar nodes, all edges."""
    segments, image = golden["segments"], golden["image_rgb"]
    equal(slic(image, int(golden["n_segments"]), compactness=10), segments, "superpixels")
    equal(np.bincount(segments.ravel()), golden["size"], "sizes")
    features = upsampled_means(golden["feature_map"], segments)
    close(features, golden["mean_feature"], 1e-5, what="mean features")
    rest = colours_and_places(image, segments)
    close(rest[:, :3], golden["mean_rgb"], 1e-5, what="mean colours")
    close(rest[:, 3:] * segments.shape, golden["centroid"], 1e-5, what="centres")
    for connectivity in (4, 8):
        equal(region_adjacency(segments, connectivity), golden[f"edges_{connectivity}"], f"{connectivity} neighbours")
    own = unit_vectors(features)
    close(own @ own.T, golden["similarity"], 1e-5, what="similarities")
    similar = similarity_edges(features, int(golden["k"]), float(golden["threshold"]))
    equal(similar, golden["edges_similar"], "edges between similar nodes")
    joined = np.concatenate([region_adjacency(segments), similar], axis=1)
    equal(both_ways(joined, len(features)), golden["edges_union"], "all edges")


CASES = {
    "gat_layer": gat_layer,
    "gat_network": gat_network,
    "noise_detection": noise_detection,
    "superpixel_graph": superpixel_graph,
}
