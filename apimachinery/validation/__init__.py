"""Field errors with paths, and the rules for names, labels and metadata that all kinds share.

Validation never changes what it looks at, and yields every error that it finds.
"""
