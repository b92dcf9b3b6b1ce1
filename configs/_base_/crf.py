# Numbers of the dense CRFs in papers and their code. A recipe that names this file in its _base_ writes
# crf=_base_.crf_irn, or changes a part: crf=dict(_base_.crf_irn, iterations=5). Any other numbers stand in the recipe.
# bilateral: standard deviation in pixels, in grey levels, weight; gaussian: standard deviation in pixels, weight.

# AffinityNet and SEAM on CAM scores; Puzzle-CAM at test
crf_psa = dict(iterations=10, bilateral=(80, 13, 10), gaussian=(3, 3))
# IRNet and Puzzle-CAM on label maps
crf_irn = dict(iterations=10, bilateral=(50, 5, 10), gaussian=(3, 3))
# DeepLab v2 at test
crf_deeplab = dict(iterations=10, bilateral=(67, 3, 4), gaussian=(1, 3))
# DeepLab-LargeFOV at test (PyTorch port)
crf_largefov = dict(iterations=10, bilateral=(140, 5, 5), gaussian=(3, 3))
# DeepLab-LargeFOV at test (the authors' scripts)
crf_largefov_caffe = dict(iterations=10, bilateral=(49, 5, 4), gaussian=(3, 3))
# SEAM's DeepLab v1 at test
crf_seam_retrain = dict(iterations=1, bilateral=(32, 13, 10), gaussian=(3, 3))
