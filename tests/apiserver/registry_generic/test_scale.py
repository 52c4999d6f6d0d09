import pytest

from apimachinery.errors import Invalid
from apiserver.registry.scale import ScalePaths, scale_of, scaled

META = {"name": "d", "namespace": "n", "uid": "u", "resourceVersion": "5"}


def workload(**spec):
    return {"metadata": {**META, "labels": {"x": "y"}}, "spec": spec, "status": {"replicas": 2}}


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        (
            {"matchExpressions": [{"key": "k", "operator": "NotIn", "values": ["v", "w"]}]},
            "k notin (v,w)",
        ),
        ({"b": "2", "a": "1"}, "a=1,b=2"),
    ],
)
def test_selectors_become_text(selector, text):
    scale = scale_of(workload(replicas=3, selector=selector))
    assert scale["status"] == {"replicas": 2, "selector": text}
    assert scale["spec"] == {"replicas": 3}
    assert scale["metadata"] == META


def test_custom_resources_say_where_their_replicas_are():
    obj = {"metadata": META, "spec": {"size": 4}, "status": {"have": 1, "sel": "a=b"}}
    paths = ScalePaths("spec.size", "status.have", "status.sel")
    scale = scale_of(obj, paths)
    assert (scale["spec"], scale["status"]) == (
        {"replicas": 4}, {"replicas": 1, "selector": "a=b"},
    )  # fmt: skip
    changed = scaled(obj, {"spec": {"replicas": 6}, "metadata": {}}, paths)
    assert changed["spec"] == {"size": 6}
    assert obj["spec"] == {"size": 4}


def test_a_scale_can_name_the_revision_it_means():
    obj = workload(replicas=1)
    pinned = scaled(obj, {"metadata": {"resourceVersion": "4"}, "spec": {"replicas": 2}})
    assert pinned["metadata"]["resourceVersion"] == "4"
    assert "resourceVersion" not in scaled(obj, {"spec": {}})["metadata"]
    with pytest.raises(Invalid, match="must be greater than or equal to 0"):
        scaled(obj, {"spec": {"replicas": -1}})
