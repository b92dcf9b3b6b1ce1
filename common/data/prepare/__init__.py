"""Data sets made from official archives, or drawn."""

from common.data.prepare.voc12 import OFFICIAL, Counts, prepare_voc12, sbd_mask

__all__ = ["OFFICIAL", "Counts", "prepare_voc12", "sbd_mask"]
