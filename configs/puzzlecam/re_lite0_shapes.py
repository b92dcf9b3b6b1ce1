# Puzzle-CAM's classifier on the built-in benchmark, its tiles pulled to the image's maps, but not classified.
_base_ = ["cam_lite0_shapes.py"]

model = dict(p_cls=False)
