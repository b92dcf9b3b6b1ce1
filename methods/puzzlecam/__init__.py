"""Puzzle-CAM: class maps of an image that agree with those of its tiles (Jo, Yu, ICIP 2021)."""
