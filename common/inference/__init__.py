"""A network looks at a photo: class maps and segmentation over scales and mirror images."""
