"""CONTA: golden files of the authors' code that the shared pieces answer for."""

from __future__ import annotations

import numpy as np

from common.ops.crf import crf_posterior
from common.ops.crf_params import CRFParams
from tests.parity.compare import close

Golden = dict[str, np.ndarray]


def crf_refine(golden: Golden) -> None:
    """The CRF of the masks, on log-probabilities."""
    pixels, levels, weight, gaussian_pixels, gaussian_weight, iterations, shrink = golden["params"].tolist()
    params = CRFParams(int(iterations), (pixels, levels, weight), (gaussian_pixels, gaussian_weight)).shrunk(shrink)
    refined = crf_posterior(golden["image"], np.exp(golden["log_prob"]), params)
    close(refined, golden["prob_out"], 0, 1e-3, what="posterior")


CASES = {"crf_refine": crf_refine}
