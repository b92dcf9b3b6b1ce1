# Supervised references on the built-in benchmark: 12 labelled pictures (`wsseg data splits data/shapes` makes the
# list), and all 240.
_base_ = ["../_base_/data/shapes.py"]
method = "supervised"
seed = 0
uses = ()
pixel_labels = "train"

pipeline = []
for name, images, iterations in (("labelled", "20_labeled_0", 100), ("full", "train", 300)):
    pipeline += [
        dict(
            stage="train",
            name=name,
            config="deeplabv2_lite0_shapes.py",
            split=images,
            pixel_labels=images,
            options={"train_cfg.max_iters": iterations},
        ),
        dict(stage="infer_seg", name=f"segment_{name}", weights=name, split="val", scales=(1.5,)),
        dict(stage="eval_labels", name=f"val_{name}", labels=f"segment_{name}", split="val"),
    ]
