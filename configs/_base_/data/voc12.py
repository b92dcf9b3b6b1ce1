# PASCAL VOC 2012 with the trainaug masks of SBD (made by `wsseg data prepare`): 20 classes and background.
data = dict(root="data/voc12")
