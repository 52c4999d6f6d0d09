"""ClusterRoles that are the sum of others: whatever their selectors find."""

from __future__ import annotations

from apimachinery.labels import from_label_selector
from apimachinery.meta import Obj, labels_of, name_of
from nodes.client.controller import DONE, Result
from nodes.client.lister import Key, key_of
from nodes.client.resources import CLUSTERROLES
from nodes.controllers.common.base import ManagedController


class ClusterRoleAggregationController(ManagedController):
    """Keys are ClusterRoles with an aggregation rule."""

    name = "clusterrole-aggregation-controller"
    service_account = "clusterrole-aggregation-controller"
    component = "clusterrole-aggregation-controller"
    reconciles = CLUSTERROLES

    def on_object(self, old: Obj | None, new: Obj | None) -> None:
        for role in self.informer(CLUSTERROLES).list():
            if role.get("aggregationRule") is not None:
                self.queue.add(key_of(role))

    async def reconcile(self, key: Key) -> Result:
        role = self.informer(CLUSTERROLES).get(*key)
        if role is None or role.get("aggregationRule") is None:
            return DONE
        rules = self._sum(role)
        if rules != (role.get("rules") or []):
            await self.client.update({**role, "rules": rules}, resource=CLUSTERROLES)
        return DONE

    def _sum(self, role: Obj) -> list[Obj]:
        """Return the rules of all that is selected, each once, in the order of names."""
        roles = sorted(self.informer(CLUSTERROLES).list(), key=name_of)
        rules: list[Obj] = []
        for given in role["aggregationRule"].get("clusterRoleSelectors") or ():
            selector = from_label_selector(given)
            for one in roles:
                if name_of(one) == name_of(role) or not selector.matches(labels_of(one)):
                    continue
                rules += [rule for rule in one.get("rules") or () if rule not in rules]
        return rules
