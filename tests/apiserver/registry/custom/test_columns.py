"""Cells of columns that a definition's author gave."""

import pytest

from apiserver.registry.custom.columns import columns_of

OBJ = {
    "metadata": {"name": "w", "creationTimestamp": "2026-01-02T03:04:05Z"},
    "spec": {
        "n": 3, "half": 1.5, "on": True, "s": "text", "map": {"b": "<", "a": [1, 2]},
        "null": None, "when": "2026-01-02T03:04:05Z", "never": "", "list": [{"x": "p"}, {"x": "q"}],
    },
}  # fmt: skip
NOW = 1_767_323_105.0


def cell(kind, path):
    column = columns_of({"additionalPrinterColumns": [{"type": kind, "jsonPath": path}]})[1]
    return column.value(OBJ, NOW)


@pytest.mark.parametrize(
    ("kind", "path", "shown"),
    [
        ("integer", ".spec.n", 3),
        ("integer", ".spec.half", 1),
        ("integer", ".spec.s", None),
        ("integer", ".spec.on", None),
        ("number", ".spec.n", 3.0),
        ("boolean", ".spec.on", True),
        ("boolean", ".spec.n", None),
        ("string", ".spec.s", "text"),
        ("string", ".spec.n", "3"),
        ("string", ".spec.on", "true"),
        ("string", ".spec.map", '{"a":[1,2],"b":"\\u003c"}'),
        ("string", ".spec.list[*].x", "p"),
        ("string", ".spec.null", "<no value>"),
        ("integer", ".spec.null", None),
        ("string", ".spec.missing", None),
        ("date", ".spec.s", "<invalid>"),
        ("date", ".spec.n", None),
        ("date", ".spec.never", "<unknown>"),
        ("date", ".spec.missing", None),
    ],
)
def test_cells(kind, path, shown):
    assert cell(kind, path) == shown


def test_a_path_that_cannot_be_read_ends_the_columns():
    paths = (".spec.n", ".spec[?", ".spec.s")
    given = [{"name": path, "type": "string", "jsonPath": path} for path in paths]
    assert [one.name for one in columns_of({"additionalPrinterColumns": given})] == [
        "Name",
        ".spec.n",
    ]
    assert [one.name for one in columns_of({})] == ["Name", "Age"]
