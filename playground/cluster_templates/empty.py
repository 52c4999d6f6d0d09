"""The template to begin with: nodes that wait for work, and what a learner expects to find."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from playground.cluster_templates.features import ALL
from playground.cluster_templates.template import Template

TEMPLATE = Template(
    name="default",
    title=_("Empty"),
    purpose=_("Three nodes and nothing on them: the place to try things."),
    features=ALL,
)
