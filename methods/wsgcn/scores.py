"""What the graph networks of a photo say of its cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from common.artifacts import PerImageArtifact, Strided
from common.base.errors import UserError
from common.base.npz import write_npz
from common.data.dataset import DataSet
from common.ops.overlay import paint_labels


@dataclass(frozen=True)
class NodeScore:
    """Log-probabilities of the cells of one photo, of one or several fits.

    keys: int64 [K], the class ids that are kept, ascending, background first: the tags, and what a fit's label shows.
    log_prob: fit -> float32 [K, h4, w4]; the probabilities are those among all classes. size: (h, w) of the photo;
    error: the estimated relative error of its graph, 0 where the graph is exact.
    """

    keys: np.ndarray
    log_prob: dict[str, np.ndarray]
    size: tuple[int, int]
    error: float

    def of(self, fit: str) -> np.ndarray:
        """The log-probabilities of one fit.

        Raises:
            UserError: there is none of that name.
        """
        if fit not in self.log_prob:
            raise UserError(f"there is no fit '{fit}': there are {', '.join(self.log_prob)}.")
        return self.log_prob[fit]

    def label(self, fit: str) -> np.ndarray:
        """uint8 [h, w]: the class of the highest probability at every pixel, among all classes."""
        from methods.wsgcn.decode import pixel_log_prob

        return self.keys[pixel_log_prob(self.of(fit), self.size).argmax(axis=0)].astype(np.uint8)

    def kept(self, tags: tuple[int, ...]) -> NodeScore:
        """Without the classes that are no tag and win at no pixel of any fit: no label changes, files become small."""
        shown = [np.unique(self.label(fit)) for fit in self.log_prob]
        chosen = np.isin(self.keys, np.concatenate([[0], tags, *shown]))
        kept = {fit: maps[chosen] for fit, maps in self.log_prob.items()}
        return replace(self, keys=self.keys[chosen], log_prob=kept)


class NodeScores(PerImageArtifact):
    """`NodeScore`s as compressed npz, float32."""

    suffix, heading = ".npz", "graph network"

    def encode(self, value: NodeScore, stream: Any) -> None:
        expected = (len(value.keys), *Strided(4).grid(value.size))
        for name, maps in value.log_prob.items():
            if maps.shape != expected:
                raise ValueError(f"the scores of '{name}' {maps.shape} do not fit the photo, which asks for {expected}")
        write_npz(
            stream,
            keys=np.asarray(value.keys, np.uint8),
            names=np.array(list(value.log_prob)),
            log_prob=np.stack(list(value.log_prob.values())).astype(np.float32),
            size=np.asarray(value.size, np.int32),
            error=np.float64(value.error),
        )

    def decode(self, file: Path) -> NodeScore:
        with np.load(file, allow_pickle=False) as data:
            height, width = map(int, data["size"])
            maps = dict(zip(data["names"].tolist(), data["log_prob"], strict=True))
            return NodeScore(data["keys"].astype(np.int64), maps, (height, width), float(data["error"]))

    def picture(self, photo: np.ndarray, value: NodeScore, data: DataSet) -> np.ndarray:
        """The labels of the first fit, without a CRF."""
        return paint_labels(photo, value.label(next(iter(value.log_prob))), data.palette)
