"""Train a network."""

from common.artifacts import Artifact, Scores, Supervision, Weights
from common.base.config import read_config
from common.base.errors import UserError
from common.pipeline import NetworkConfig, Run, every_rank


@every_rank
def train(
    run: Run,
    config: NetworkConfig,
    labels: Supervision | None = None,
    split: str = "train_aug",
    init: Weights | None = None,
    pixel_labels: str | None = None,
    thresholds: Scores | None = None,
    best: dict | None = None,
    options: dict | None = None,
    inputs: dict[str, Artifact] | None = None,
    follow: dict | None = None,
) -> Weights:
    """Train one network as its config says.

    The seed of the config is added to the run's, so two networks of one recipe may differ by it.

    Args:
        config: the network's, relative to the recipe.
        labels: what it learns from, pixel by pixel; None: tags only.
        split: the images.
        init: weights of an earlier stage to begin with.
        pixel_labels: a split whose masks it learns from; the recipe's supervision must include them.
        thresholds: the least confidence of each class in `labels`; pixels below it are left open.
        best: the parameters of a `KeepBestHook`, whose snapshot is kept instead of the last one. It sees masks, so the
            stage needs `oracle=True`.
        options: dotted keys of the config to override.
        inputs: what else the network receives with each image, by the name under which its loss finds it in the
            sample. It is cropped, scaled and mirrored with the image.
        follow: name of an input -> False: it is handed on whole instead.
    """
    from common.training import KeepBestHook
    from common.training.datasets import set_data
    from common.training.train import train_network

    if pixel_labels is not None:
        for image_id in run.data.ids(pixel_labels):
            run.data.require_allowed(image_id)
    cfg = read_config(config, options)
    least = None if thresholds is None else thresholds.number("thresholds")
    set_data(cfg, run.data.root, split, labels, pixel_labels, least, inputs, follow)
    if best is not None:
        try:
            chooser = KeepBestHook(**best)
        except TypeError as error:
            raise UserError(f"best={best}: {error}.") from error
        run.data.mask(run.data.ids(chooser.split)[0])  # refused where the recipe does not say that this stage sees them
        cfg.custom_hooks = [*cfg.get("custom_hooks", []), {"type": "KeepBestHook", **best}]
    cfg.seed = run.seed + cfg.get("seed", 0)
    start = None if init is None else init.file
    train_network(cfg, run.out, device=run.device, launcher=run.launcher, init=start, threads=run.threads, log=run.log)
