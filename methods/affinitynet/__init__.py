"""AffinityNet: pseudo labels by a random walk with learned affinities (Ahn, Kwak, CVPR 2018)."""
