"""One folder per paper; see each folder's README.md."""
