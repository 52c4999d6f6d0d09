"""What a new cluster starts with, by template: each is a file here and a line in the list.

A template that is broken on purpose says what does not work, never why.
"""

from __future__ import annotations

from collections.abc import Sequence

from apimachinery.meta import Obj
from playground.cluster_templates import bare, broken_dns, broken_scheduling, empty, large, zones
from playground.cluster_templates.features import CONTROL_PLANE, objects_of
from playground.cluster_templates.template import Template

TEMPLATES: dict[str, Template] = {
    template.name: template
    for template in (
        empty.TEMPLATE,
        zones.TEMPLATE,
        large.TEMPLATE,
        broken_scheduling.TEMPLATE,
        broken_dns.TEMPLATE,
        bare.TEMPLATE,
    )
}
DEFAULT = empty.TEMPLATE.name


def template_of(name: str) -> Template:
    """Return a template; a cluster whose template is gone goes on as a bare one."""
    return TEMPLATES.get(name, bare.TEMPLATE)


def features_of(
    template: Template, nodes: int, features: Sequence[str] | None = None
) -> Sequence[str]:
    """Return what is on in a new cluster: what was asked for, or what its template has.

    A cluster without nodes has no machine, for its control plane neither.
    """
    wanted = template.features if features is None else features
    return wanted if nodes else [name for name in wanted if name != CONTROL_PLANE]


def seeds_of(template: Template, now: str, features: Sequence[str]) -> list[Obj]:
    """Return what is stored with a new cluster in which these features are on."""
    return [*objects_of(features), *template.seeds(now)]
