"""Image-level labels: from VOC's XML annotations or from masks."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

import numpy as np

from common.base.errors import DataError


def xml_tags(annotation: bytes, classes: Sequence[str], difficult: bool = True) -> list[str]:
    """Class names of the objects of a VOC annotation, in class order.

    Truncated objects count; parts (head, hand, foot) never do. Where `difficult` is False, difficult objects count only
    in an image that has no others, so that it is not left without a tag.

    Raises:
        DataError: no XML.
    """
    try:
        objects = ElementTree.fromstring(annotation).findall("object")
    except ElementTree.ParseError as error:
        raise DataError(f"the annotation is no XML ({error}): replace it by an intact copy.") from error
    easy = [found for found in objects if (found.findtext("difficult") or "0").strip() != "1"]
    counted = objects if difficult else easy or objects
    names = {(found.findtext("name") or "").strip() for found in counted}
    return [name for name in classes[1:] if name in names]


def mask_tags(mask: np.ndarray, classes: Sequence[str]) -> list[str]:
    """Names of the classes with a pixel in `mask` (uint8 [h, w]); background and ignored pixels are none."""
    present = set(np.unique(mask).tolist())
    return [name for index, name in enumerate(classes) if index > 0 and index in present]
