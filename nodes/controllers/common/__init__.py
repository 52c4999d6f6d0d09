"""What several controllers share: their context, pods in their name, conditions, adoption."""
