"""A data set on disk: its description, photos, tags, masks and lists, and what is wrong with it."""
