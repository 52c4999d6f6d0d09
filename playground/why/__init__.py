"""Why an object is not as wanted: causes of causes, the rule that applies, and what would help."""
