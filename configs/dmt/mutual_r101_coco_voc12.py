# DMT's rounds for the network from COCO (AdvSemiSeg's weights, head included): 1 labelled and 7 pseudo-labelled images
# a batch, dynamic loss, lr 0.001.
_base_ = ["../supervised/deeplabv2_r101_imagenet_voc12.py"]
custom_imports = dict(imports=["methods.dmt.model"], allow_failed_imports=False)

model = dict(
    data_preprocessor=dict(mean=[104.008, 116.669, 122.675], std=[1.0, 1.0, 1.0], rgb_to_bgr=True),  # BGR
    backbone=dict(init_cfg=dict(type="NamedWeights", weights="resnet101_coco_advsemiseg")),
    decode_head=dict(
        type="MutualHead",
        init_cfg=dict(type="NamedWeights", weights="resnet101_coco_advsemiseg", prefix="decode_head."),
        loss=dict(rule="dynamic", gamma_agree=5.0, gamma_disagree=5.0),
    ),
)
train_dataloader = dict(batch_size=8, sampler=dict(type="StrongWeakSampler", strong=1))
train_cfg = dict(_delete_=True, type="SeekingTrainLoop", max_epochs=4)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
