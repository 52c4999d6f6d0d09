"""JSONPath: every kind of step, what is not there, what is not understood."""

import pytest

from apimachinery.jsonpath import JsonPathError, compiled

DOC = {
    "metadata": {"labels": {"a.b/c": "x", "app": "web"}},
    "spec": {"replicas": 3, "on": True, "list": [1, 2, 3, 4]},
    "status": {
        "conditions": [
            {"type": "Ready", "status": "True", "n": 1},
            {"type": "Other", "status": "False", "n": 2},
        ]
    },
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.replicas", [3]),
        ("{.spec.replicas}", [3]),
        ("spec.replicas", [3]),
        ("$.spec.on", [True]),
        (".", [DOC]),
        (".spec.absent", []),
        (".spec.replicas.deeper", []),
        ('.metadata.labels["a.b/c"]', ["x"]),
        (".metadata.labels['app']", ["web"]),
        (r".metadata.labels.a\.b/c", ["x"]),
        (".spec.list[0]", [1]),
        (".spec.list[-1]", [4]),
        (".spec.list[9]", []),
        (".spec.list[1:3]", [2, 3]),
        (".spec.list[::2]", [1, 3]),
        (".spec.list[0,2]", [1, 3]),
        (".spec.list[*]", [1, 2, 3, 4]),
        (".metadata.labels.*", ["x", "web"]),
        ("..type", ["Ready", "Other"]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type == 'Other')].n", [2]),
        (".status.conditions[?(@.n>1)].type", ["Other"]),
        (".status.conditions[?(@.n>='x')].type", []),
        (".status.conditions[?(@.absent)].type", []),
        (".status.conditions[?(@.n)].type", ["Ready", "Other"]),
        (".status.conditions[?(@.type!=\"Ready\")]['type','status']", ["Other", "False"]),
    ],
)
def test_finding(path, found):
    assert compiled(path).find(DOC) == found


def test_the_first_value_and_printing():
    assert compiled(".spec.list[*]").first(DOC) == 1
    assert compiled(".none").first(DOC) is None
    assert compiled(".spec.list[*]").text_of(DOC) == "1 2 3 4"
    assert compiled(".metadata.labels").text_of(DOC) == '{"a.b/c":"x","app":"web"}'
    assert compiled(".spec.on").text_of(DOC) == "true"


@pytest.mark.parametrize(
    "path", ["{.spec", ".spec.list[0", ".spec.list[]", ".a[?(@.b==c)]", ".a b", ".a[::0]"]
)
def test_what_is_not_understood(path):
    with pytest.raises(JsonPathError):
        compiled(path)
