"""Objects are written once more, so that they are stored in the present version of their kind.

kube-controller-manager has two loops for this: one notes the revision up to which objects are old,
the other one writes them. What has changed since is stored as it should be.
"""

from __future__ import annotations

from apimachinery.clock import parse_time
from apimachinery.errors import ApiError, Conflict, NotFound
from apimachinery.meta import Obj, is_deleting, name_of, namespace_of, replace_in, uid_of
from apimachinery.nodes import condition, condition_status
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key
from nodes.client.resources import CUSTOMRESOURCEDEFINITIONS, STORAGEVERSIONMIGRATIONS, Res
from nodes.controllers.common.base import ManagedController

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
        await self._set(migration, SUCCEEDED)
        if definition is not None:
            await self._forget_versions(definition)

    async def _write(self, obj: Obj, resource: Res) -> None:
        """Apply nothing: the API server stores what it would store differently."""
        metadata = {"name": name_of(obj), "uid": uid_of(obj)}
        metadata["resourceVersion"] = obj["metadata"]["resourceVersion"]
        if namespace := namespace_of(obj):
            metadata["namespace"] = namespace
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
        if condition_status(migration, kind) == "True":
            return migration
        told = [(kind, "True", message)]
        if kind != RUNNING and condition(migration, RUNNING) is not None:
            told.insert(0, (RUNNING, "False", ""))
        conditions = (migration.get("status") or {}).get("conditions") or []
        kept = [one for one in conditions if one["type"] not in {name for name, _, _ in told}]
        now = self.clock.timestamp()
        made = [
            {
                "type": name,
                "status": status,
                "lastTransitionTime": now,
                "reason": _REASONS[name],
                "message": words,
            }
            for name, status, words in told
        ]
        changed = replace_in(migration, ("status", "conditions"), [*kept, *made])
        return await self.client.update_status(changed, STORAGEVERSIONMIGRATIONS)


def _is_over(migration: Obj) -> bool:
    return any(condition_status(migration, kind) == "True" for kind in (SUCCEEDED, FAILED))
