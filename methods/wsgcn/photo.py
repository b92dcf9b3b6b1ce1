"""From a photo to what its graph networks say: the graph once, then every fit on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from common.artifacts import Labels, Weights
from common.base.errors import UserError
from common.checkpoints.networks import load_model
from common.ops.resize import lanczos_image, shrink_labels
from common.pipeline import Image, Run
from methods.wsgcn.fit import Fits, fit
from methods.wsgcn.graph import adjacency_of, edges_and_features, mean_colours, spread_labels
from methods.wsgcn.laplacian import grid_laplacian
from methods.wsgcn.layers import PropagationGCN
from methods.wsgcn.scores import NodeScore

Watch = Callable[[int, dict[str, Tensor]], None]


def photo_scores(
    run: Run,
    labels: Labels,
    weights: Weights,
    fits: Fits,
    *,
    beta: float,
    exp_times: int,
    radius: int,
    canvas: int,
    window: int,
    colour: float,
    place: float,
    dense: int,
    modes: int,
    watch: Watch | None = None,
) -> Callable[[Image], NodeScore]:
    """The function that the stage `complete` applies to each photo; arguments: as there. watch: of `fit`.

    Raises:
        UserError: the network finds no boundaries.
    """
    network, classes, device = load_model(weights.file, weights.config, run.device), run.data.num_classes, run.device
    if not hasattr(network, "edge_head"):
        raise UserError(f"'{weights.name}' finds no boundaries: name the stage that trained IRNet's network.")

    def scores(image: Image) -> NodeScore:
        seed = int(run.rng(image.id).integers(2**63))
        pixels = torch.from_numpy(np.ascontiguousarray(image.pixels.transpose(2, 0, 1))).to(device)
        edge, edge_features = edges_and_features(network, pixels, canvas)
        adjacency, error = adjacency_of(edge, radius, beta, exp_times, dense, modes, seeded(seed, device))
        features = {"edges": edge_features, "colour": torch.from_numpy(mean_colours(image.pixels)).to(device)}
        propagated = {kind: adjacency @ features[kind] for kind in fits.features}
        partial = torch.from_numpy(shrink_labels(labels.read(image.id)).astype(np.int64)).flatten().to(device)
        cells = lanczos_image(image.pixels, tuple(edge.shape))
        laplacian = grid_laplacian(cells, window, colour, place).to(device)
        found = {}
        for name, rule in fits.rules.items():
            if rule is None:
                log_prob = spread_labels(adjacency, partial, classes)
            else:
                generator, own = seeded(seed, device), propagated[rule.features]
                model = PropagationGCN(own.shape[1], rule.width, classes, rule.dropout, generator)
                log_prob = fit(model, own, adjacency, partial, laplacian, rule, generator, watch)
            found[name] = log_prob.T.reshape(classes, *edge.shape).cpu().numpy()
        return NodeScore(np.arange(classes), found, image.size, error).kept(image.tags)

    return scores


def seeded(seed: int, device: torch.device) -> torch.Generator:
    """A generator of its own: nothing draws from the global one."""
    return torch.Generator(device).manual_seed(seed)
