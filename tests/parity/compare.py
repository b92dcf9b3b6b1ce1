"""How a case compares: each function raises AssertionError and says what differs, where and by how much."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np


def _array(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def close(actual: Any, expected: Any, rtol: float = 1e-4, atol: float = 0.0, what: str = "value") -> None:
    """|actual - expected| <= atol + rtol * max|expected|: the tolerance is relative to the array's own scale."""
    actual, expected = _array(actual).astype(np.float64), _array(expected).astype(np.float64)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, expected {expected.shape}"
    assert np.array_equal(np.isnan(actual), np.isnan(expected)), f"{what}: NaN in different places"
    if not expected.size:
        return
    scale = np.nanmax(np.abs(expected)) if not np.isnan(expected).all() else 0.0
    error = np.nan_to_num(np.abs(actual - expected))
    worst = np.unravel_index(error.argmax(), error.shape)
    assert error.max() <= atol + rtol * scale, (
        f"{what}: off by {error.max():.3g} at {tuple(map(int, worst))} "
        f"({actual[worst]:.6g}, expected {expected[worst]:.6g}; allowed {atol + rtol * scale:.3g})"
    )


def equal(actual: Any, expected: Any, what: str = "value") -> None:
    """Exactly the same shape and values."""
    actual, expected = _array(actual), _array(expected)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, expected {expected.shape}"
    different = int((actual != expected).sum())
    assert different == 0, f"{what}: {different} of {expected.size} values differ"


def agree(actual: Any, expected: Any, fraction: float = 0.995, what: str = "labels") -> None:
    """At least `fraction` of the values are the same."""
    actual, expected = _array(actual), _array(expected)
    assert actual.shape == expected.shape, f"{what}: shape {actual.shape}, expected {expected.shape}"
    share = float((actual == expected).mean())
    assert share >= fraction, f"{what}: {share:.4%} agree, {fraction:.2%} needed"


def shapes(golden: Mapping[str, np.ndarray]) -> dict[str, tuple[int, ...]]:
    """State-dict key -> shape, from a network file's `keys` and `shapes` (text)."""
    pairs = zip(golden["keys"].tolist(), golden["shapes"].tolist(), strict=True)
    return {key: tuple(ast.literal_eval(shape)) for key, shape in pairs}
