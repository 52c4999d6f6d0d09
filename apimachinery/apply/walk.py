"""Walks over values by their plans: what fields a value has, what changed, merging, removing.

Comparing looks only into what differs, so a status update of a large object costs its status.
"""

from __future__ import annotations

from typing import Any

from apimachinery.apply import fieldset
from apimachinery.apply.fieldset import SELF, Node, Set
from apimachinery.apply.plans import DEDUCED, KEYED, LEAF, MAP, STRUCT, VALUES, Plan


def field_set(plan: Plan, value: Any) -> Set:
    """Return what an applied configuration claims: its leaves, and items of lists and maps."""
    made: Set = {}
    if not isinstance(value, dict):
        return made
    known = plan.fields if plan.kind == STRUCT else {}
    for key, child in value.items():
        field = known.get(key)
        child_plan = field.plan if field is not None else plan.item
        node = _claims(child_plan, child)
        if field is None:
            made[f"f:{key}"] = _as_member(node)
        elif node is not None:
            made[field.element] = node
    return made


def _as_member(node: Node | None) -> Node:
    return {SELF: {}, **node} if node and SELF not in node else node or {}


def _claims(plan: Plan, value: Any) -> Node | None:
    """Return the node of a field; None where it claims nothing (empty keyed lists)."""
    if value is None or plan.kind == LEAF or (isinstance(value, dict) and not value):
        return {}
    if plan.kind in (KEYED, VALUES):
        return _item_claims(plan, value) if isinstance(value, list) else {}
    return (field_set(plan, value) or None) if isinstance(value, dict) else {}


def _item_claims(plan: Plan, items: list[Any]) -> Node | None:
    made: Node = {}
    for item in items:
        element = plan.element(item)
        if element is None:
            continue
        made[element] = {} if plan.kind == VALUES else _as_member(_claims(plan.item, item))
    return made or None


def whole(plan: Plan, value: Any) -> Node:
    """Return the node of a value that is wholly new: every part of it, itself included."""
    kind = plan.kind
    if kind == LEAF or not value:
        return {}
    if kind == STRUCT and isinstance(value, dict):
        node: Node = {SELF: {}}
        known = plan.fields
        for key, child in value.items():
            field = known.get(key)
            if field is None:
                node[f"f:{key}"] = whole(plan.item, child)
            elif field.plan.kind == LEAF:
                node[field.element] = {}
            else:
                node[field.element] = whole(field.plan, child)
        return node
    if isinstance(value, dict) and kind in (MAP, DEDUCED):
        item = plan.item
        return {SELF: {}} | {f"f:{key}": whole(item, child) for key, child in value.items()}
    if isinstance(value, list) and kind in (KEYED, VALUES):
        return {SELF: {}} | _whole_items(plan, value)
    return {}


def _whole_items(plan: Plan, items: list[Any]) -> Node:
    made: Node = {}
    for item in items:
        element = plan.element(item)
        if element is None:
            continue
        # What a list has twice is owned as a whole.
        double = element in made or plan.kind == VALUES
        made[element] = {} if double else whole(plan.item, item)
    return made


def created(plan: Plan, value: dict[str, Any]) -> Set:
    """Return what a new object has beyond an empty one of its Go type.

    Structs that Go holds by value are there from the start, so they are not members themselves.
    """
    if plan.kind != STRUCT:
        return {f"f:{key}": whole(plan.item, child) for key, child in value.items()}
    made: Set = {}
    known = plan.fields
    for key, child in value.items():
        field = known.get(key)
        if field is None:
            made[f"f:{key}"] = whole(plan.item, child)
        elif field.inline:
            _created_inline(made, field.element, field.plan, child)
        elif field.plan.kind == LEAF:
            if not field.present or child != field.zero:
                made[field.element] = {}
        else:
            node = whole(field.plan, child)
            made[field.element] = _without_self(node) if field.present else node
    return made


def _created_inline(made: Set, element: str, plan: Plan, value: Any) -> None:
    if plan.kind == LEAF:
        if value:
            made[element] = {}
    elif isinstance(value, dict) and (node := created(plan, value)):
        made[element] = node


def _without_self(node: Node) -> Node:
    return {key: child for key, child in node.items() if key != SELF}


class Comparison:
    """What is new or different in `changed`, what is gone in `removed`."""

    __slots__ = ("changed", "removed")

    def __init__(self, changed: Set, removed: Set) -> None:
        self.changed = changed
        self.removed = removed

    @property
    def same(self) -> bool:
        return not self.changed and not self.removed


def compare(plan: Plan, old: dict[str, Any], new: dict[str, Any]) -> Comparison:
    """Compare two objects of a type."""
    changed: Set = {}
    removed: Set = {}
    _compare_maps(plan, old, new, changed, removed)
    return Comparison(changed, removed)


def _compare_maps(
    plan: Plan, old: dict[str, Any], new: dict[str, Any], changed: Set, removed: Set
) -> None:
    known = plan.fields if plan.kind == STRUCT else None
    for key, theirs in new.items():
        if key in old:
            ours = old[key]
            if ours is not theirs and ours != theirs:
                field = known.get(key) if known else None
                child = field.plan if field is not None else plan.item
                _descend(child, f"f:{key}", (ours, theirs), changed, removed)
        else:
            field = known.get(key) if known else None
            changed[f"f:{key}"] = whole(field.plan if field else plan.item, theirs)
    for key, ours in old.items():
        if key not in new:
            field = known.get(key) if known else None
            removed[f"f:{key}"] = whole(field.plan if field else plan.item, ours)


def _descend(plan: Plan, element: str, values: tuple[Any, Any], changed: Set, removed: Set) -> None:
    """Compare two different values below a path element, adding what is found."""
    old, new = values
    kind = plan.kind
    below_changed: Set = {}
    below_removed: Set = {}
    if kind in (STRUCT, MAP, DEDUCED) and _parts(old, new, dict):
        _compare_maps(plan, old or {}, new or {}, below_changed, below_removed)
    elif kind in (KEYED, VALUES) and _parts(old, new, list):
        _compare_items(plan, (old or [], new or []), below_changed, below_removed)
    else:
        changed[element] = {}
        return
    if below_changed:
        changed[element] = below_changed
    if below_removed:
        removed[element] = below_removed


def _parts(old: Any, new: Any, kind: type) -> bool:
    """Tell whether both are containers (or null) and one of them has something in it."""
    return (
        (old is None or isinstance(old, kind))
        and (new is None or isinstance(new, kind))
        and bool(old or new)
    )


def _compare_items(
    plan: Plan, lists: tuple[list[Any], list[Any]], changed: Set, removed: Set
) -> None:
    before, after = (_grouped(plan, items) for items in lists)
    for element, items in after.items():
        ours = before.get(element)
        if ours != items:
            _compare_same_key(plan, element, (ours or [], items), changed, removed)
    for element, items in before.items():
        if element not in after:
            removed[element] = {} if len(items) > 1 else _whole_item(plan, items[0])


def _compare_same_key(
    plan: Plan, element: str, items: tuple[list[Any], list[Any]], changed: Set, removed: Set
) -> None:
    """Compare the items with one key. Where there are several, they count as one value."""
    ours, theirs = items
    if len(ours) == 1 and len(theirs) == 1:
        _descend(plan.item, element, (ours[0], theirs[0]), changed, removed)
    elif len(theirs) == 1:
        changed[element] = _whole_item(plan, theirs[0])
        if ours:
            removed[element] = {}
    else:
        changed[element] = {}
        if len(ours) == 1:
            removed[element] = _whole_item(plan, ours[0])


def _whole_item(plan: Plan, item: Any) -> Node:
    return {} if plan.kind == VALUES else whole(plan.item, item)


def _grouped(plan: Plan, items: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in items:
        element = plan.element(item)
        if element is not None:
            found.setdefault(element, []).append(item)
    return found


def merge(plan: Plan, live: Any, applied: Any) -> Any:
    """Return the live value with the applied one merged in."""
    kind = plan.kind
    if kind in (STRUCT, MAP, DEDUCED) and isinstance(live, dict) and isinstance(applied, dict):
        known = plan.fields if kind == STRUCT else {}
        merged = dict(live)
        for key, value in applied.items():
            field = known.get(key)
            child = field.plan if field is not None else plan.item
            merged[key] = merge(child, live[key], value) if key in live else value
        return merged
    if kind in (KEYED, VALUES) and isinstance(live, list) and isinstance(applied, list):
        return _merge_items(plan, live, applied) if applied else live
    # What has parts is not emptied by null: it is its managers' to remove them.
    return live if applied is None and kind != LEAF and live and _has_parts(live) else applied


def _has_parts(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _merge_items(plan: Plan, live: list[Any], applied: list[Any]) -> list[Any]:
    """Merge keyed lists: the applied order wins, items of the live list alone keep their place.

    What the live list has twice under a key stays so, unless that key is applied.
    """
    before = _grouped(plan, live)
    after = {element: items[0] for element, items in _grouped(plan, applied).items()}
    left = [(element, item) for item in live if (element := plan.element(item)) is not None]
    right = list(after)
    shared = [element for element in right if element in before]
    merged: list[Any] = []
    done: set[str] = set()
    at_left = at_right = at_shared = 0
    while at_left < len(left) or at_right < len(right):
        one, item = left[at_left] if at_left < len(left) else (None, None)
        other = right[at_right] if at_right < len(right) else None
        if one is not None and one not in after:
            merged.append(item)
            at_left += 1
        elif (
            one is not None
            and one != other
            and other is not None
            and _waits(shared, at_shared, one)
        ):
            at_left += 1  # its turn comes with the applied order
        elif other is not None:
            ours = before.get(other, ())
            theirs = after[other]
            merged.append(merge(plan.item, ours[0], theirs) if len(ours) == 1 else theirs)
            # A double of what was merged already goes with it.
            at_left += one == other or one in done
            at_right += 1
            done.add(other)
            at_shared += other in before
        else:
            at_left += 1
    return merged


def _waits(shared: list[str], at: int, element: str) -> bool:
    return at < len(shared) and shared[at] != element


def remove(plan: Plan, value: Any, fields: Set) -> Any:
    """Return the value without the members of the set; None where nothing is left.

    So a field of which nothing is left is null: it still counts as there where ownership is
    compared.
    """
    if not fields or not value:
        return value
    kind = plan.kind
    if kind in (STRUCT, MAP, DEDUCED) and isinstance(value, dict):
        return _remove_fields(plan, value, fields)
    if kind in (KEYED, VALUES) and isinstance(value, list):
        return _remove_items(plan, value, fields)
    return None


def _remove_fields(plan: Plan, value: dict[str, Any], fields: Set) -> dict[str, Any] | None:
    known = plan.fields if plan.kind == STRUCT else {}
    left: dict[str, Any] = {}
    for key, child in value.items():
        node = fields.get(f"f:{key}")
        if node is None:
            left[key] = child
        elif not fieldset.is_member(node):
            field = known.get(key)
            below = field.plan if field is not None else plan.item
            left[key] = remove(below, child, node)
    return left or None


def _remove_items(plan: Plan, items: list[Any], fields: Set) -> list[Any] | None:
    left: list[Any] = []
    for item in items:
        element = plan.element(item)
        node = fields.get(element) if element is not None else None
        if node is None:
            left.append(item)
        elif not fieldset.is_member(node):
            left.append(remove(plan.item, item, node))
    return left or None


def with_named_fields(plan: Plan, fields: Set) -> Set:
    """Return the set with the structs on the way to its members as members themselves."""
    known = plan.fields if plan.kind == STRUCT else {}
    made: Set = {}
    for element, node in fields.items():
        if element == SELF or not node:
            made[element] = node
            continue
        field = known.get(element[2:]) if element[0] == "f" else None
        below = with_named_fields(field.plan if field is not None else plan.item, node)
        if field is not None and SELF not in below:
            below = {SELF: {}, **below}
        made[element] = below
    return made
