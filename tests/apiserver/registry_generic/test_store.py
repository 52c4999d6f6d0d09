"""The generic registry, with kinds made for the purpose."""

import random

import pytest

from apimachinery.clock import ManualClock
from apimachinery.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from apimachinery.gvk import CORE_V1, GroupResource
from apimachinery.validation.field import Path, required
from apiserver.registry.deletion import DeleteOptions
from apiserver.registry.metadata import Identity
from apiserver.registry.objects import StoredObjects
from apiserver.registry.resource import Resource
from apiserver.registry.store import Registry, Writing
from apiserver.registry.strategy import Strategy
from apiserver.storage import Key
from tests.apiserver.endpoints.support import MemoryStore


class Things(Strategy):
    """Counts what it hands out, and notes the order in which it is asked."""

    has_generation = True

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.held = 0

    def prepare_for_create(self, obj, ctx):
        self.asked.append("prepare")
        self.held += 1

    def validate(self, obj, ctx):
        self.asked.append("validate")
        if "spec" not in obj:
            yield required(Path("spec"))

    def warnings_on_create(self, obj, ctx):
        return ["new"]

    def after_delete(self, obj, ctx):
        self.held -= 1


@pytest.fixture
def things() -> Resource:
    return Resource(
        kind=CORE_V1.kind("Thing"),
        plural="things",
        strategy=Things(),
        selectable={"spec.color": lambda obj: obj["spec"].get("color", "")},
    )


@pytest.fixture
def registry(clock: ManualClock) -> Registry:
    store = MemoryStore(clock)
    return Registry(store, clock, Identity(random.Random(1)), StoredObjects(store))


def writing(registry: Registry, *, check=None, dry_run: bool = False, warnings=None) -> Writing:
    ctx = registry.context("ann", "n", dry_run=dry_run)
    noted = warnings if warnings is not None else []
    return Writing(ctx, check or (lambda new, old: None), noted.extend, "ann", "trace-1")


def thing(name: str = "t", **spec) -> dict:
    return {"kind": "Thing", "apiVersion": "v1", "metadata": {"name": name}, "spec": spec}


KEY = Key("things", "n", "t")


async def test_the_order_of_a_creation(registry: Registry, things: Resource):
    asked, warnings = things.strategy.asked, []
    how = writing(registry, check=lambda new, old: asked.append("check"), warnings=warnings)
    stored = await registry.create(things, thing(color="red"), "n", how)
    assert asked == ["prepare", "validate", "check"]
    assert (stored.created, warnings) == (True, ["new"])
    assert stored.obj["metadata"]["generation"] == 1
    entry = registry.get(things, "n", "t")
    assert entry.obj() == stored.obj
    assert entry.field("spec.color") == "red"


@pytest.mark.parametrize("why", ["invalid", "refused", "taken"])
async def test_a_creation_that_fails_gives_back_what_it_took(registry, things, why):
    await registry.create(things, thing(), "n", writing(registry))
    body, how, error = thing("u"), writing(registry), Invalid
    if why == "invalid":
        del body["spec"]
    elif why == "taken":
        body, error = thing(), AlreadyExists
    else:
        error = Forbidden

        def refuse(new, old):
            raise Forbidden(GroupResource("", "things"), "u", "no")

        how = writing(registry, check=refuse)
    with pytest.raises(error):
        await registry.create(things, body, "n", how)
    assert things.strategy.held == 1


async def test_generated_names_are_tried_again(registry: Registry, things: Resource):
    made = iter(["t-1", "t-1", "t-2"])
    registry.identity.name = lambda base: next(made)  # type: ignore[method-assign]
    for expected in ("t-1", "t-2"):
        body = thing()
        body["metadata"] = {"generateName": "t-"}
        stored = await registry.create(things, body, "n", writing(registry))
        assert stored.obj["metadata"]["name"] == expected
    registry.identity.name = lambda base: "t-1"  # type: ignore[method-assign]
    body = thing()
    body["metadata"] = {"generateName": "t-"}
    with pytest.raises(AlreadyExists, match="not able to generate a unique name"):
        await registry.create(things, body, "n", writing(registry))


async def update(registry: Registry, things: Resource, change, **options):
    def make(old):
        return change({**old, "metadata": dict(old["metadata"])})

    how = writing(registry)
    return await registry.update(things, things.strategy, KEY, make, how, **options)


async def test_generations_count_changes_of_the_spec(registry: Registry, things: Resource):
    await registry.create(things, thing(), "n", writing(registry))
    changed = await update(registry, things, lambda obj: {**obj, "spec": {"a": 1}})
    assert changed.obj["metadata"]["generation"] == 2
    labelled = await update(
        registry,
        things,
        lambda obj: {**obj, "metadata": {**obj["metadata"], "labels": {"a": "b"}}},
    )
    assert labelled.obj["metadata"]["generation"] == 2
    status = await update(registry, things, lambda obj: {**obj, "status": {"x": 1}})
    assert status.obj["metadata"]["generation"] == 2


async def test_updates_of_the_wrong_object(registry: Registry, things: Resource):
    await registry.create(things, thing(), "n", writing(registry))

    def forged(obj):
        obj["metadata"]["uid"] = "other"
        return obj

    with pytest.raises(Conflict, match="Precondition failed: UID in precondition: other"):
        await update(registry, things, forged)
    missing = Key("things", "n", "absent")
    with pytest.raises(NotFound):
        await registry.update(things, things.strategy, missing, lambda old: {}, writing(registry))


async def test_an_update_may_create(registry: Registry, things: Resource):
    stored = await registry.update(
        things, things.strategy, KEY, lambda old: thing(), writing(registry), creates=True
    )
    assert (stored.created, registry.get(things, "n", "t").uid) == (
        True, stored.obj["metadata"]["uid"],
    )  # fmt: skip


async def test_kinds_may_insist_on_a_revision(registry: Registry, things: Resource):
    await registry.create(things, thing(), "n", writing(registry))
    things.strategy.allow_unconditional_update = False

    def unversioned(obj):
        del obj["metadata"]["resourceVersion"]
        return {**obj, "spec": {"a": 1}}

    with pytest.raises(Invalid, match="must be specified for an update"):
        await update(registry, things, unversioned)
    stored = await update(registry, things, lambda obj: {**obj, "spec": {"a": 1}})
    assert stored.obj["spec"] == {"a": 1}


async def test_the_last_finalizer_takes_the_object_along(registry: Registry, things: Resource):
    body = thing()
    body["metadata"]["finalizers"] = ["x/y"]
    await registry.create(things, body, "n", writing(registry))
    marked = await registry.delete(things, KEY, DeleteOptions(), writing(registry))
    assert (marked.gone, things.strategy.held) == (False, 1)

    def release(obj):
        del obj["metadata"]["finalizers"]
        return obj

    last = await update(registry, things, release)
    assert last.gone
    assert registry.store.get(KEY) is None
    assert things.strategy.held == 0


async def test_writes_say_who_and_why(registry: Registry, things: Resource):
    seen = []
    commit = registry.store.commit

    async def watched(write):
        seen.append((write.type, write.actor, write.trace))
        return await commit(write)

    registry.store.commit = watched  # type: ignore[method-assign]
    await registry.create(things, thing(), "n", writing(registry))
    await registry.delete(things, KEY, DeleteOptions(), writing(registry))
    assert seen == [("ADDED", "ann", "trace-1"), ("DELETED", "ann", "trace-1")]
