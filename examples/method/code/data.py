"""A training set that builds on the shared one: it also names the rarest class of each image."""

from __future__ import annotations

from collections import Counter

from mmseg.registry import DATASETS

from common.training.datasets import WeakDataset


@DATASETS.register_module()
class ExampleDataset(WeakDataset):
    """`WeakDataset` that tells its sampler which class each image is needed for."""

    @property
    def rarest(self) -> list[int]:
        """For each image the class id that, of its tags, the fewest images have; 0 for an image without tags."""
        tags = [self.data.tags(image_id) for image_id in self.ids]
        counts = Counter(tag for own in tags for tag in own)
        return [min(own, key=lambda tag: (counts[tag], tag), default=0) for own in tags]
