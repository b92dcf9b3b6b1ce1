"""What the methods of weakly and semi-supervised segmentation share: data, networks, CAM, affinity, CRF, metrics."""

import os

# Idle OpenMP threads would spin. Where data loader workers share the cores that makes training several times slower.
# The OpenMP library reads this when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
