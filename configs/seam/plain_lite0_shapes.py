# SEAM's classifier without equivariance losses and correlation module: all else is SEAM's on the built-in benchmark.
_base_ = ["cam_lite0_shapes.py"]

model = dict(type="SEAMClassifier")

optim_wrapper = dict(paramwise_cfg=dict(new=("head",)))
