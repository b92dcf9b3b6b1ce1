"""DMT: semi-supervised dynamic mutual training of two segmentation networks (Feng et al., Pattern Recognition 2022)."""
