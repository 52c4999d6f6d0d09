"""The Pod Security Standards: which pods a namespace takes, at the levels of v1.36."""
