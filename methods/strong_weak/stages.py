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
    from methods.strong_weak.export import segmentor

    config, state = _trained(weights)
    model, kept = segmentor(config, state)
    _leave(run, {**config, "model": model, "custom_imports": {"imports": ["common.models.register"]}}, kept)


def trunk(run: Run, weights: Weights) -> Weights:
    """Backbone and neck alone: a training with `init` takes them over, and its branches begin anew."""
    from methods.strong_weak.export import trunk as of_trunk

    config, state = _trained(weights)
    _leave(run, config, of_trunk(state))


def _trained(weights: Weights) -> tuple[dict[str, Any], dict[str, Any]]:
    from common.base.config import read_config
    from common.checkpoints.files import read_state_dict
    from methods.strong_weak.export import check_head

    config = read_config(weights.config).to_dict()
    check_head(config, weights.name)
    return config, read_state_dict(weights.file)


def _leave(run: Run, config: dict[str, Any], state: dict[str, Any]) -> None:
    from mmengine.config import Config

    from common.base.config import plain_text
    from common.base.files import atomic_path
    from common.checkpoints.files import save_file

    save_file(run.out / "weights.pth", state)
    with atomic_path(run.out / "config.py") as temporary:
        temporary.write_text(plain_text(Config(config)), encoding="utf-8")
