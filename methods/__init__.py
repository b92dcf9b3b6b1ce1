"""One folder per paper; see each folder's README.md."""

import common  # noqa: F401  (sets the OpenMP policy before a method imports torch)
