"""Server-side apply: what holds whatever is applied, by whomever, in whatever order."""

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from apimachinery.apply import fieldset, managed, walk
from apimachinery.apply.plans import plan_of
from apimachinery.errors import Conflict
from apimachinery.gvk import CORE_V1
from apimachinery.schema import types

SCHEMA = types().type_of(CORE_V1.kind("Pod"))
PLAN = plan_of(SCHEMA)
QUICK = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def one_of(*values):
    return st.sampled_from(values)


def keyed(item, *keys):
    def key(made):
        return tuple(made.get(name, "TCP") for name in keys)

    return st.lists(item, min_size=1, max_size=3, unique_by=key)


ENV = st.fixed_dictionaries({"name": one_of("A", "B")}, optional={"value": one_of("1", "2")})
PORT = st.fixed_dictionaries(
    {"containerPort": one_of(80, 443)},
    optional={"protocol": one_of("TCP", "UDP"), "name": one_of("p", "q")},
)
CONTAINER = st.fixed_dictionaries(
    {"name": one_of("a", "b", "c")},
    optional={
        "image": one_of("x", "y"),
        "env": keyed(ENV, "name"),
        "ports": keyed(PORT, "containerPort", "protocol"),
        "command": one_of(["x"], ["y", "z"]),
        "resources": one_of({"limits": {"cpu": "1"}}, {"requests": {"cpu": "1", "memory": "1"}}),
    },
)
SPEC = st.fixed_dictionaries(
    {},
    optional={
        "containers": keyed(CONTAINER, "name"),
        "nodeSelector": one_of({"a": "1"}, {"b": "2"}),
        "tolerations": one_of([{"key": "a"}], [{"key": "b"}]),
        "hostNetwork": st.booleans(),
        "priority": one_of(1, 2),
    },
)
LABELS = st.dictionaries(one_of("k", "l", "m"), one_of("1", "2"), min_size=1, max_size=2)


@st.composite
def configs(draw):
    made = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    if draw(st.booleans()):
        made["metadata"]["labels"] = draw(LABELS)
    spec = draw(SPEC)
    return {**made, "spec": spec} if spec else made


def apply(live, config, manager, *, force=False, now="2026-01-01T00:00:00Z"):
    return managed.apply_patch(
        live, config, SCHEMA, manager, force=force, now=now, api_version="v1", reset={}
    )


def owners(obj):
    entries = (obj or {}).get("metadata", {}).get("managedFields", [])
    return {entry["manager"]: entry["fieldsV1"] for entry in entries}


def content(obj):
    """Return an object without its managers, with keyed lists by their keys."""
    meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return by_key(PLAN, {**obj, "metadata": meta})


def by_key(plan, value):
    if isinstance(value, dict):
        known = plan.fields if plan.struct else {}
        return {
            key: by_key(known[key].plan if key in known else plan.item, part)
            for key, part in value.items()
        }
    if isinstance(value, list) and plan.keys:
        return {plan.element(item): by_key(plan.item, item) for item in value}
    return value


@QUICK
@given(configs(), configs())
def test_apply_twice_is_apply_once(first, config):
    live = apply(apply(None, first, "other"), config, "me", force=True)
    again = apply(live, config, "me", now="2026-01-01T00:00:09Z")
    assert again == live


@QUICK
@given(configs(), configs())
def test_two_managers_own_the_same_in_either_order(one, other):
    try:
        first = apply(apply(None, one, "one"), other, "other")
        second = apply(apply(None, other, "other"), one, "one")
    except Conflict:
        assume(False)
    assert owners(first) == owners(second)
    assert content(first) == content(second)


@QUICK
@given(configs(), configs())
def test_force_takes_over_what_conflicts_and_nothing_else(one, other):
    live = apply(None, one, "one")
    try:
        apply(live, other, "other")
    except Conflict as refusal:
        conflicts = {cause["field"] for cause in refusal.details["causes"]}
    else:
        conflicts = set()
    forced = apply(live, other, "other", force=True)
    before, after = owners(live).get("one", {}), owners(forced).get("one", {})
    lost = {fieldset.path_text(path) for path in fieldset.members(before)} - {
        fieldset.path_text(path) for path in fieldset.members(after)
    }
    assert lost == conflicts


@QUICK
@given(configs(), configs())
def test_who_applies_nothing_more_leaves_what_others_own(one, other):
    nothing = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    live = apply(apply(None, one, "one"), other, "other", force=True)
    left = apply(live, nothing, "other")
    assert "other" not in owners(left)
    assert owners(left).get("one") == owners(live).get("one")
    kept = walk.field_set(PLAN, {key: left[key] for key in left if key not in ("kind", "metadata")})
    for path in fieldset.members(owners(left).get("one", {})):
        if path[0] == "f:spec":
            assert fieldset.has(kept, path)


@QUICK
@given(configs(), configs())
def test_what_is_applied_is_there(first, config):
    live = apply(apply(None, first, "other"), config, "me", force=True)
    assert content(apply(live, config, "third")) == content(live)
    spec = {key: value for key, value in config.items() if key == "spec"}
    claims = walk.field_set(PLAN, spec)
    assert fieldset.difference(claims, owners(live).get("me", {})) == {}
    assert not walk.compare(PLAN, live, walk.merge(PLAN, live, config)).changed
