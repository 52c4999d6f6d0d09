"""The plugins around Workloads and PodGroups."""

import pytest

from apimachinery.errors import Forbidden
from apimachinery.features import GENERIC_WORKLOAD
from apimachinery.workloads import GROUP_FINALIZER
from apiserver.admission.interfaces import UPDATE
from apiserver.admission.plugins.job_validation import JobValidation
from apiserver.admission.plugins.pod_group_protection import PodGroupProtection
from apiserver.admission.plugins.pod_group_workload_exists import PodGroupWorkloadExists
from apiserver.registry import gates
from tests.apiserver.admission.support import Reader, named, request

GROUPS, GANG = "podgroups.scheduling.k8s.io", {"schedulingPolicy": {"gang": {"minCount": 2}}}


@pytest.fixture(autouse=True)
def workloads():
    gates.switch({GENERIC_WORKLOAD: True})
    yield
    gates.switch({})


def group_of(workload, template):
    reference = {"workloadName": workload, "podGroupTemplateName": template}
    return named("g", "ns", spec={"podGroupTemplateRef": {"workload": reference}})


def test_a_new_group_is_protected_once():
    group = named("g", "ns")
    for _ in range(2):
        PodGroupProtection().admit(request(group, GROUPS))
    assert group["metadata"]["finalizers"] == [GROUP_FINALIZER]


@pytest.mark.parametrize(
    ("workload", "template", "why"),
    [
        ("w", "t", None),
        ("none", "t", 'PodGroup rejected: Workload "none" not found'),
        ("w", "u", 'PodGroup rejected: PodGroupTemplate "u" not found in Workload "w"'),
    ],
)
def test_a_group_is_made_after_a_template_that_there_is(workload, template, why):
    there = named("w", "ns", spec={"podGroupTemplates": [{"name": "t"}]})
    plugin = PodGroupWorkloadExists(Reader(workloads__scheduling__k8s__io=[there]))
    plugin.validate(request(named("g", "ns", spec={}), GROUPS))
    asked = request(group_of(workload, template), GROUPS)
    if why is None:
        plugin.validate(asked)
        return
    with pytest.raises(Forbidden, match=why):
        plugin.validate(asked)


def job(parallelism, group=None):
    spec = {"schedulingGroup": {"podGroupName": group}} if group else {}
    found = named("j", "ns", spec={"parallelism": parallelism, "template": {"spec": spec}})
    found["metadata"]["uid"] = "1"
    return found


@pytest.mark.parametrize(
    ("names", "owner", "policy", "refused"),
    [
        ("g", None, GANG, True),
        ("g", None, {"schedulingPolicy": {"basic": {}}}, False),
        ("other", "1", GANG, False),
        (None, "1", GANG, True),
        (None, "2", GANG, False),
    ],
)
def test_the_size_of_a_gang_is_for_good(names, owner, policy, refused):
    group = named("g", "ns", spec=policy)
    if owner:
        group["metadata"]["ownerReferences"] = [{"uid": owner, "controller": True}]
    plugin = JobValidation(Reader(podgroups__scheduling__k8s__io=[group]))
    plugin.validate(request(job(2, names), "jobs.batch", UPDATE, old_object=job(2, names)))
    asked = request(job(3, names), "jobs.batch", UPDATE, old_object=job(2, names))
    if not refused:
        plugin.validate(asked)
        return
    with pytest.raises(Forbidden, match='referencing gang-scheduled PodGroup "g"'):
        plugin.validate(asked)
