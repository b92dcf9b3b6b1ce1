# The VOC 2012 photos with a cat, cow, dog, horse or sheep, longer side 240 pixels; all 20 classes are kept.
data = dict(root="data/voc12_animals")
