"""How well a clean model fits noisy labels, and what follows for superpixels."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from common.base.constants import IGNORE


def label_losses(logits: Tensor, noisy: np.ndarray) -> np.ndarray:
    """l(x) = -log p(noisy label | x) of every pixel, float32 [h, w]; 0 where there is no label (255).

    logits: of the clean model at the photo's size, float [C, h, w]; noisy: uint8 [h, w].
    """
    labels = torch.from_numpy(noisy.astype(np.int64)).to(logits.device)
    losses = F.cross_entropy(logits.float()[None], labels[None], ignore_index=IGNORE, reduction="none")
    return losses[0].abs().cpu().numpy()  # torch gives -0, too


def node_votes(clean: np.ndarray, segments: np.ndarray, classes: int) -> np.ndarray:
    """How many clean pixels of each superpixel have each class: int64 [S, C].

    clean: uint8 [h, w], class ids, 255 where a pixel is not clean or has no label; segments: int [h, w], 0..S-1.
    """
    count = int(segments.max(initial=-1)) + 1
    known = clean < classes
    flat = segments[known].astype(np.int64) * classes + clean[known]
    return np.bincount(flat, minlength=count * classes).reshape(count, classes)


def node_labels(votes: np.ndarray, segments: np.ndarray, min_fraction: float) -> np.ndarray:
    """The most voted class of each superpixel, of equal ones the first: uint8 [S].

    255 where the clean pixels are less than `min_fraction` of the superpixel, or none. votes: of `node_votes`.
    """
    sizes, clean = np.bincount(segments.ravel(), minlength=len(votes)), votes.sum(axis=1)
    enough = (clean >= min_fraction * sizes) & (clean > 0)
    return np.where(enough, votes.argmax(axis=1), IGNORE).astype(np.uint8)


def keep_clean(painted: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Clean pixels keep their label, uint8 [h, w]; painted: new labels; clean: as of `node_votes`."""
    return np.where(clean == IGNORE, painted, clean).astype(np.uint8)
