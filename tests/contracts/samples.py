"""One small valid object of every kind that can be stored, without its metadata."""

from __future__ import annotations

from typing import Any

_LABELS = {"app": "x"}
_SELECTOR = {"matchLabels": _LABELS}
_POD_SPEC = {"containers": [{"name": "c", "image": "nginx:1.27"}]}
_TEMPLATE = {"metadata": {"labels": _LABELS}, "spec": _POD_SPEC}
_JOB = {"template": {"spec": {**_POD_SPEC, "restartPolicy": "Never"}}}
_TARGET = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
_REQUESTS = [{"name": "r", "exactly": {"deviceClassName": "gpu"}}]
_CONSTRAINTS = {
    "resourceRules": [
        {
            "apiGroups": ["apps"],
            "apiVersions": ["v1"],
            "operations": ["CREATE"],
            "resources": ["deployments"],
        }
    ]
}
_WEBHOOKS = [
    {
        "name": "a.example.com",
        "clientConfig": {"service": {"namespace": "default", "name": "nobody"}},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
]
_RBAC = "rbac.authorization.k8s.io"
_RULES = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
_MUTATION = {
    "patchType": "ApplyConfiguration",
    "applyConfiguration": {"expression": "Object{}"},
}
# A certificate request of CN=ann, in PEM and base64: tests/contracts/resource.py fills it in.
CSR = "CSR"

SAMPLES: dict[str, dict[str, Any]] = {
    "configmaps": {"data": {"a": "b"}},
    "endpoints": {"subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]},
    "events": {
        "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"},
        "reason": "Told",
        "type": "Normal",
        "source": {"component": "c"},
    },
    "limitranges": {"spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}},
    "namespaces": {},
    "nodes": {},
    "persistentvolumeclaims": {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        }
    },
    "persistentvolumes": {
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "hostPath": {"path": "/tmp/x"},
        }
    },
    "pods": {"spec": _POD_SPEC},
    "podtemplates": {"template": _TEMPLATE},
    "replicationcontrollers": {"spec": {"selector": _LABELS, "template": _TEMPLATE}},
    "resourcequotas": {"spec": {"hard": {"pods": "1"}}},
    "secrets": {"data": {"a": "Yg=="}},
    "serviceaccounts": {},
    "services": {"spec": {"selector": _LABELS, "ports": [{"port": 80}]}},
    "apiservices.apiregistration.k8s.io": {
        "spec": {
            "group": "example.com",
            "version": "v1",
            "groupPriorityMinimum": 1000,
            "versionPriority": 15,
            "service": {"namespace": "default", "name": "nobody"},
            "insecureSkipTLSVerify": True,
        }
    },
    "controllerrevisions.apps": {"revision": 1, "data": {"a": 1}},
    "daemonsets.apps": {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    "deployments.apps": {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    "replicasets.apps": {"spec": {"selector": _SELECTOR, "template": _TEMPLATE}},
    "statefulsets.apps": {
        "spec": {"selector": _SELECTOR, "template": _TEMPLATE, "serviceName": "s"}
    },
    "horizontalpodautoscalers.autoscaling": {"spec": {"maxReplicas": 3, "scaleTargetRef": _TARGET}},
    "cronjobs.batch": {"spec": {"schedule": "* * * * *", "jobTemplate": {"spec": _JOB}}},
    "jobs.batch": {"spec": _JOB},
    "certificatesigningrequests.certificates.k8s.io": {
        "spec": {"request": CSR, "signerName": "example.com/s", "usages": ["client auth"]}
    },
    "ingressclasses.networking.k8s.io": {"spec": {"controller": "example.com/c"}},
    "ingresses.networking.k8s.io": {
        "spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}
    },
    "ipaddresses.networking.k8s.io": {
        "spec": {"parentRef": {"group": "example.com", "resource": "things", "name": "t"}}
    },
    "networkpolicies.networking.k8s.io": {"spec": {"podSelector": {}}},
    "servicecidrs.networking.k8s.io": {"spec": {"cidrs": ["10.200.0.0/24"]}},
    "poddisruptionbudgets.policy": {"spec": {"minAvailable": 1, "selector": _SELECTOR}},
    "clusterrolebindings.rbac.authorization.k8s.io": {
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "view"}
    },
    "clusterroles.rbac.authorization.k8s.io": {"rules": _RULES},
    "rolebindings.rbac.authorization.k8s.io": {
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "view"}
    },
    "roles.rbac.authorization.k8s.io": {"rules": _RULES},
    "csidrivers.storage.k8s.io": {"spec": {}},
    "csinodes.storage.k8s.io": {"spec": {"drivers": [{"name": "d.example.com", "nodeID": "n"}]}},
    "csistoragecapacities.storage.k8s.io": {"storageClassName": "fast"},
    "storageclasses.storage.k8s.io": {"provisioner": "example.com/p"},
    "volumeattachments.storage.k8s.io": {
        "spec": {
            "attacher": "d.example.com",
            "nodeName": "n",
            "source": {"persistentVolumeName": "pv"},
        }
    },
    "volumeattributesclasses.storage.k8s.io": {
        "driverName": "d.example.com",
        "parameters": {"iops": "1"},
    },
    "mutatingadmissionpolicies.admissionregistration.k8s.io": {
        "spec": {
            "matchConstraints": _CONSTRAINTS,
            "reinvocationPolicy": "Never",
            "mutations": [_MUTATION],
        }
    },
    "mutatingadmissionpolicybindings.admissionregistration.k8s.io": {"spec": {"policyName": "p"}},
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": {"webhooks": _WEBHOOKS},
    "validatingadmissionpolicies.admissionregistration.k8s.io": {
        "spec": {"matchConstraints": _CONSTRAINTS, "validations": [{"expression": "true"}]}
    },
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": {
        "spec": {"policyName": "p", "validationActions": ["Deny"]}
    },
    "validatingwebhookconfigurations.admissionregistration.k8s.io": {"webhooks": _WEBHOOKS},
    "customresourcedefinitions.apiextensions.k8s.io": {
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object"}},
                }
            ],
        }
    },
    "priorityclasses.scheduling.k8s.io": {"value": 100},
    "leases.coordination.k8s.io": {"spec": {"holderIdentity": "h", "leaseDurationSeconds": 15}},
    "runtimeclasses.node.k8s.io": {"handler": "runc"},
    "endpointslices.discovery.k8s.io": {
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.0.0.1"]}],
    },
    "deviceclasses.resource.k8s.io": {
        "spec": {"selectors": [{"cel": {"expression": "device.driver == 'd.example.com'"}}]}
    },
    "resourceclaims.resource.k8s.io": {"spec": {"devices": {"requests": _REQUESTS}}},
    "resourceclaimtemplates.resource.k8s.io": {
        "spec": {"spec": {"devices": {"requests": _REQUESTS}}}
    },
    "resourceslices.resource.k8s.io": {
        "spec": {
            "driver": "d.example.com",
            "nodeName": "n",
            "pool": {"name": "n", "generation": 1, "resourceSliceCount": 1},
            "devices": [{"name": "one"}],
        }
    },
    "flowschemas.flowcontrol.apiserver.k8s.io": {
        "spec": {
            "priorityLevelConfiguration": {"name": "global-default"},
            "matchingPrecedence": 9000,
        }
    },
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": {
        "spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}
    },
}

# Kinds whose names are not free: the first is that of the sample, the second another one.
NAMES: dict[str, tuple[str, str]] = {
    "apiservices.apiregistration.k8s.io": ("v1.example.com", "v2.example.com"),
    "customresourcedefinitions.apiextensions.k8s.io": ("widgets.example.com", "x.example.com"),
    "ipaddresses.networking.k8s.io": ("192.0.2.1", "192.0.2.2"),
}
