"""Golden files made by the authors' code, and the port held against them."""
