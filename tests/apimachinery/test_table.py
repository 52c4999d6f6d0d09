"""Tables, as `kubectl get` asks for them."""

import pytest

from apimachinery import table
from apimachinery.errors import BadRequest

OBJ = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "a", "creationTimestamp": "1970-01-01T00:00:00Z"},
    "data": {"x": "1"},
}
ROW = table.Row(("a", 1, "5s"), OBJ)


def test_a_table_with_metadata():
    made = table.table((table.NAME, table.AGE), [ROW], metadata={"resourceVersion": "7"})
    assert made == {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "7"},
        "columnDefinitions": [
            {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0},
            {"name": "Age", "type": "string", "format": "", "description": "", "priority": 0},
        ],
        "rows": [
            {
                "cells": ["a", 1, "5s"],
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": OBJ["metadata"],
                },
            }
        ],
    }


def test_what_comes_along_with_a_row():
    assert table.table((), [ROW], include="Object")["rows"][0]["object"] is OBJ
    assert table.table((), [ROW], include="None")["rows"][0]["object"] is None
    assert table.table((table.NAME,), [ROW], headers=False)["columnDefinitions"] is None
    done = table.Row((), OBJ, ({"type": "Completed", "status": "True"},))
    rows = table.table((), [done])["rows"]
    assert rows[0]["conditions"] == [{"type": "Completed", "status": "True"}]


def test_include_options():
    assert table.check_include("") == "Metadata"
    with pytest.raises(BadRequest, match="must be 'Metadata', 'Object', 'None', or empty"):
        table.check_include("All")


def test_cells_and_partial_lists():
    assert table.name_cell(OBJ, 0) == "a"
    assert table.age_cell(OBJ, 100) == "100s"
    assert table.created_cell(OBJ, 0) == "1970-01-01T00:00:00Z"
    listed = table.partial_metadata_list([OBJ], {"resourceVersion": "9"})
    assert listed["kind"] == "PartialObjectMetadataList"
    assert "data" not in listed["items"][0]
