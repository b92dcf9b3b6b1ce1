"""Pixel-noise GAT: a graph network corrects noisy pixel labels that a clean model has sorted (Yi et al., TIP 2021)."""
