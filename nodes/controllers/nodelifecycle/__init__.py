"""Node lifecycle: silent nodes, their taints, and how fast taints may drive pods away."""
