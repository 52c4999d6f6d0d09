"""Which controllers run, and in whose name each acts."""

import pytest

from apiserver.auth.bootstrap.controllers import controller_roles
from apiserver.registry.gates import FEATURES
from nodes.controllers.manager import CONTROLLERS
from nodes.controllers.switches import KNOWN, OF_THE_SERVER, is_on, problems
from nodes.controllers.volumes.attacher import ACCOUNT as ATTACHER
from playground.cluster import controllers_of
from playground.cluster_templates import template_of
from playground.cluster_templates.features import ALL, objects_of

JOB, CRON = "job-controller", "cronjob-controller"


@pytest.mark.parametrize(
    ("switches", "job", "cron"),
    [
        (["*"], True, True),
        (["*", "-job-controller"], False, True),
        (["-job-controller", "*"], False, True),
        (["*", "-job"], False, True),  # the name of before
        (["job-controller"], True, False),
        (["job", "-job"], True, False),
        (["-job", "job"], False, False),
        ([], False, False),
        ([""], False, False),
    ],
)
def test_the_first_word_on_a_controller_counts(switches, job, cron):
    assert (is_on(JOB, switches), is_on(CRON, switches)) == (job, cron)


def test_every_controller_can_be_switched():
    assert {*CONTROLLERS} - {*OF_THE_SERVER} <= KNOWN
    words = ["*", "-job", "-selinux-warning-controller", "podgroup-protection-controller"]
    assert list(problems(words)) == []


def test_an_unknown_one_is_refused_in_kubernetes_words():
    assert list(problems(["*", "-jobs"])) == ['"jobs" is not in the list of known controllers']


def test_a_cluster_runs_what_is_on_and_what_its_template_has():
    left_out = template_of("bare").left_out
    assert {*controllers_of("bare", ["*"]), *left_out} == set(CONTROLLERS)
    assert {*controllers_of("bare", ["job", "cronjob"])} == {CRON, JOB, *OF_THE_SERVER}


@pytest.mark.parametrize("name", sorted(CONTROLLERS))
def test_each_acts_as_an_account_that_has_rights(name):
    account = CONTROLLERS[name].service_account
    others = {o["metadata"]["name"] for o in objects_of(ALL) if o["kind"] == "ServiceAccount"}
    # Tokens of accounts come before accounts: this one is the manager itself.
    assert account in ({*controller_roles(FEATURES), *_NAMED} | others) or account == ""


# Accounts with roles of their own in kube-system.
_NAMED = ("bootstrap-signer", "token-cleaner", ATTACHER)
