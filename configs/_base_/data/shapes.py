# The built-in benchmark, generated from a seed (made by `wsseg data make shapes`).
data = dict(root="data/shapes")
