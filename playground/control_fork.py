"""Control API: a new cluster that begins as another was at a revision.

POST /kubeground/v1/clusters/NAME/fork {"name", "revision"?, "owner"?, "expires"?}
"""

from __future__ import annotations

from typing import Any

from apimachinery.errors import Expired, Invalid
from apimachinery.validation.field import FieldErrors, Path, invalid
from apiserver.endpoints.past import require
from apiserver.storage import Compacted
from playground import control_clusters
from playground.control_call import Answer, Call, Routes


async def fork(call: Call) -> Answer:
    source = call.cluster()
    wanted: dict[str, Any] = {
        "revision": source.store.revision,
        "owner": "",
        "expires": None,
        **call.json(),
    }
    if errors := [*control_clusters.new_errors(wanted), *_revision_errors(wanted["revision"])]:
        raise Invalid(control_clusters.KIND, str(wanted.get("name") or ""), errors)
    require(source.store, wanted["revision"])
    try:
        made = await call.fleet.fork(
            source,
            wanted["revision"],
            name=wanted["name"],
            owner=wanted["owner"],
            expires=wanted["expires"],
        )
    except Compacted as gone:
        raise Expired(str(gone)) from None
    kubeconfig = made.admin_kubeconfig(holder=wanted["owner"])
    return 201, control_clusters.summary(made) | {"kubeconfig": kubeconfig}


def _revision_errors(revision: Any) -> FieldErrors:
    if isinstance(revision, bool) or not isinstance(revision, int) or revision < 0:
        yield invalid(Path("revision"), revision, "must be a revision of the cluster")


ROUTES: Routes = {("POST", 2, "fork"): fork}
