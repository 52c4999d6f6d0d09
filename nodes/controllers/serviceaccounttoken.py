"""Secrets that hold a ServiceAccount's token: filled when they are made, gone with the account.

Only secrets that someone makes on purpose; pods have tokens of their own.
"""

from __future__ import annotations

import base64

from apimachinery.errors import NotFound
from apimachinery.meta import Obj, annotations_of, name_of, namespace_of, uid_of
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key, key_of
from nodes.client.resources import SECRETS, SERVICEACCOUNTS
from nodes.controllers.common.base import ManagedController

TYPE = "kubernetes.io/service-account-token"
ACCOUNT_NAME = "kubernetes.io/service-account.name"
ACCOUNT_UID = "kubernetes.io/service-account.uid"
_BY_ACCOUNT = "account"


def _by_account(secret: Obj) -> list[str]:
    account = annotations_of(secret).get(ACCOUNT_NAME)
    if secret.get("type") != TYPE or not account:
        return []
    return [f"{namespace_of(secret)}/{account}"]


class TokensController(ManagedController):
    """Keys are secrets. It acts as the manager itself, as the holder of the signing key."""

    name = "serviceaccount-token-controller"
    service_account = ""
    component = "serviceaccount-token-controller"
    reconciles = SECRETS

    def start(self) -> None:
        self.informer(SECRETS).add_index(_BY_ACCOUNT, _by_account)
        super().start()
        self.informer(SERVICEACCOUNTS).on_change(self._on_account)

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        secret = new if new is not None else old
        if secret is not None and _by_account(secret):
            super().on_object(old, new)

    def _on_account(self, old: Obj | None, new: Obj | None) -> None:
        account = new if new is not None else old
        if account is not None and (old is None or new is None):
            for secret in self.informer(SECRETS).by_index(_BY_ACCOUNT, str(key_of(account))):
                self.queue.add(key_of(secret))

    async def reconcile(self, key: Key) -> Result:
        secret = self.informer(SECRETS).get(*key)
        if secret is None:
            await self._forget(key)
            return DONE
        if not _by_account(secret):
            return DONE
        wanted = annotations_of(secret)[ACCOUNT_NAME]
        # A secret is not deleted on the word of a cache that may be behind.
        account = self.informer(SERVICEACCOUNTS).get(key.namespace, wanted)
        if account is None:
            account = await self.client.find(SERVICEACCOUNTS, key.namespace, wanted)
        given = annotations_of(secret).get(ACCOUNT_UID)
        if account is None or given not in (None, "", uid_of(account)):
            await self._delete(secret)
        else:
            await self._fill(secret, account)
        return DONE

    async def _forget(self, key: Key) -> None:
        """Let no account name a secret that is gone."""
        for account in self.informer(SERVICEACCOUNTS).list(key.namespace):
            named = account.get("secrets") or []
            left = [one for one in named if one.get("name") != key.name]
            if len(left) < len(named) and await self.client.find(SECRETS, *key) is None:
                await self.client.update({**account, "secrets": left}, resource=SERVICEACCOUNTS)

    async def _delete(self, secret: Obj) -> None:
        where = (namespace_of(secret), name_of(secret))
        try:
            await self.client.delete(SECRETS, *where, uid=uid_of(secret))
        except NotFound:
            return

    async def _fill(self, secret: Obj, account: Obj) -> None:
        authority = self.manager.authority
        if authority is None:
            return
        data = dict(secret.get("data") or {})
        ca = _encoded(self.manager.root_ca)
        if self.manager.root_ca and data.get("ca.crt") != ca:
            data["ca.crt"] = ca
        if not data.get("namespace"):
            data["namespace"] = _encoded(namespace_of(secret))
        if not data.get("token"):
            data["token"] = _encoded(authority.account_token(account, name_of(secret)))
        notes = annotations_of(secret) | {
            ACCOUNT_NAME: name_of(account),
            ACCOUNT_UID: uid_of(account),
        }
        if data == secret.get("data") and notes == annotations_of(secret):
            return
        metadata = {**secret["metadata"], "annotations": notes}
        await self.client.update({**secret, "metadata": metadata, "data": data}, resource=SECRETS)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
