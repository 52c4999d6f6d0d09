"""Everlasting tokens that nobody has used for a year are made invalid, and gone a year later.

Only those are meant that the cluster once made by itself: a service account lists them among its
secrets. One that a pod mounts stays. Each is looked at again when its next date has come.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apimachinery.clock import parse_time
from apimachinery.errors import NotFound
from apimachinery.meta import Obj, annotations_of, labels_of, name_of, namespace_of, uid_of
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key, key_of
from nodes.client.resources import CONFIGMAPS, PODS, SECRETS, SERVICEACCOUNTS
from nodes.controllers.common.base import ManagedController
from nodes.controllers.serviceaccounttoken import ACCOUNT_NAME, ACCOUNT_UID, TYPE

# kube-controller-manager's --legacy-service-account-token-clean-up-period.
PERIOD = timedelta(days=365)
LAST_USED = "kubernetes.io/legacy-token-last-used"
INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since"
# Since when the API server notes the use of such tokens.
_TRACKING = ("kube-system", "kube-apiserver-legacy-service-account-token-tracking")


class LegacyTokenCleaner(ManagedController):
    """Keys are secrets."""

    name = "legacy-serviceaccount-token-cleaner-controller"
    service_account = "legacy-service-account-token-cleaner"
    component = "legacy-service-account-token-cleaner"
    reconciles = SECRETS

    def start(self) -> None:
        super().start()
        for resource in (CONFIGMAPS, PODS):
            self.informer(resource)
        self.informer(SERVICEACCOUNTS).on_change(self._on_account)

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and new.get("type") == TYPE:
            super().on_object(old, new)

    def _on_account(self, old: Obj | None, new: Obj | None) -> None:
        for one in (new or {}).get("secrets") or ():
            self.queue.add(Key(namespace_of(new or {}), one.get("name") or ""))

    async def reconcile(self, key: Key) -> Result:
        secret = self.informer(SECRETS).get(*key)
        if secret is None or secret.get("type") != TYPE or not self._is_old_style(secret):
            return DONE
        due = self._due(secret)
        if due is None:
            return DONE
        # A clock may call a moment early.
        if (left := (due - self.clock.now()).total_seconds()) > 1:
            return Result(requeue_after=left)
        if self._is_mounted(secret):
            return Result(requeue_after=timedelta(days=1).total_seconds())
        try:
            await self._act(secret)
        except NotFound:
            return DONE
        return DONE

    async def _act(self, secret: Obj) -> None:
        at = key_of(secret)
        if labels_of(secret).get(INVALID_SINCE):
            revision = secret["metadata"]["resourceVersion"]
            await self.client.delete(SECRETS, *at, uid=uid_of(secret), revision=revision)
            return
        today = self.clock.now().astimezone(UTC).date().isoformat()
        metadata = {
            "labels": {INVALID_SINCE: today},
            "uid": uid_of(secret),
            "resourceVersion": secret["metadata"]["resourceVersion"],
        }
        await self.client.patch(SECRETS, *at, {"metadata": metadata})

    def _due(self, secret: Obj) -> datetime | None:
        """Return when something is to happen to a token that is not used meanwhile."""
        tracking = self.informer(CONFIGMAPS).get(*_TRACKING)
        since = _date((tracking or {}).get("data", {}).get("since"))
        if since is None:
            return None
        labels = labels_of(secret)
        if labels.get(INVALID_SINCE):
            invalid = _date(labels[INVALID_SINCE])
            return None if invalid is None else invalid + PERIOD
        dates = [since, parse_time(secret["metadata"]["creationTimestamp"])]
        if used := _date(labels.get(LAST_USED)):
            # It counts to the end of its day.
            dates.append(used + timedelta(days=1))
        return max(dates) + PERIOD

    def _is_old_style(self, secret: Obj) -> bool:
        """Tell whether the secret was made for its account, and not by a user."""
        notes = annotations_of(secret)
        account = self.informer(SERVICEACCOUNTS).get(
            namespace_of(secret), notes.get(ACCOUNT_NAME) or ""
        )
        if account is None or uid_of(account) != notes.get(ACCOUNT_UID):
            return False
        return any(one.get("name") == name_of(secret) for one in account.get("secrets") or ())

    def _is_mounted(self, secret: Obj) -> bool:
        return any(
            (volume.get("secret") or {}).get("secretName") == name_of(secret)
            for pod in self.informer(PODS).list(namespace_of(secret))
            for volume in (pod.get("spec") or {}).get("volumes") or ()
        )


def _date(text: str | None) -> datetime | None:
    """Read a day; what is none is as if it were not there."""
    try:
        return datetime.fromisoformat(text or "").replace(tzinfo=UTC)
    except ValueError:
        return None
