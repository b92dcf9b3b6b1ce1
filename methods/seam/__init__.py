"""SEAM: class activation maps that follow the image's scale (Wang, Zhang, Kan, Shan, Chen, CVPR 2020)."""
