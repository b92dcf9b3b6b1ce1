"""ICD's superpixels against the released form: indicators of all superpixels as dense maps."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.result import Result, seconds
from benchmarks.superpixels import regions
from common.ops.superpixels import pool_by_segment
from methods.icd.superpixels import refine_by_superpixel, superpixel_features

EPS = 1e-5


def plain_refinement(scores: Tensor, segments: Tensor, tags: Tensor) -> Tensor:
    """`refine_by_superpixel` image by image, superpixel by superpixel and class by class."""
    found = torch.zeros_like(scores)
    for b, numbers in enumerate(segments):
        known = scores[b] * tags[b][:, None, None]
        positive = known.clamp(min=0)
        relative = positive / positive.amax(dim=0).clamp(min=EPS)
        for number in numbers.unique():
            indicator = (numbers == number).to(scores)[None, None]
            share = F.interpolate(indicator, scores.shape[2:], mode="bilinear", align_corners=True)[0, 0]
            size = share.sum().clamp(min=EPS)
            seen = max(float((share * plane.sign()).sum()) for plane in known) > EPS
            winner = int(torch.stack([(share * plane).sum() / size for plane in relative]).argmax())
            for c, plane in enumerate(known):
                ahead = seen and winner == c and tags[b, c] > 0
                value = (share * (plane.clamp(min=0) if ahead else plane.clamp(max=0))).sum() / size
                found[b, c] += share * value
    return found


def dense_refinement(scores: Tensor, segments: Tensor, tags: Tensor) -> Tensor:
    """The same by products with the indicators at the image's size, as released."""
    count = int(segments.max()) + 1
    indicators = F.one_hot(segments, count).permute(0, 3, 1, 2).float()
    shares = F.interpolate(indicators, scores.shape[2:], mode="bilinear", align_corners=True).flatten(2)
    known = (scores * tags[:, :, None, None]).flatten(2)
    positive, size = known.clamp(min=0), shares.sum(dim=2).clamp(min=EPS)[..., None]
    seen = (shares @ known.sign().transpose(1, 2)).amax(dim=2, keepdim=True) > EPS
    relative = positive / positive.amax(dim=1, keepdim=True).clamp(min=EPS)
    winner = F.one_hot((shares @ relative.transpose(1, 2) / size).argmax(dim=2), known.shape[1]) > 0
    ahead = seen & winner & (tags > 0)[:, None]
    sums = [shares @ part.transpose(1, 2) for part in (positive, known.clamp(max=0))]
    return (torch.where(ahead, *sums) / size).transpose(1, 2).matmul(shares).view_as(scores)


def refinement(full: bool) -> Result:
    """A batch of crops of 321 pixels with 20 classes."""
    batch = 32 if full else 4
    numbers = np.stack([regions((321, 321), 64, seed) for seed in range(batch)])
    segments = torch.from_numpy(numbers.astype(np.int64))
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(batch, 20, 41, 41, generator=generator)
    tags = (torch.rand(batch, 20, generator=generator) < 0.1).float()
    ours, found = seconds(lambda: refine_by_superpixel(scores, segments, tags))
    original, wanted = seconds(lambda: dense_refinement(scores, segments, tags))
    note = f"{batch} crops of 321 x 321, 64 superpixels, 20 classes on 41 x 41"
    return Result(original, ours, f"{float((found - wanted).abs().max()):.0e}", note)


def features(full: bool) -> Result:
    """Features of a photo's superpixels on a canvas of 513 pixels."""
    channels = 512 if full else 128
    segments = regions((375, 500), 300)
    maps = np.random.default_rng(0).random((channels, 65, 65)).astype(np.float32)

    def enlarged() -> np.ndarray:
        large = F.interpolate(torch.from_numpy(maps)[None], (513, 513), mode="bilinear", align_corners=True)[0]
        return pool_by_segment(large[:, :375, :500].numpy(), segments)

    ours, found = seconds(lambda: superpixel_features(maps, segments, 513))
    original, wanted = seconds(enlarged)
    note = f"300 superpixels of 375 x 500, {channels} channels of 65 x 65"
    return Result(original, ours, f"{np.abs(found - wanted).max():.0e}", note)


BENCHMARKS = {"superpixel_refinement": refinement, "superpixel_features": features}
