"""Gives a test's processes one more method, `toy`: put this folder on PYTHONPATH."""

from pathlib import Path

import methods

methods.__path__.append(str(Path(__file__).parent / "methods_toy"))
