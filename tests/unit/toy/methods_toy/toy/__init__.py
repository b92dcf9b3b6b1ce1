"""A method of arithmetic, to test the pipeline with."""
