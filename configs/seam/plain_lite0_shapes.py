# SEAM's classifier without equivariance losses and correlation module: all else is SEAM's on the built-in benchmark.
# Both views still learn to be classified, and class scores are still means over maps of the image's size. The loss on
# the lowest foreground (`min_weight`) acts on refined maps alone, so it goes with them. CAMs are the raw maps.
_base_ = ["cam_lite0_shapes.py"]

model = dict(type="SEAMClassifier")

optim_wrapper = dict(paramwise_cfg=dict(new=("head",)))
