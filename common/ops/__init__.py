"""Arrays in, arrays out: resizing, CAMs, affinities, random walk, dense CRF. Nothing here knows files or networks."""
