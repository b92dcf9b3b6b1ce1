"""The old name of `common.data.dataset`."""

from common.data.dataset import VOC_CLASSES, DataSet, open_dataset, voc_palette, write_description, write_mask

__all__ = ["VOC_CLASSES", "DataSet", "open_dataset", "voc_palette", "write_description", "write_mask"]
