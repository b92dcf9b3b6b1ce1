"""WSGCN: a graph network, fitted to each photo, completes its partial labels (Pan, Lu, Lee, Peng, ICME 2021)."""
