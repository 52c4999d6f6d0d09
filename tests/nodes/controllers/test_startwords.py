"""What is logged of controllers that do not run."""

from nodes.client.klog import Klog
from nodes.controllers.startwords import tell_left_out
from nodes.controllers.switches import KNOWN


class Stopped:
    def seconds(self):
        return 0.0


def test_controllers_that_do_not_run_are_named_with_the_reason():
    kept = []
    tell_left_out(Klog(Stopped(), lambda _, line: kept.append(line)), ["token-cleaner-controller"])
    said = [bytes(line).decode().partition("] ")[2] for line in kept]
    assert said[:2] == [
        '"Warning: controller is disabled" controller="selinux-warning-controller"',
        '"Warning: controller is disabled" controller="token-cleaner-controller"',
    ]
    gate = '"Controller is disabled by a feature gate" controller='
    needed = 'requiredFeatureGates=["APIServerIdentity","StorageVersionAPI"]'
    assert f'{gate}"storageversion-garbage-collector-controller" {needed}' in said
    cloud = said.index('"Skipping a cloud provider controller" controller="node-route-controller"')
    assert said[cloud + 1] == '"Warning: skipping controller" controller="node-route-controller"'
    assert {line.pairs[1] for line in kept} <= KNOWN


def test_a_controller_is_not_named_where_its_feature_is_on():
    def gated(features):
        kept = []
        off = ["podgroup-protection-controller"] if not features else []
        tell_left_out(Klog(Stopped(), lambda _, line: kept.append(line)), off, features)
        said = [bytes(line).decode().partition("] ")[2] for line in kept]
        return [line for line in said if "podgroup" in line]

    named = 'controller="podgroup-protection-controller"'
    why, needed = "Controller is disabled by a feature gate", '["GenericWorkload"]'
    assert gated(()) == [
        f'"{why}" {named} requiredFeatureGates={needed}',
        f'"Warning: skipping controller" {named}',
    ]
    assert gated(("GenericWorkload",)) == []
