"""Certificate signing requests: approving kubelets, signing what is approved, cleaning up."""
