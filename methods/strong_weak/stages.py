"""Strong-Weak's stages: the segmentor and the trunk of a trained network."""

# No `from __future__ import annotations` here: the pipeline reads the annotations of these functions.

from typing import Any

from common.artifacts import Weights
from common.pipeline import Run


def strong_branch(run: Run, weights: Weights) -> Weights:
    """The network without its weak branch, as an ordinary segmentor: mmseg's EncoderDecoder with an FCNHead.

    It gives the same logits, and opens without the code of this method. weights: of a network with a `DualBranchHead`,
    or with one of the baselines' heads.
    """
    from common.checkpoints.networks import save_network
    from methods.strong_weak.export import segmentor

    config, state = _trained(weights)
    model, kept = segmentor(config, state)
    save_network(run.out, {**config, "model": model, "custom_imports": {"imports": ["common.models.register"]}}, kept)


def trunk(run: Run, weights: Weights) -> Weights:
    """Backbone and neck alone: a training with `init` takes them over, and its branches begin anew."""
    from common.checkpoints.networks import save_network
    from methods.strong_weak.export import trunk as of_trunk

    config, state = _trained(weights)
    save_network(run.out, config, of_trunk(state))


def _trained(weights: Weights) -> tuple[dict[str, Any], dict[str, Any]]:
    from common.base.config import read_config
    from common.checkpoints.files import read_state_dict
    from methods.strong_weak.export import check_head

    config = read_config(weights.config).to_dict()
    check_head(config, weights.name)
    return config, read_state_dict(weights.file)
