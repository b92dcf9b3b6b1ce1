# Puzzle-CAM's classifier on the built-in benchmark, its tiles classified, but not pulled to the image's maps.
_base_ = ["cam_lite0_shapes.py"]

model = dict(alpha=0.0)
