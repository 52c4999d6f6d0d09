"""What pods may say: one table of specs with the errors that they get, in order."""

# Tables of messages read best unwrapped.
# ruff: noqa: E501, ISC004

from __future__ import annotations

import json

import pytest

from apiserver.registry.core.pods import PODS
from tests.apiserver.registry.podspec.support import create_errors

C = {"name": "c", "image": "nginx"}
QUALIFIED = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex "
    "used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)


def pod(**spec):
    return {"spec": {"containers": [dict(C)], **spec}}


def one(**container):
    return pod(containers=[{**C, **container}])


def check(body, expected):
    errors = create_errors(PODS, body)
    assert errors == [(f"spec.{path}", message) for path, message in expected]


@pytest.mark.parametrize(
    "body",
    [
        pod(),
        one(ports=[{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53}]),
        one(env=[{"name": "A.b-c d", "value": "1"}]),
        one(env=[{"name": "L", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['a/b']"}}}]),
        one(resources={"requests": {"example.com/gpu": "1"}, "limits": {"example.com/gpu": "1"}}),
        one(resources={"limits": {"hugepages-2Mi": "4Mi", "cpu": "1"}}),
        one(lifecycle={"preStop": {"sleep": {"seconds": 0}}}),
        pod(initContainers=[{"name": "s", "image": "s", "restartPolicy": "Always",
                             "readinessProbe": {"tcpSocket": {"port": 1}}}]),
        pod(tolerations=[{"operator": "Exists"}]),
        pod(dnsPolicy="None", dnsConfig={"nameservers": ["1.1.1.1"], "searches": ["_a.b", "."]}),
        pod(volumes=[{"name": "v", "emptyDir": {}}],
            containers=[{**C, "volumeMounts": [{"name": "v", "mountPath": "/x"}]}]),
        pod(securityContext={"sysctls": [{"name": "net.core.somaxconn", "value": "1"}]}),
        pod(topologySpreadConstraints=[{"maxSkew": 1, "topologyKey": "z",
                                        "whenUnsatisfiable": "ScheduleAnyway"}]),
    ],
)  # fmt: skip
def test_right(body):
    check(body, [])


CONTAINERS = [
    (pod(containers=[]), [("containers", "Required value")]),
    (one(name="C_C"), [("containers[0].name", f'Invalid value: "C_C": {LABEL}')]),
    (one(image=""), [("containers[0].image", "Required value")]),
    (one(image=" a"), [("containers[0].image",
                        'Invalid value: " a": must not have leading or trailing whitespace')]),
    (pod(containers=[C, C]), [("containers[1].name", 'Duplicate value: "c"')]),
    (pod(initContainers=[C]), [("initContainers[0].name", 'Duplicate value: "c"')]),
    (one(imagePullPolicy="Perhaps"), [("containers[0].imagePullPolicy",
        'Unsupported value: "Perhaps": supported values: "Always", "IfNotPresent", "Never"')]),
    (one(terminationMessagePolicy="X"), [("containers[0].terminationMessagePolicy",
        'Unsupported value: "X": supported values: "File", "FallbackToLogsOnError"')]),
    (one(ports=[{"containerPort": 0}]), [("containers[0].ports[0].containerPort", "Required value")]),
    (one(ports=[{"containerPort": 70000, "hostPort": -1}]), [
        ("containers[0].ports[0].containerPort",
         "Invalid value: 70000: must be between 1 and 65535, inclusive"),
        ("containers[0].ports[0].hostPort",
         "Invalid value: -1: must be between 1 and 65535, inclusive")]),
    (one(ports=[{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]),
     [("containers[0].ports[1].name", 'Duplicate value: "a"')]),
    (one(ports=[{"containerPort": 1, "hostPort": 9}, {"containerPort": 2, "hostPort": 9}]),
     [("containers[0].ports[1].hostPort", 'Duplicate value: "TCP//9"')]),
    (one(ports=[{"containerPort": 1, "protocol": "ICMP"}]), [("containers[0].ports[0].protocol",
        'Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"')]),
    (pod(initContainers=[{"name": "i", "image": "i", "livenessProbe": {"exec": {"command": ["a"]}}}]),
     [("initContainers[0].livenessProbe",
       "Forbidden: may not be set for init containers without restartPolicy=Always")]),
    (pod(initContainers=[{"name": "i", "image": "i", "restartPolicyRules": [{"action": "Restart"}]}]),
     [("initContainers[0].restartPolicy",
       "Required value: must specify restartPolicy when restart rules are used")]),
    (pod(initContainers=[{"name": "i", "image": "i", "resizePolicy": [
        {"resourceName": "cpu", "restartPolicy": "RestartContainer"}]}]),
     [("initContainers[0].resizePolicy[0].restartPolicy", 'Invalid value: "RestartContainer": '
       "must not be set to 'RestartContainer' for non-sidecar initContainers")]),
    (one(restartPolicy="Never", restartPolicyRules=[
        {"action": "Jump"}, {"action": "Restart", "exitCodes": {"operator": "Is"}}]), [
        ("containers[0].restartPolicyRules[0].action",
         'Unsupported value: "Jump": supported values: "Restart", "RestartAllContainers"'),
        ("containers[0].restartPolicyRules[0].exitCodes", "Required value: must be specified"),
        ("containers[0].restartPolicyRules[1].exitCodes.operator",
         'Unsupported value: "Is": supported values: "In", "NotIn"')]),
    (pod(restartPolicy="Never", containers=[{**C, "resizePolicy": [
        {"resourceName": "gpu", "restartPolicy": "RestartContainer"}]}]), [
        ("containers[0].resizePolicy",
         'Unsupported value: "gpu": supported values: "cpu", "memory"'),
        ("containers[0].resizePolicy", 'Invalid value: "RestartContainer": must be '
         "'NotRequired' when pod `restartPolicy` is 'Never'")]),
    (pod(ephemeralContainers=[{"name": "e", "image": "e"}]),
     [("ephemeralContainers", "Forbidden: cannot be set on create")]),
    (pod(restartPolicy="Sometimes"), [("restartPolicy",
        'Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"')]),
]  # fmt: skip

PARTS = [
    (one(env=[{"name": "A", "value": "x",
               "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
     [("containers[0].env[0].valueFrom",
       'Invalid value: "": may not be specified when `value` is not empty')]),
    (one(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nope"}}}]),
     [("containers[0].env[0].valueFrom.fieldRef.fieldPath",
       'Invalid value: "spec.nope": error converting fieldPath: '
       "field label not supported: spec.nope")]),
    (one(env=[{"name": "A=B"}]), [("containers[0].env[0].name",
        'Invalid value: "A=B": a valid environment variable name must consist only of printable '
        "ASCII characters other than '='")]),
    (one(env=[{"name": "A", "valueFrom": {}}]), [("containers[0].env[0].valueFrom",
        'Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, '
        "`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`")]),
    (pod(volumes=[{"name": "v", "secret": {"secretName": "s"}}], containers=[{**C, "env": [
        {"name": "A", "valueFrom": {"fileKeyRef": {"key": "A", "path": "../f", "volumeName": "v"}}},
        {"name": "B", "valueFrom": {"fileKeyRef": {"key": "B", "path": "f", "volumeName": "w"}}}]}]), [
        ("containers[0].env[0].valueFrom.fileKeyRef.path",
         'Invalid value: "../f": must not contain \'..\''),
        ("containers[0].env[0].valueFrom.fileKeyRef.volumeName",
         'Invalid value: "v": referenced volume must be of type emptyDir'),
        ("containers[0].env[1].valueFrom.fileKeyRef.volumeName", 'Not found: "w"')]),
    (one(env=[{"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.x"}}}]),
     [("containers[0].env[0].valueFrom.resourceFieldRef.resource",
       'Unsupported value: "limits.x": supported values: "limits.cpu", '
       '"limits.ephemeral-storage", "limits.memory", "requests.cpu", '
       '"requests.ephemeral-storage", "requests.memory"')]),
    (one(envFrom=[{}]), [("containers[0].envFrom",
        'Invalid value: "": must specify one of: `configMapRef` or `secretRef`')]),
    (one(volumeMounts=[{"name": "v", "mountPath": "/x"}]),
     [("containers[0].volumeMounts[0].name", 'Not found: "v"')]),
    (pod(volumes=[{"name": "v", "emptyDir": {}}], containers=[{**C, "volumeMounts": [
        {"name": "v", "mountPath": "/x", "subPath": "../a"}, {"name": "v", "mountPath": "/x"}]}]),
     [("containers[0].volumeMounts.subPath", 'Invalid value: "../a": must not contain \'..\''),
      ("containers[0].volumeMounts[1].mountPath", 'Invalid value: "/x": must be unique')]),
    (one(livenessProbe={"httpGet": {"port": 1}, "exec": {"command": ["a"]}}),
     [("containers[0].livenessProbe.httpGet",
       "Forbidden: may not specify more than 1 handler type")]),
    (one(livenessProbe={"exec": {"command": ["a"]}, "successThreshold": 2}),
     [("containers[0].livenessProbe.successThreshold", "Invalid value: 2: must be 1")]),
    (one(readinessProbe={}), [("containers[0].readinessProbe",
                               "Required value: must specify a handler type")]),
    (one(startupProbe={"httpGet": {"port": "no good", "scheme": "FTP"}, "periodSeconds": -1}),
     [("containers[0].startupProbe.httpGet.port", 'Invalid value: "no good": must contain only '
       "alpha-numeric characters (a-z, 0-9), and hyphens (-)"),
      ("containers[0].startupProbe.httpGet.scheme",
       'Unsupported value: "FTP": supported values: "HTTP", "HTTPS"'),
      ("containers[0].startupProbe.periodSeconds",
       "Invalid value: -1: must be greater than or equal to 0")]),
    (one(lifecycle={"preStop": {"sleep": {"seconds": 31}}}),
     [("containers[0].lifecycle.preStop.sleep", "Invalid value: 31: must be non-negative and "
       "less than terminationGracePeriodSeconds (30)")]),
    (one(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
     [("containers[0].resources.requests",
       'Invalid value: "2": must be less than or equal to cpu limit of 1')]),
    (one(resources={"requests": {"cpu": "-1"}}), [("containers[0].resources.requests[cpu]",
        'Invalid value: "-1": must be greater than or equal to 0')]),
    (one(resources={"requests": {"bananas": "1"}}), [
        ("containers[0].resources.requests[bananas]", 'Invalid value: "bananas": must be a '
         "standard resource type or fully qualified"),
        ("containers[0].resources.requests[bananas]",
         'Invalid value: "bananas": must be a standard resource for containers')]),
    (one(resources={"requests": {"example.com/gpu": "1"}}), [("containers[0].resources.limits",
        "Required value: Limit must be set for non overcommitable resources")]),
    (one(resources={"limits": {"hugepages-2Mi": "3Mi"}}), [
        ("containers[0].resources.limits[hugepages-2Mi]",
         'Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi'),
        ("containers[0].resources.requests[hugepages-2Mi]",
         'Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi'),
        ("containers[0].resources", "Forbidden: HugePages require cpu or memory")]),
    (one(securityContext={"runAsUser": -1, "procMount": "X"}), [
        ("containers[0].securityContext.runAsUser",
         "Invalid value: -1: must be between 0 and 2147483647, inclusive"),
        ("containers[0].securityContext.procMount",
         'Unsupported value: "X": supported values: "Default", "Unmasked"')]),
    (one(securityContext={"allowPrivilegeEscalation": False, "privileged": True,
                          "seccompProfile": {}}), [
        ("containers[0].securityContext.seccompProfile.type",
         "Required value: type is required when seccompProfile is set"),
        ("containers[0].securityContext", 'Invalid value: {"Capabilities":null,"Privileged":true,'
         '"SELinuxOptions":null,"WindowsOptions":null,"RunAsUser":null,"RunAsGroup":null,'
         '"RunAsNonRoot":null,"ReadOnlyRootFilesystem":null,"AllowPrivilegeEscalation":false,'
         '"ProcMount":null,"SeccompProfile":{"type":""},"AppArmorProfile":null}: cannot set '
         "`allowPrivilegeEscalation` to false and `privileged` to true")]),
]  # fmt: skip

USER = ("containers[0].securityContext.windowsOptions.runAsUserName", "runAsUserName's")
WINDOWS = [
    (one(securityContext={"windowsOptions": {"runAsUserName": name}}),
     [(USER[0], f"Invalid value: {json.dumps(name)}: {why}") for why in whys])
    for name, whys in [
        ("", ["runAsUserName cannot be an empty string"]),
        ("a\tb", ["runAsUserName cannot contain control characters"]),
        ("a\\b\\c", ["runAsUserName cannot contain more than one backslash"]),
        ("NT AUTHORITY\\LOCAL SERVICE", []),
        ("a.example.com\\b", []),
        ("a:b\\c", [f"{USER[1]} Domain doesn't match the NetBios nor the DNS format"]),
        ("A" * 256 + "\\c", [
            f"{USER[1]} Domain length must be under 256 characters",
            f"{USER[1]} Domain doesn't match the NetBios nor the DNS format"]),
        ("A\\", [f"{USER[1]} User cannot be empty"]),
        ("u" * 105, [f"{USER[1]} User length must not be longer than 104 characters"]),
        (". .", [f"{USER[1]} User cannot contain only periods or spaces"]),
        ("a@b", [f'{USER[1]} User cannot contain the following characters: "/\\:;|=,+*?<>@[]']),
    ]
]  # fmt: skip

VOLUMES = [
    (pod(volumes=[{"name": "v", "emptyDir": {}, "hostPath": {"path": "/"}}]),
     [("volumes[0].hostPath", "Forbidden: may not specify more than 1 volume type")]),
    (pod(volumes=[{"name": "v", "hostPath": {}}]),
     [("volumes[0].hostPath.path", "Required value")]),
    (pod(volumes=[{"name": "v", "hostPath": {}}],
         containers=[{**C, "volumeMounts": [{"name": "v", "mountPath": "/x"}]}]),
     [("volumes[0].hostPath.path", "Required value"),
      ("containers[0].volumeMounts[0].name", 'Not found: "v"')]),
    (pod(volumes=[{"name": "v", "gitRepo": {"directory": "../x"}}]),
     [("volumes[0].gitRepo.repository", "Required value"),
      ("volumes[0].gitRepo.directory", 'Invalid value: "../x": must not contain \'..\'')]),
    (pod(volumes=[{"name": "v", "hostPath": {"path": "/a/../b", "type": "Odd"}}]),
     [("volumes[0].hostPath.path", 'Invalid value: "/a/../b": must not contain \'..\''),
      ("volumes[0].hostPath.type", 'Unsupported value: "Odd": supported values: "", '
       '"BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", '
       '"FileOrCreate", "Socket"')]),
    (pod(volumes=[{"name": "v"}, {"name": "v"}]), [("volumes[1].name", 'Duplicate value: "v"')]),
    (pod(volumes=[{"name": "v", "secret": {"defaultMode": 512, "items": [{"path": "/a"}]}}]),
     [("volumes[0].secret.secretName", "Required value"),
      ("volumes[0].secret.defaultMode", "Invalid value: 512: must be a number between 0 and "
       "0777 (octal), both inclusive"),
      ("volumes[0].secret.items[0].key", "Required value"),
      ("volumes[0].secret.items[0].path", 'Invalid value: "/a": must be a relative path')]),
    (pod(volumes=[{"name": "v", "persistentVolumeClaim": {}}]),
     [("volumes[0].persistentVolumeClaim.claimName", "Required value")]),
    (pod(serviceAccountName="a", volumes=[{"name": "v", "projected": {"sources": [
        {"serviceAccountToken": {"path": "t", "expirationSeconds": 5}},
        {"secret": {"name": "s", "items": [{"key": "k", "path": "p"}]},
         "configMap": {"name": "s", "items": [{"key": "k", "path": "p"}]}}]}}]),
     [("volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds",
       "Invalid value: 5: may not specify a duration less than 10 minutes"),
      ("volumes[0].projected", 'Invalid value: "s": conflicting duplicate paths'),
      ("volumes[0].projected.sources[1]",
       "Forbidden: may not specify more than 1 volume type per source")]),
    (pod(volumes=[{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": {}}}}]),
     [("volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes",
       "Required value: at least 1 access mode is required"),
      ("volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]", "Required value")]),
    (pod(volumes=[{"name": "v", "csi": {"driver": ""}}]),
     [("volumes[0].csi.driver", "Required value"),
      ("volumes[0].csi.driver", 'Invalid value: "": a lowercase RFC 1123 subdomain must consist '
       "of lower case alphanumeric characters, '-' or '.', and must start and end with an "
       "alphanumeric character (e.g. 'example.com', regex used for validation is "
       "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")]),
    (pod(volumes=[{"name": "v", "nfs": {"server": "s", "path": "rel"}}]),
     [("volumes[0].nfs.path", 'Invalid value: "rel": must be an absolute path')]),
]  # fmt: skip

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PLACEMENT = [
    (pod(nodeSelector={"bad key!": "x"}), [("nodeSelector", f'Invalid value: "bad key!": {QUALIFIED}')]),
    (pod(tolerations=[{"key": "a", "operator": "Maybe"}]), [("tolerations[0].operator",
        'Unsupported value: "Maybe": supported values: "Equal", "Exists"')]),
    (pod(tolerations=[{"key": "a", "operator": "Exists", "value": "x"}]),
     [("tolerations[0].operator",
       "Invalid value: \"x\": value must be empty when `operator` is 'Exists'")]),
    (pod(tolerations=[{"tolerationSeconds": 1, "effect": "Nope"}]), [
        ("tolerations[0].operator", 'Invalid value: "": operator must be Exists when `key` is '
         'empty, which means "match all values and all keys"'),
        ("tolerations[0].effect", "Invalid value: \"Nope\": effect must be 'NoExecute' when "
         "`tolerationSeconds` is set"),
        ("tolerations[0].effect", 'Unsupported value: "Nope": supported values: "NoSchedule", '
         '"PreferNoSchedule", "NoExecute"')]),
    (pod(affinity={"podAffinity": {REQUIRED: [{"labelSelector": {}, "topologyKey": ""}]}}), [
        (f"affinity.podAffinity.{REQUIRED}[0].topologyKey", "Required value: can not be empty"),
        (f"affinity.podAffinity.{REQUIRED}[0].topologyKey",
         'Invalid value: "": name part must be non-empty'),
        (f"affinity.podAffinity.{REQUIRED}[0].topologyKey", f'Invalid value: "": {QUALIFIED}')]),
    (pod(affinity={"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": []}}}),
     [(f"affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms",
       "Required value: must have at least one node selector term")]),
    (pod(affinity={"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [
        {"key": "a", "operator": "In"}, {"key": "a", "operator": "Near"}]}]}}}), [
        (f"affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].values",
         "Required value: must be specified when `operator` is 'In' or 'NotIn'"),
        (f"affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[1].operator",
         'Invalid value: "Near": not a valid selector operator')]),
    (pod(topologySpreadConstraints=[
        {"maxSkew": 0, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}]),
     [("topologySpreadConstraints[0].maxSkew", "Invalid value: 0: must be greater than zero")]),
    (pod(topologySpreadConstraints=[
        {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 2,
         "labelSelector": {}},
        {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "ScheduleAnyway",
         "matchLabelKeys": ["a"]}]), [
        ("topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}",
         'Duplicate value: "{z, ScheduleAnyway}"'),
        ("topologySpreadConstraints[0].minDomains", "Invalid value: 2: can only use minDomains if "
         "whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"),
        ("topologySpreadConstraints[1].matchLabelKeys",
         "Forbidden: must not be specified when labelSelector is not set")]),
    (pod(schedulingGates=[{"name": "bad gate"}]),
     [("schedulingGates[0]", f'Invalid value: "bad gate": {QUALIFIED}')]),
    (pod(nodeName="n", schedulingGates=[{"name": "g"}]),
     [("nodeName", "Forbidden: cannot be set until all schedulingGates have been cleared")]),
]  # fmt: skip

OTHERS = [
    (pod(dnsPolicy="Nope"), [("dnsPolicy", 'Unsupported value: "Nope": supported values: '
        '"ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"')]),
    (pod(dnsPolicy="None"), [("dnsConfig",
        "Required value: must provide `dnsConfig` when `dnsPolicy` is None")]),
    (pod(activeDeadlineSeconds=0), [("activeDeadlineSeconds",
        "Invalid value: 0: must be between 1 and 2147483647, inclusive")]),
    (pod(hostNetwork=True, containers=[{**C, "ports": [{"containerPort": 1, "hostPort": 2}]}]),
     [("containers[0].ports[0].hostPort",
       "Invalid value: 2: must match `containerPort` when `hostNetwork` is true")]),
    (pod(hostUsers=False, hostPID=True),
     [("HostPID", "Forbidden: when `hostUsers` is false")]),
    (pod(hostUsers=False, hostNetwork=True, volumes=[
        {"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
        containers=[{**C, "volumeDevices": [{"name": "v", "devicePath": "/d"}]}]), [
        ("hostNetwork", "Forbidden: when `hostUsers` is false"),
        ("containers[0].volumeDevices", "Forbidden: when `hostUsers` is false")]),
    (pod(shareProcessNamespace=True, hostPID=True, securityContext={"fsGroupChangePolicy": "X"}), [
        ("securityContext.shareProcessNamespace", "Invalid value: true: ShareProcessNamespace and "
         "HostPID cannot both be enabled"),
        ("securityContext.fsGroupChangePolicy",
         'Unsupported value: "X": supported values: "Always", "OnRootMismatch"')]),
    (pod(hostnameOverride="A" * 65, hostNetwork=True, setHostnameAsFQDN=True), [
        ("hostnameOverride", "Forbidden: may not be specified when setHostnameAsFQDN is true"),
        ("hostnameOverride", "Forbidden: may not be specified when hostNetwork is true"),
        ("hostnameOverride", "Too long: may not be more than 64 bytes"),
        ("hostnameOverride", f'Invalid value: "{"A" * 65}": {SUBDOMAIN}')]),
    (pod(dnsPolicy="None", dnsConfig={"nameservers": ["010.0.0.1", "::ffff:1.2.3.4"]}), [
        ("dnsConfig.nameservers[0]", 'Invalid value: "010.0.0.1": must not have leading 0s'),
        ("dnsConfig.nameservers[1]",
         'Invalid value: "::ffff:1.2.3.4": must not be an IPv4-mapped IPv6 address')]),
    (pod(os={"name": ""}), [("os.name", "Required value")]),
    (pod(os={"name": "windows"}, resources={"limits": {"cpu": "1"}}),
     [("resources", "Forbidden: may not be set for a windows pod")]),
    (pod(resourceClaims=[{"resourceClaimName": "a"}, {"resourceClaimName": "b"}]), [
        ("resourceClaims[0].name", "Required value"), ("resourceClaims[1].name", "Required value")]),
    (pod(resources={"requests": {"cpu": "1"}}, containers=[
        {**C, "resources": {"requests": {"cpu": "2", "memory": "1Gi"}}}]), [
        ("resources.requests[cpu]", 'Invalid value: "1": must be greater than or equal to '
         "aggregate container requests of 2")]),
    (pod(securityContext={"fsGroupChangePolicy": "X", "seccompProfile": {"type": "Localhost"}}), [
        ("securityContext.fsGroupChangePolicy",
         'Unsupported value: "X": supported values: "Always", "OnRootMismatch"'),
        ("securityContext.seccompProfile.localhostProfile",
         "Required value: must be set when seccomp type is Localhost")]),
    (pod(hostNetwork=True, securityContext={"sysctls": [{"name": "net/ipv4/x", "value": "1"}]}),
     [("securityContext.sysctls[0].name",
       'Invalid value: "net/ipv4/x": may not be specified when \'hostNetwork\' is true')]),
    (pod(os={"name": "beos"}),
     [("os", 'Unsupported value: "beos": supported values: "linux", "windows"')]),
    (pod(os={"name": "windows"}, hostPID=True, securityContext={"runAsUser": 1}),
     [("hostPID", "Forbidden: cannot be set for a windows pod"),
      ("securityContext.runAsUser", "Forbidden: cannot be set for a windows pod")]),
    (pod(preemptionPolicy="X"), [("preemptionPolicy",
        'Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"')]),
    (pod(resourceClaims=[{"name": "g"}]), [("resourceClaims[0]",
        'Invalid value: {"Name":"g","ResourceClaimName":null,"ResourceClaimTemplateName":null}: '
        "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")]),
    (pod(resources={"limits": {"cpu": "1"}},
         containers=[{**C, "resources": {"limits": {"cpu": "2"}}}]), [
        ("resources.requests", 'Invalid value: "2": must be less than or equal to cpu limit of 1'),
        ("resources.containers[0][cpu].limits",
         'Invalid value: "2": must be less than or equal to pod limits of 1')]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"), CONTAINERS + PARTS + WINDOWS + VOLUMES + PLACEMENT + OTHERS
)
def test_wrong(body, expected):
    check(body, expected)
