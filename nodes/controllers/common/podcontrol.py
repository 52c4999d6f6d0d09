"""Creating and deleting pods in the name of their controller, and saying so in events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from apimachinery.errors import ApiError, NotFound
from apimachinery.meta import Obj, name_of, namespace_of, owner_reference, uid_of
from nodes.client.events import NORMAL, WARNING, Recorder
from nodes.client.resources import PODS
from nodes.client.rest import Client
from nodes.controllers.common.refusals import is_terminating


class PodControl:
    """Pods of one controller's objects."""

    def __init__(self, client: Client, recorder: Recorder) -> None:
        self._client, self._recorder = client, recorder

    async def create(self, pod: Obj, owner: Obj) -> Obj | None:
        """Create a pod; None if its namespace is on its way out. Raises ApiError."""
        try:
            created = await self._client.create(pod, PODS)
        except ApiError as error:
            if is_terminating(error):
                return None
            self._recorder.event(owner, WARNING, "FailedCreate", f"Error creating: {error.message}")
            raise
        message = f"Created pod: {name_of(created)}"
        self._recorder.event(owner, NORMAL, "SuccessfulCreate", message)
        return created

    async def delete(self, pod: Obj, owner: Obj) -> None:
        """Delete a pod. Raises ApiError, NotFound without an event."""
        try:
            await self._client.delete(PODS, namespace_of(pod), name_of(pod), uid=uid_of(pod))
        except NotFound:
            raise
        except ApiError as error:
            message = f"Error deleting: {error.message}"
            self._recorder.event(owner, WARNING, "FailedDelete", message)
            raise
        message = f"Deleted pod: {name_of(pod)}"
        self._recorder.event(owner, NORMAL, "SuccessfulDelete", message)

    async def delete_all(
        self, pods: Iterable[Obj], owner: Obj, unseen: Callable[[Obj], None]
    ) -> list[ApiError | None]:
        """Delete pods together; return what was refused, pod by pod, None for one that is gone.

        `unseen` is told of each pod whose deletion nobody is going to see.
        """

        async def attempt(pod: Obj) -> ApiError | None:
            try:
                await self.delete(pod, owner)
            except ApiError as error:
                unseen(pod)
                return None if isinstance(error, NotFound) else error
            return None

        return await asyncio.gather(*map(attempt, pods))


def first(errors: Iterable[ApiError | None]) -> ApiError | None:
    return next((error for error in errors if error is not None), None)


def pod_from_template(template: Obj, owner: Obj) -> Obj:
    """Build a pod of `owner`; it shares its spec with the template, which nobody changes."""
    given = template.get("metadata") or {}
    metadata: Obj = {
        "generateName": f"{name_of(owner)}-",
        "namespace": namespace_of(owner),
        "ownerReferences": [owner_reference(owner)],
    }
    for field in ("labels", "annotations", "finalizers"):
        if given.get(field):
            metadata[field] = given[field]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": template.get("spec") or {},
    }


async def slow_start(
    count: int, attempt: Callable[[], Awaitable[bool]]
) -> tuple[int, ApiError | None]:
    """Call `attempt` `count` times: once, then twice, then four times together, and so on.

    If they are all going to fail, one failure shows it. Returns how many went well (True), and
    the first error; after an error no further batch starts.
    """
    done, batch = 0, 1
    remaining = count
    while remaining > 0:
        size = min(batch, remaining)
        results = await asyncio.gather(*(attempt() for _ in range(size)), return_exceptions=True)
        errors = [one for one in results if isinstance(one, BaseException)]
        done += sum(1 for one in results if one is True)
        for error in errors:
            if not isinstance(error, ApiError):
                raise error
        if errors and isinstance(errors[0], ApiError):
            return done, errors[0]
        remaining -= size
        batch *= 2
    return done, None
