"""Server-side apply: who owns which field, and how an applied object merges into the live one.

`managed` is what the API server uses: `apply_patch` for apply, `update_managers` for all other
writes. `fieldset` is the algebra of sets of fields, `plans` says how a type's values are walked,
`walk` walks them, and `updater` decides about ownership.
"""
