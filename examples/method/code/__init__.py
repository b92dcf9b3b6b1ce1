"""Example: tags and saliency, made even over the regions of one colour; a method to copy (nobody, nowhere)."""
