"""managedFields through the life of objects: apply, conflicts, updates, upgrades, limits."""

import copy
import json

import pytest

from apimachinery.apply import managed
from apimachinery.errors import ApiError, Conflict
from apimachinery.gvk import APPS_V1, CORE_V1
from apimachinery.schema import types

CONFIG_MAP = types().type_of(CORE_V1.kind("ConfigMap"))
DEPLOYMENT = types().type_of(APPS_V1.kind("Deployment"))
POD = types().type_of(CORE_V1.kind("Pod"))
T0, T1, T2 = (f"2026-01-01T00:00:0{n}Z" for n in range(3))


def config(data=None, **meta):
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", **meta}}
    return obj | ({"data": data} if data is not None else {})


def apply(live, applied, manager="one", *, force=False, now=T0, schema=CONFIG_MAP):
    before = copy.deepcopy((live, applied))
    result = managed.apply_patch(
        live,
        applied,
        schema,
        manager,
        force=force,
        now=now,
        api_version=applied["apiVersion"],
    )
    assert (live, applied) == before
    return result


def update(live, new, manager="kubectl-edit", now=T1, schema=CONFIG_MAP, **more):
    return managed.update_managers(
        live, new, schema, manager, now=now, api_version=new["apiVersion"], **more
    )


def owners(obj):
    return {
        (entry["manager"], entry["operation"]): entry["fieldsV1"]
        for entry in obj["metadata"].get("managedFields") or ()
    }


def data(*keys):
    return {"f:data": {f"f:{key}": {} for key in keys}}


def test_the_first_apply():
    result = apply(None, config({"a": "1"}))
    assert result == config({"a": "1"}) | {
        "metadata": {
            "name": "c",
            "managedFields": [
                {
                    "manager": "one",
                    "operation": "Apply",
                    "apiVersion": "v1",
                    "time": T0,
                    "fieldsType": "FieldsV1",
                    "fieldsV1": data("a"),
                }
            ],
        }
    }


def test_shared_fields_stay_until_the_last_owner_goes():
    live = apply(None, config({"a": "1", "b": "2"}))
    live = apply(live, config({"a": "1"}), "two", now=T1)
    assert owners(live) == {("one", "Apply"): data("a", "b"), ("two", "Apply"): data("a")}
    live = apply(live, config({"b": "2"}), "one", now=T2)
    assert live["data"] == {"a": "1", "b": "2"}
    live = apply(live, config({}), "two", now=T2)
    assert live["data"] == {"b": "2"}
    assert owners(live)["one", "Apply"] == data("b")


def test_conflicts_name_the_owner_and_force_takes_over():
    live = apply(None, config({"a": "1", "b": "2"}))
    with pytest.raises(Conflict) as caught:
        apply(live, config({"a": "x"}), "two")
    assert caught.value.message == ('Apply failed with 1 conflict: conflict with "one": .data.a')
    assert caught.value.status()["details"] == {
        "causes": [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "one"',
                "field": ".data.a",
            }
        ]
    }
    with pytest.raises(Conflict) as caught:
        apply(live, config({"a": "x", "b": "y"}), "two")
    assert caught.value.message == (
        'Apply failed with 2 conflicts: conflicts with "one":\n- .data.a\n- .data.b'
    )
    live = apply(live, config({"a": "x"}), "two", force=True, now=T1)
    assert live["data"] == {"a": "x", "b": "2"}
    assert owners(live) == {("one", "Apply"): data("b"), ("two", "Apply"): data("a")}


def test_conflicts_with_updaters_name_their_version():
    live = config({"a": "1"})
    live["metadata"]["managedFields"] = update(None, live)
    with pytest.raises(Conflict, match=r'"kubectl-edit" using v1: \.data\.a'):
        apply(live, config({"a": "2"}))


def test_list_items_come_and_go_with_their_owner():
    def deployment(*containers, **spec):
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "d"},
            "spec": {"template": {"spec": {"containers": list(containers)}}, **spec},
        }

    main, side = {"name": "main", "image": "a"}, {"name": "side", "image": "b"}
    live = apply(None, deployment(main, replicas=2), schema=DEPLOYMENT)
    live = apply(live, deployment(side), "two", schema=DEPLOYMENT)
    assert live["spec"]["template"]["spec"]["containers"] == [main, side]
    nothing = {k: v for k, v in deployment().items() if k != "spec"}
    live = apply(live, nothing, "two", schema=DEPLOYMENT)
    assert live["spec"]["template"]["spec"]["containers"] == [main]
    assert ("two", "Apply") not in owners(live)
    live = apply(live, deployment(main), schema=DEPLOYMENT)
    assert "replicas" not in live["spec"]


def test_applying_the_same_again_changes_nothing_at_all():
    live = apply(None, config({"a": "1"}))
    assert apply(live, config({"a": "1"}), now=T2) == live


@pytest.mark.parametrize(
    ("applied", "code", "message"),
    [
        (config(managedFields=[]), 400, "metadata.managedFields must be nil"),
        (
            config() | {"bogus": 1},
            500,
            (
                "failed to create typed patch object (/c; /v1, Kind=ConfigMap): .bogus: field not "
                "declared in schema"
            ),
        ),
    ],
)
def test_refusals(applied, code, message):
    with pytest.raises(ApiError) as caught:
        apply(None, applied)
    assert (caught.value.code, caught.value.message) == (code, message)


def test_what_nobody_tracked_belongs_to_before_first_apply():
    live = apply(config({"a": "1"}), config({"a": "1", "b": "2"}))
    assert owners(live) == {
        ("before-first-apply", "Update"): {"f:data": {".": {}, "f:a": {}}},
        ("one", "Apply"): data("a", "b"),
    }


def test_kubectl_takes_over_from_its_own_annotation():
    text = json.dumps(config({"a": "1"}))
    live = config({"a": "1"}, annotations={managed.LAST_APPLIED: text})
    live["metadata"]["managedFields"] = update(None, live, "kubectl-client-side-apply")
    with pytest.raises(Conflict):
        apply(live, config({"a": "2"}), "other")
    result = apply(live, config({"a": "2"}), "kubectl")
    assert result["data"] == {"a": "2"}
    written = result["metadata"]["annotations"][managed.LAST_APPLIED]
    assert json.loads(written) == config({"a": "2"})


def test_creating_and_updating():
    obj = config({"a": "1"}, labels={"x": "y"}, uid="u", creationTimestamp=T0)
    entries = update(None, obj, "kubectl-create", now=T0)
    assert [entry["fieldsV1"] for entry in entries] == [
        {
            "f:data": {".": {}, "f:a": {}},
            "f:metadata": {"f:labels": {".": {}, "f:x": {}}},
        }
    ]
    live = config({"a": "1"}, labels={"x": "y"}, managedFields=entries)
    new = config({"a": "2", "b": "3"}, labels={"x": "y"})
    entries = update(live, new)
    assert [(e["manager"], e["time"]) for e in entries] == [
        ("kubectl-create", T0),
        ("kubectl-edit", T1),
    ]
    assert entries[0]["fieldsV1"]["f:data"] == {}
    assert entries[1]["fieldsV1"] == data("a", "b")


def test_an_update_that_changes_nothing_returns_the_same_list():
    live = config({"a": "1"})
    live["metadata"]["managedFields"] = update(None, live)
    assert update(live, copy.deepcopy(live), "other") is live["metadata"]["managedFields"]
    # A server's own bookkeeping counts as no change.
    new = config({"a": "1"}, resourceVersion="9", generation=4)
    assert update(live, new, "other") is live["metadata"]["managedFields"]


def test_removed_fields_belong_to_nobody():
    live = config({"a": "1", "b": "2"})
    live["metadata"]["managedFields"] = update(None, live, "one", now=T0)
    entries = update(live, config({"a": "1"}), "two")
    assert [(e["manager"], e["fieldsV1"]) for e in entries] == [
        ("one", {"f:data": {".": {}, "f:a": {}}})
    ]


def test_clients_may_forget_and_may_send_their_own():
    live = config({"a": "1"})
    live["metadata"]["managedFields"] = update(None, live, "one")
    assert update(live, config({"a": "2"}, managedFields=[])) is None
    assert update(live, config({"a": "2"}, managedFields=[{}])) is None
    sent = [dict(live["metadata"]["managedFields"][0], manager="renamed")]
    entries = update(live, config({"a": "1"}, managedFields=sent))
    assert [entry["manager"] for entry in entries] == ["renamed"]
    broken = [{"manager": "x", "operation": "Delete"}]
    entries = update(live, config({"a": "1", "b": "2"}, managedFields=broken))
    assert [entry["manager"] for entry in entries] == ["kubectl-edit", "one"]
    assert update(config({"a": "1"}), config({"a": "2"})) is None


def test_status_is_owned_through_its_subresource_alone():
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"nodeName": "n"},
        "status": {"phase": "Pending"},
    }
    entries = update(None, pod, schema=POD)
    assert entries[0]["fieldsV1"] == {"f:spec": {"f:nodeName": {}}}
    pod["metadata"]["managedFields"] = entries
    ready = {"type": "Ready", "status": "True"}
    new = pod | {"status": {"phase": "Running", "conditions": [ready]}}
    entries = update(pod, new, "kubelet", schema=POD, subresource="status")
    assert entries[1]["manager"] == "kubelet"
    assert entries[1]["subresource"] == "status"
    assert entries[1]["fieldsV1"] == {
        "f:status": {
            "f:conditions": {
                ".": {},
                'k:{"type":"Ready"}': {".": {}, "f:status": {}, "f:type": {}},
            },
            "f:phase": {},
        }
    }
    assert entries[0] is pod["metadata"]["managedFields"][0]


def test_old_updaters_are_merged_into_one():
    live = config({})
    live["metadata"]["managedFields"] = update(None, config({"k0": "0"}), "m0", now=T0)
    live["data"] = {"k0": "0"}
    for number in range(1, 14):
        new = config({**live["data"], f"k{number}": str(number)})
        entries = update(live, new, f"m{number}", now=f"2026-01-01T00:01:{number:02}Z")
        live = new
        live["metadata"]["managedFields"] = entries
    names = [entry["manager"] for entry in live["metadata"]["managedFields"]]
    assert len(names) == managed.MAX_UPDATE_MANAGERS
    assert names[0] == "ancient-changes"
    assert names[1:] == [f"m{number}" for number in range(5, 14)]
    oldest = live["metadata"]["managedFields"][0]
    assert set(oldest["fieldsV1"]["f:data"]) == {".", "f:k0", "f:k1", "f:k2", "f:k3", "f:k4"}
    assert oldest["time"] == "2026-01-01T00:01:04Z"


def test_custom_objects_are_owned_by_their_parts():
    obj = {"apiVersion": "x/v1", "kind": "W", "metadata": {"name": "w"}, "spec": {"size": 1}}
    entries = update(None, obj, schema=None)
    assert entries[0]["fieldsV1"] == {"f:spec": {".": {}, "f:size": {}}}
    obj["metadata"]["managedFields"] = entries
    patch = {"apiVersion": "x/v1", "kind": "W", "metadata": {"name": "w"}, "spec": {"size": 2}}
    with pytest.raises(Conflict, match=r'"kubectl-edit" using x/v1: \.spec\.size'):
        apply(obj, patch, schema=None)
