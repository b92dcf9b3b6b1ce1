"""The method to copy, on the built-in benchmark: a minute on two CPU cores.

Expected: what the paper has, with its source.
Time and memory: a minute on two CPU cores.
Data: `wsseg data make shapes --out data/shapes`.
Weights: none.
Run: wsseg run configs/example/example_shapes.py
"""

_base_ = ["../_base_/data/shapes.py"]
method = "example"
seed = 0
uses = ("tags", "saliency")

pipeline = [
    # What comes from outside enters by a stage.
    dict(stage="read_maps", name="saliency", what="saliency", split="train_aug"),
    # The method's own stages, before the training.
    dict(stage="example.palette", name="palette", split="train_aug", colours=8, rounds=5),
    dict(stage="example.regions", name="regions", palettes="palette"),
    # `saliency` and `regions` are cropped and mirrored with the image. `palette` is not, its kind says so; nor is
    # `whole_saliency`, `follow` says so.
    dict(
        stage="train",
        name="net",
        config="net_shapes.py",
        split="train_aug",
        inputs=dict(saliency="saliency", whole_saliency="saliency", regions="regions", palette="palette"),
        follow=dict(whole_saliency=False),
    ),
    # The method's own training stage.
    dict(
        stage="example.polish",
        name="polish",
        config="net_shapes.py",
        weights="net",
        split="train_aug",
        inputs=dict(saliency="saliency", whole_saliency="saliency", regions="regions", palette="palette"),
        follow=dict(whole_saliency=False),
        epochs=2,
    ),
    dict(stage="infer_seg", name="segment", weights="polish", split="val"),
    dict(stage="eval_labels", name="val", labels="segment", split="val"),
]
