# Puzzle-CAM's classifier without its tiles: all else is Puzzle-CAM's on the built-in benchmark.
_base_ = ["cam_lite0_shapes.py"]

model = dict(alpha=0.0, p_cls=False)
