"""Only what Kubernetes itself makes: for tests of conformance, and for installing all by hand."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from playground.cluster_templates.template import Template

TEMPLATE = Template(
    name="bare",
    title=_("Bare"),
    purpose=_("Only what Kubernetes itself makes: no StorageClass, no metrics."),
    # What kube-controller-manager does not do unless it is told to: --allocate-node-cidrs. The
    # machines bring their own ranges of pod addresses; this is about Nodes that users make.
    left_out=("node-ipam-controller",),
)
