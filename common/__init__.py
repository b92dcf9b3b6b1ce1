"""What the methods of weakly and semi-supervised segmentation share: data, networks, CAM, affinity, CRF, metrics."""
