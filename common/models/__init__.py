"""Networks and nothing else: backbones, heads, classifier, segmentors, the boundary network."""
