"""Objects are written once more, so that they are stored in the present version of their kind.

kube-controller-manager has two loops for this: one notes the revision up to which objects are old,
the other one writes them. What has changed since is stored as it should be.
"""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.clock import parse_time
from apimachinery.errors import ApiError, Conflict, NotFound
from apimachinery.meta import Obj, is_deleting, replace_in
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key
from nodes.client.resources import CUSTOMRESOURCEDEFINITIONS, STORAGEVERSIONMIGRATIONS, Res
from nodes.controllers.common.base import ManagedController
from nodes.controllers.common.conditions import condition, find, is_true, put_last

SUCCEEDED, FAILED, RUNNING = "Succeeded", "Failed", "Running"
_REASONS = {
    SUCCEEDED: "StorageVersionMigrationSucceeded",
    FAILED: "StorageVersionMigrationFailed",
    RUNNING: "StorageVersionMigrationInProgress",
}
# How long a kind may take to be known (seconds), and how often it is looked for.
_PATIENCE, _LOOK_AGAIN = 60.0, 5.0
_AGAIN = frozenset({429, 500, 503, 504})


class StorageVersionMigrator(ManagedController):
    """Keys are StorageVersionMigrations."""

    name = "storage-version-migrator-controller"
    service_account = "storage-version-migrator-controller"
    component = "storage-version-migrator-controller"
    reconciles = STORAGEVERSIONMIGRATIONS
    workers = 5

    async def reconcile(self, key: Key) -> Result:
        migration = self.informer(STORAGEVERSIONMIGRATIONS).get(*key)
        if migration is None or is_deleting(migration) or _is_over(migration):
            return DONE
        resource = self._resource(migration)
        if resource is None:
            made = parse_time(migration["metadata"]["creationTimestamp"]).timestamp()
            if made + _PATIENCE > self.clock.seconds():
                return Result(requeue_after=_LOOK_AGAIN)
            await self._set(migration, FAILED, "resource does not exist in discovery")
            return DONE
        if not (migration.get("status") or {}).get("resourceVersion"):
            _, revision = await self.client.list(resource)
            changed = replace_in(migration, ("status", "resourceVersion"), str(revision))
            await self.client.update_status(changed, STORAGEVERSIONMIGRATIONS)
            return DONE
        # A conflict where the cache does not show yet that all has been written.
        migration = await self._set(migration, RUNNING)
        await self._migrate(migration, resource)
        return DONE

    def _resource(self, migration: Obj) -> Res | None:
        wanted = migration["spec"]["resource"]
        named = (wanted.get("group") or "", wanted["resource"])
        served = self.manager.served.resources()
        return next((one for one in served if (one.group, one.plural) == named), None)

    async def _migrate(self, migration: Obj, resource: Res) -> None:
        definition = await self._definition(resource)
        until = int(migration["status"]["resourceVersion"])
        objects, _ = await self.client.list(resource)
        for obj in objects:
            if int(obj["metadata"]["resourceVersion"]) > until:
                continue
            try:
                await self._write(obj, resource)
            except (Conflict, NotFound):
                continue  # it has been written, or is gone
            except ApiError as error:
                if error.code in _AGAIN:
                    raise
                words = f"migration encountered unhandled error: {error.message}"
                await self._set(migration, FAILED, words)
                return
        if definition is not None:
            await self._forget_versions(definition)
        await self._set(migration, SUCCEEDED)

    async def _write(self, obj: Obj, resource: Res) -> None:
        """Apply nothing: the API server stores what it would store differently."""
        named = ("name", "namespace", "uid", "resourceVersion")
        metadata = {key: value for key, value in obj["metadata"].items() if key in named}
        nothing = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": metadata,
        }
        await self.client.apply(resource, nothing, self.name)

    async def _definition(self, resource: Res) -> Obj | None:
        name = f"{resource.plural}.{resource.group}"
        return await self.client.find(CUSTOMRESOURCEDEFINITIONS, "", name)

    async def _forget_versions(self, definition: Obj) -> None:
        """Say of a custom kind that all is stored in one version, if that has not changed."""
        versions = definition["spec"]["versions"]
        stored = [one["name"] for one in versions if one.get("storage")]
        if definition["status"].get("storedVersions") != stored:
            changed = replace_in(definition, ("status", "storedVersions"), stored)
            try:
                await self.client.update_status(changed, CUSTOMRESOURCEDEFINITIONS)
            except (Conflict, NotFound):
                return

    async def _set(self, migration: Obj, kind: str, message: str = "") -> Obj:
        """Say how far a migration has come; one that is over runs no more."""
        conditions, now = _conditions(migration), self.clock.timestamp()
        if kind != RUNNING and find(conditions, RUNNING) is not None:
            over = condition(RUNNING, "False", _REASONS[RUNNING], "", now)
            conditions = put_last(conditions, over)
        conditions = put_last(conditions, condition(kind, "True", _REASONS[kind], message, now))
        changed = replace_in(migration, ("status", "conditions"), conditions)
        return await self.client.update_status(changed, STORAGEVERSIONMIGRATIONS)


def _conditions(migration: Obj) -> Sequence[Obj]:
    return (migration.get("status") or {}).get("conditions") or ()


def _is_over(migration: Obj) -> bool:
    return any(is_true(_conditions(migration), kind) for kind in (SUCCEEDED, FAILED))
