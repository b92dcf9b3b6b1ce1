# Supervised references on VOC, as DMT's table has them: DeepLab v2 from COCO on 100, 1/50, 1/20, 1/8, 1464 and all
# masks of train_aug (split 0); `wsseg data splits data/voc12` makes the lists, `--only` picks a row.
_base_ = ["../_base_/data/voc12.py"]
method = "supervised"
seed = 0
uses = ()
pixel_labels = "train_aug"

rows = (  # epochs times batches of 8
    ("106", "106_labeled_0", 300 * 13),
    ("50", "50_labeled_0", 212 * 27),
    ("20", "20_labeled_0", 134 * 67),
    ("8", "8_labeled_0", 85 * 166),
    ("1464", "train", 85 * 183),
    ("full", "train_aug", 30 * 1323),
)
pipeline = []
for name, images, iterations in rows:
    pipeline += [
        dict(
            stage="train",
            name=f"labelled_{name}",
            config="deeplabv2_r101_coco_voc12.py",
            split=images,
            pixel_labels=images,
            options={"train_cfg.max_iters": iterations},
        ),
        dict(
            stage="infer_seg",
            name=f"segment_{name}",
            weights=f"labelled_{name}",
            split="val",
            canvas=(505, 505),
        ),
        dict(stage="eval_labels", name=f"val_{name}", labels=f"segment_{name}", split="val"),
    ]
