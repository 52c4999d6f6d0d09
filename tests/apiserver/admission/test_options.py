"""An operator's choices: which plugins run, how they are set, and what is said of wrong ones."""

from __future__ import annotations

import random

import pytest

from apiserver.admission.configuration import EventLimit, read_configuration
from apiserver.admission.options import AdmissionOptions
from apiserver.admission.order import ORDER, Surroundings, admission_chain, option_problems
from apiserver.admission.pod_security.policy import LevelVersion
from tests.apiserver.admission.support import Reader


def chosen(enable=(), disable=()):
    options = AdmissionOptions(enable, disable)
    around = Surroundings(Reader(), random.Random(0), options=options)
    return admission_chain(around).names


def test_plugins_are_switched_on_and_off_in_their_order():
    on = tuple(entry.name for entry in ORDER if entry.on)
    assert chosen() == on
    assert chosen(disable=("LimitRanger", "AlwaysDeny")) == tuple(
        name for name in on if name != "LimitRanger"
    )
    names = chosen(enable=("AlwaysPullImages", "NamespaceAutoProvision"))
    assert names[:2] == ("NamespaceAutoProvision", "NamespaceLifecycle")
    assert names.index("AlwaysPullImages") == names.index("PodSecurity") - 1


@pytest.mark.parametrize(
    ("enable", "disable", "told"),
    [
        (("NodeDeclaredFeatureValidator",), ("PodGroupProtection",), []),
        (("No",), (), ['enable-admission-plugins plugin "No" is unknown']),
        ((), ("No",), ['disable-admission-plugins plugin "No" is unknown']),
        (
            ("LimitRanger", "AlwaysDeny"),
            ("LimitRanger", "AlwaysDeny"),
            [
                (
                    "[AlwaysDeny LimitRanger] in enable-admission-plugins and "
                    "disable-admission-plugins overlapped"
                )
            ],
        ),
        (
            ("EventRateLimit",),
            (),
            [
                (
                    'couldn\'t init admission plugin "EventRateLimit": invalid configuration: '
                    "limits: Required value"
                )
            ],
        ),
    ],
)
def test_wrong_choices(enable, disable, told):
    assert list(option_problems(AdmissionOptions(enable, disable))) == told


HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n"
LIMITS = """
apiVersion: eventratelimit.admission.k8s.io/v1alpha1
kind: Configuration
limits:
- {type: Server, qps: 10, burst: 20}
- {type: User, qps: 1, burst: 2, cacheSize: 5}
"""
SECURITY = """
- name: PodSecurity
  configuration:
    defaults: {enforce: baseline, warn: restricted, warn-version: v1.30}
    exemptions: {namespaces: [kube-system], usernames: [ann], runtimeClasses: [sandbox]}
"""


def read(tmp_path, text):
    file = tmp_path / "admission.yaml"
    file.write_text(text)
    return read_configuration(str(file))


def test_a_configuration_stands_in_the_file_or_beside_it(tmp_path):
    (tmp_path / "limits.yaml").write_text(LIMITS)
    named = "- name: EventRateLimit\n  path: limits.yaml\n"
    found = read(tmp_path, HEAD + named + SECURITY)
    assert found.event_limits == (EventLimit("Server", 10, 20), EventLimit("User", 1, 2, 5))
    assert found.pod_security.enforce == LevelVersion("baseline")
    assert found.pod_security.warn == LevelVersion("restricted", "v1.30")
    assert found.exemptions.runtime_classes == {"sandbox"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "unable to read admission control configuration from"),
        ("kind: Pod\napiVersion: v1", 'no kind "Pod" is registered for version "v1"'),
        (
            HEAD + "- {name: PodSecurity, configuration: {defaults: {enforce: high}}}",
            (
                'couldn\'t init admission plugin "PodSecurity": defaults.enforce: Invalid value: '
                '"high": must be one of privileged, baseline, restricted'
            ),
        ),
        (
            HEAD + "- {name: EventRateLimit, configuration: {limits: [{type: Pod, burst: 1}]}}",
            (
                'limits\\[0\\].type: Unsupported value: "Pod": supported values: "Namespace", '
                '"Server", "SourceAndObject", "User", limits\\[0\\].qps: Invalid value: 0: must be '
                "positive"
            ),
        ),
        (HEAD + "- {name: EventRateLimit, path: gone.yaml}", "No such file"),
        (HEAD + "- {name: LimitRanger}", '"LimitRanger": it has no configuration'),
    ],
)
def test_a_file_that_is_not_right(tmp_path, text, words):
    with pytest.raises(ValueError, match=words):
        read(tmp_path, text)
