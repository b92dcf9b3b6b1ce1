"""Strong-Weak: a branch for masks and a branch for pseudo labels on one shared trunk (Luo, Yang, ECCV 2020)."""
