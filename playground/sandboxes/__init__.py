"""The playground's clusters: listing, making, deleting and connecting to them."""
