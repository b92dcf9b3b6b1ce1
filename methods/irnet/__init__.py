"""IRNet: instance and semantic pseudo labels from inter-pixel relations (Ahn, Cho, Kwak, CVPR 2019)."""
