"""Networks from and to files: reading, initial weights by name, released checkpoints under our names."""
