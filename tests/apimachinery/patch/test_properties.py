"""Strategic merge patches: what holds for all objects and patches of them."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from apimachinery.gvk import CORE_V1
from apimachinery.patch import json, merge, strategic
from apimachinery.schema import types
from tests.apimachinery.apply.test_properties import PLAN, QUICK, SPEC, configs

POD = types().type_of(CORE_V1.kind("Pod"))


def difference(old, new, plan=PLAN):
    """Return the patch that makes `new` of `old`: what kubectl sends, written naively."""
    patch = {name: None for name in old if name not in new}
    for name, value in new.items():
        if old.get(name) == value:
            continue
        field = plan.fields.get(name) if plan.struct else None
        below = field.plan if field is not None else plan.item
        patch[name] = _part(old.get(name), value, below)
        if isinstance(value, list) and below.keys:
            key = field_key(plan, name)
            if isinstance(old.get(name), list):
                patch[f"$setElementOrder/{name}"] = [{key: item[key]} for item in value]
    return patch


def field_key(plan, name):
    return _schema(plan, name).patch_merge_key


def _schema(plan, name):
    return plan._schema.fields[name].schema  # a plan does not tell merge keys


def _part(old, new, plan):
    if isinstance(old, dict) and isinstance(new, dict) and plan.kind != 0:
        return difference(old, new, plan)
    if isinstance(new, list) and isinstance(old, list) and plan.keys:
        return _items(old, new, plan)
    return {"$patch": "replace", **new} if isinstance(old, dict) and isinstance(new, dict) else new


def _items(old, new, plan):
    key = plan.keys[0]
    before = {item[key]: item for item in old}
    after = {item[key] for item in new}
    gone = [{key: name, "$patch": "delete"} for name in before if name not in after]
    changed = [
        {key: item[key], **difference(before[item[key]], item, plan.item)}
        if item[key] in before
        else item
        for item in new
        if before.get(item[key]) != item
    ]
    return changed + gone


def one_protocol(obj):
    """Leave one port of a number: strategic patches know containerPort as their key alone."""
    for container in obj.get("spec", {}).get("containers", []):
        if "ports" in container:
            ports = {port["containerPort"]: port for port in container["ports"]}
            container["ports"] = list(ports.values())
    return obj


@QUICK
@given(configs(), configs())
def test_a_difference_makes_the_new_of_the_old(old, new):
    old, new = one_protocol(copy.deepcopy(old)), one_protocol(copy.deepcopy(new))
    before = copy.deepcopy(old)
    patch = difference(old, new)
    made = strategic.apply(old, patch, POD)
    assert made == new
    assert old == before
    assert strategic.apply(made, patch, POD) == new


@QUICK
@given(configs())
def test_an_object_is_a_patch_of_itself_that_changes_nothing(obj):
    one_protocol(obj)
    for patch in (obj, {}, None):
        assert strategic.apply(obj, patch, POD) == obj


@QUICK
@given(configs(), SPEC)
def test_what_is_patched_once_is_patched(obj, spec):
    obj, patch = one_protocol(obj), one_protocol({"spec": spec})
    once = strategic.apply(obj, patch, POD)
    assert strategic.apply(once, patch, POD) == once


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "a/b", "c~d"]), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from(["a", "b", "a/b", "c~d"]), VALUES, max_size=4)


def rfc7386(target, patch):
    """Merge as the RFC's own pseudo code does."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = rfc7386(target.get(name), value)
    return target


def listless(value):
    """Leave out what Kubernetes' library does besides: nulls inside of new lists."""
    if isinstance(value, dict):
        return {key: listless(part) for key, part in value.items()}
    return "list" if isinstance(value, list) else value


@QUICK
@given(OBJECTS, OBJECTS)
def test_merge_patches_are_those_of_the_rfc(doc, patch):
    assert merge.apply(doc, listless(patch)) == rfc7386(doc, listless(patch))


def pointers(value, path=""):
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, part in items:
        escaped = str(key).replace("~", "~0").replace("/", "~1")
        yield from pointers(part, f"{path}/{escaped}")


@QUICK
@given(OBJECTS, VALUES, st.data())
def test_json_patches_set_test_and_undo(doc, value, data):
    where = data.draw(st.sampled_from([*pointers(doc)][1:] or ["/a"]))
    had = where in [*pointers(doc)]
    there = [{"op": "test", "path": where, "value": value}]
    if had:
        made = json.apply(doc, [{"op": "replace", "path": where, "value": value}, *there])
    else:
        made = json.apply(doc, [{"op": "add", "path": where, "value": value}, *there])
        assert json.apply(made, [{"op": "remove", "path": where}]) == doc
    copied = json.apply(made, [{"op": "copy", "from": where, "path": "/new"}])
    assert json.same(copied["new"], value)
    moved = json.apply(copied, [{"op": "move", "from": "/new", "path": "/newer"}])
    assert json.same(moved.pop("newer"), value)
    assert moved == made
