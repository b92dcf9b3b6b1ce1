"""ICD: a discriminator tells each class from the background of its own images (Fan, Zhang, Song, Tan, CVPR 2020)."""
