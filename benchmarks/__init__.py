"""What the equivalent formulations save: `python -m benchmarks [NAME...] [--full]`.

Every module here that has a `BENCHMARKS` dict (name -> function(full: bool) -> Result) takes part. A benchmark runs
the original formulation and ours in one process, one after the other, so the ratio holds on any machine. The error
in the same line says what it costs.
"""
