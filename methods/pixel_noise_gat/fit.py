"""The training of the graph network, one for all photos."""

from __future__ import annotations

import json
import math

import torch

from common.base.constants import IGNORE
from common.base.errors import UserError
from common.base.files import atomic_path
from common.base.progress import Progress
from common.ops.losses import pixel_cross_entropy
from common.pipeline import Run
from common.training.loop import seed_iteration
from common.training.sampler import epoch_order
from methods.pixel_noise_gat.gat import CorrectionGAT, batched
from methods.pixel_noise_gat.graphs import Graphs
from methods.pixel_noise_gat.rules import GATRule


def fit(run: Run, graphs: Graphs, rule: GATRule) -> CorrectionGAT:
    """Train on the labelled nodes of all graphs; returns the network behind the last step.

    The mean of the cross entropy is over the labelled nodes of a step. Graphs without one take no part. The order of
    the graphs and the random numbers of a step depend on the seed and the step alone. `log.jsonl` has a line an epoch.

    Raises:
        UserError: no node has a label, or the loss is no longer finite.
    """
    ids = [image_id for image_id in graphs.ids() if (graphs.read(image_id).labels != IGNORE).any()]
    if not ids:
        raise UserError(f"No node of '{graphs.name}' has a label: let more pixels count as clean.")
    seed_iteration(run.seed, -1)  # the initial values
    width = graphs.read(ids[0]).features.shape[1]
    model = CorrectionGAT(width, run.data.num_classes, rule.channels, rule.heads, rule.dropout).to(run.device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=rule.lr, weight_decay=rule.weight_decay)
    step, lines = 0, []
    with Progress(rule.epochs, run.out.name, unit="epoch") as progress:
        for epoch in range(rule.epochs):
            order, losses = epoch_order(len(ids), run.seed, epoch), []
            for first in range(0, len(ids), rule.batch):
                own = [graphs.read(ids[index]) for index in order[first : first + rule.batch]]
                features, edges, labels = batched(own, run.device)
                seed_iteration(run.seed, step)
                loss = pixel_cross_entropy(model(features, edges), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
                step += 1
            mean = sum(losses) / len(losses)
            if not math.isfinite(mean):
                raise UserError(f"{run.out.name}: the loss is not finite after {step} steps: lower lr in 'gat'.")
            lines.append({"iter": step, "loss": mean, "lr": [rule.lr]})
            progress.step()
    with atomic_path(run.out / "log.jsonl") as temporary:
        temporary.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return model.eval()
