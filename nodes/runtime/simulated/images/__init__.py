"""The image catalogue: one module for each family of images, listed in `catalogue`."""
