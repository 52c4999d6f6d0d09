"""Objects in words: each kind's sentence, and what its tables hold."""

from __future__ import annotations

import base64
from types import SimpleNamespace

import pytest

from playground.objects import summary
from playground.objects.events import explained
from playground.objects.summary.conditions import conditions
from playground.objects.summary.network import POLICIES
from playground.objects.summary.nodes import requested
from playground.objects.summary.parts import Cell, Context, Facts, Lines, Rows, Sentence, Texts
from tests.playground.objects import node, pod


class Told(Context):
    """A context of given objects, whose links are their names."""

    def __init__(self, shown="", **given):
        # As of a past revision, where nothing is offered to be tried.
        super().__init__(SimpleNamespace(rev=7, cluster=None), shown)
        self.given = given

    def items(self, title, namespace="", **params):
        return self.given.get(title.partition(".")[0], [])

    def one(self, title, namespace, name):
        found = self.items(title)
        return next((one for one in found if one["metadata"]["name"] == name), None)

    def placed(self, uid):
        return self.given.get("placed")

    def link(self, title, namespace, name, tab=""):
        return f"{title}/{namespace}/{name}"

    def list_link(self, title, **query):
        return f"{title}?{query}"

    def kind_of(self, title):
        return title

    def title_of(self, api_version, kind):
        return f"{kind.lower()}s"

    def to(self, title, namespace, name, text=""):
        return Cell(text or name, link=self.link(title, namespace, name))


def parts(title, item, **context):
    return summary.of(title, item, Told(**context))


def stands(title, item, **context):
    found = next(part for part in parts(title, item, **context) if isinstance(part, Sentence))
    return found.text, found.state


def table(title, heading, item, **context):
    rows = [part for part in parts(title, item, **context) if isinstance(part, Rows)]
    (found,) = [part for part in rows if part.title == heading]
    return [[cell.text for cell in row] for row in found.rows]


def deployment(wanted=3, updated=3, total=3, available=3, **spec):
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", "uid": "d", "generation": 1},
        "spec": {"replicas": wanted, "selector": {"matchLabels": {"app": "web"}}, **spec},
        "status": {
            "observedGeneration": 1,
            "replicas": total,
            "updatedReplicas": updated,
            "availableReplicas": available,
        },
    }


@pytest.mark.parametrize(
    ("item", "said", "state"),
    [
        (deployment(), "All 3 pods are up to date and available.", "good"),
        (deployment(1, 1, 1, 1), "Its pod is up to date and available.", "good"),
        (deployment(updated=1), "Rolling out: 1 of 3 pods are of the new template.", "waiting"),
        (deployment(total=4), "Rolling out: 1 old pod is still to end.", "waiting"),
        (deployment(available=1), "1 of 3 pods are available.", "waiting"),
        (deployment(0, 0, 0, 0), "It is scaled to zero: no pods run.", "plain"),
        (
            deployment(paused=True),
            "The rollout is paused: changes of the template wait.",
            "waiting",
        ),
    ],
)
def test_a_rollout_in_words(item, said, state):
    assert stands("deployments.apps", item) == (said, state)


def test_a_rollout_that_is_stuck_has_the_api_s_words():
    item = deployment(updated=1)
    why = 'ReplicaSet "web-2" has timed out progressing.'
    stuck = {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": why}
    item["status"]["conditions"] = [stuck]
    (sentence,) = [p for p in parts("deployments.apps", item) if isinstance(p, Sentence)]
    assert (sentence.text, sentence.verbatim) == ("The rollout is stuck.", why)


def test_pods_in_words():
    assert stands("pods", pod("a", "n1")) == (
        "It runs on n1, and all containers are ready.",
        "good",
    )
    told, state = stands("pods", pod("a", "n1", waiting="CrashLoopBackOff", restarts=7))
    assert told.endswith("0 of 1 containers ready. It has restarted 7 times.")
    assert state == "bad"
    assert stands("pods", pod("a", phase="Pending"))[0] == "No node has been found for it yet."


def test_a_pod_s_containers_probes_and_volumes():
    item = pod("a", "n1")
    item["spec"]["volumes"] = [{"name": "conf", "configMap": {"name": "app"}}]
    container = item["spec"]["containers"][0]
    container["volumeMounts"] = [{"name": "conf", "mountPath": "/etc/app", "readOnly": True}]
    container["readinessProbe"] = {"httpGet": {"path": "/ready", "port": 80}, "periodSeconds": 5}
    assert table("pods", "Containers", item)[0][:4] == ["main", "nginx", "Running", "yes"]
    assert table("pods", "Probes", item)[0][2:] == [
        "GET http://:80/ready",
        "every 5 s, fails after 3",
    ]
    (volume,) = table("pods", "Volumes", item)
    assert volume == ["conf", "configMap app", "/etc/app (main, read only)"]


def service(**spec):
    return {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}


def test_a_service_says_why_it_has_no_endpoints():
    selecting = service(selector={"app": "web"})
    assert stands("services", selecting) == (
        "No endpoints: selector app=web matches no pod.",
        "bad",
    )
    told, _state = stands("services", selecting, pods=[pod("a", "n1")])
    assert told.endswith("matches 1 pod, which is not ready.")
    one = {
        "metadata": {"labels": {"kubernetes.io/service-name": "web"}},
        "ports": [{"port": 80}],
        "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}}],
    }
    assert stands("services", selecting, endpointslices=[one])[0] == "It sends to 1 ready endpoint."
    (row,) = table("services", "Endpoints", selecting, endpointslices=[one])
    assert row[:3] == ["10.0.0.1", "80/TCP", "ready"]


def test_a_node_adds_up_what_its_pods_ask_for():
    item = node("n1")
    item["status"]["capacity"] = item["status"]["allocatable"]
    rows = table("nodes", "Resources", item, pods=[pod("a", "n1"), pod("b", "n1")])
    assert rows[0][:4] == ["cpu", "4", "4", "200m"]
    item["spec"]["unschedulable"] = True
    told = "It is ready but cordoned: no new pods come. 1 pod runs here."
    assert stands("nodes", item, pods=[pod("a", "n1")]) == (told, "waiting")


def test_init_containers_count_where_they_ask_for_more():
    item = pod("a", "n1")
    big = {"name": "i", "resources": {"requests": {"cpu": "2"}}}
    item["spec"]["initContainers"] = [big]
    assert requested([item], "cpu", "requests") == 2


def test_a_secret_shows_what_one_asks_for_alone():
    data = {key: base64.b64encode(b"hunter2").decode() for key in ("a", "b")}
    item = {"kind": "Secret", "metadata": {"name": "s", "namespace": "default"}, "data": data}
    (texts,) = [p for p in parts("secrets", item) if isinstance(p, Texts)]
    assert texts.items == (("a", "7 bytes", ""), ("b", "7 bytes", ""))
    (texts,) = [p for p in parts("secrets", item, shown="b") if isinstance(p, Texts)]
    assert texts.items == (("a", "7 bytes", ""), ("b", "7 bytes", "hunter2"))


def test_a_claim_that_waits_says_for_what():
    item = {"metadata": {"name": "c"}, "spec": {"storageClassName": "late"}, "status": {}}
    late = {"metadata": {"name": "late"}, "volumeBindingMode": "WaitForFirstConsumer"}
    said = "It waits for a pod that uses it: then its volume is made."
    assert stands("persistentvolumeclaims", item, storageclasses=[late])[0] == said
    assert stands("persistentvolumeclaims", item)[0] == "It waits for a volume that fits."


def test_a_binding_to_nothing_grants_nothing():
    item = {
        "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": "default"},
        "roleRef": {"kind": "Role", "name": "none"},
        "subjects": [{"kind": "User", "name": "lea"}],
    }
    told, state = stands("rolebindings.rbac.authorization.k8s.io", item)
    assert "it grants nothing" in told
    assert state == "bad"


def test_what_a_network_policy_lets_in():
    item = {
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "web"}},
            "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": 80}]}],
        },
    }
    kind = "networkpolicies.networking.k8s.io"
    assert table(kind, "Lets in", item) == [["pods (all)", "80/TCP"]]
    assert stands(kind, item, pods=[pod("a", "n1")])[0] == "It selects 1 pod."


def test_a_network_policy_names_the_others_of_its_pods():
    def policy(name, **labels):
        spec = {"podSelector": {"matchLabels": labels}}
        return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}

    pods = [pod("a", app="web"), pod("b", app="web"), pod("c", app="api")]
    policies = [policy("web", app="web"), policy("all"), policy("api", app="api")]
    given = {"pods": pods, "networkpolicies": policies}
    heading = "Other policies of these pods: what one of them lets through is let through"
    assert table(POLICIES, heading, policies[0], **given) == [["all", "2"]]


class Heard:
    """A reader of given events."""

    def __init__(self, *warnings):
        self.listed = [
            {"type": "Warning", "reason": "R", "message": text, "metadata": {}, "lastTimestamp": at}
            for at, text in warnings
        ]

    def items(self, title, namespace, **params):
        return self.listed


def test_trouble_is_told_in_the_words_of_the_last_warning():
    heard = Heard(("2026-11-30T10:00:00Z", "old"), ("2026-11-30T11:00:00Z", "new"))
    good, waits, told = Sentence("a", "good"), Sentence("b", "waiting"), Sentence("c", "bad", "own")
    assert explained([good, waits], heard, {}) == [good, Sentence("b", "waiting", "R: new")]
    assert explained([told], heard, {}) == [told]
    assert explained([waits], Heard(), {}) == [waits]


def test_an_unknown_kind_has_its_plain_fields():
    item = {
        "kind": "Castle",
        "apiVersion": "v1",
        "metadata": {"name": "c"},
        "spec": {"towerCount": 4},
    }

    class Nothing(Told):
        reader = type("R", (), {"named": lambda self, title: None})()

        def __init__(self):
            self.given, self.shown, self._cache = {}, "", {}

    (facts,) = [
        p for p in summary.of("castles.example.com", item, Nothing()) if isinstance(p, Facts)
    ]
    assert [(label, cell.text) for label, cell in facts.items] == [("Tower Count", "4")]


def test_conditions_are_explained_and_the_bad_ones_come_first():
    item = {
        "kind": "Node",
        "status": {
            "conditions": [
                {"type": "Ready", "status": "True"},
                {"type": "MemoryPressure", "status": "True"},
                {"type": "DiskPressure", "status": "False"},
            ]
        },
    }
    found = conditions(item)
    assert [(one.type, one.state) for one in found] == [
        ("MemoryPressure", "bad"),
        ("Ready", "good"),
        ("DiskPressure", "good"),
    ]
    assert found[0].meaning == "its memory runs short: pods are evicted"
    assert found[2].meaning.startswith("not so: its disk runs full")


def lines(title, item, **context):
    return [part for part in parts(title, item, **context) if isinstance(part, Lines)]


def test_a_pod_says_why_it_stands_where_it_stands():
    attempt = {"number": 2, "sentences": ["3 nodes → 1"], "event": "Successfully assigned"}
    (found,) = lines("pods", pod("web", "n1"), placed={"items": [attempt], "text": ""})
    assert found.title == "Why on this node?"
    assert found.items == ("3 nodes → 1", "It was tried 2 times.")
    assert found.verbatim == "Successfully assigned"


def test_a_pod_that_waits_asks_why_it_stands_nowhere():
    waiting = pod("web", phase="Pending")
    (found,) = lines("pods", waiting, placed={"items": [], "text": "no attempt"})
    assert (found.title, found.items) == ("Why on no node?", ("no attempt",))


def test_the_past_remembers_no_attempt():
    assert lines("pods", pod("web", "n1")) == []


def test_a_group_of_pods():
    after = {"workload": {"workloadName": "w", "podGroupTemplateName": "t"}}
    policy = {"gang": {"minCount": 2}}
    item = {
        "kind": "PodGroup",
        "metadata": {"name": "g", "namespace": "default", "uid": "u"},
        "spec": {"schedulingPolicy": policy, "podGroupTemplateRef": after},
    }
    title, members = "podgroups.scheduling.k8s.io", [pod("a", "n1"), pod("b", "n1"), pod("c", "n1")]
    for member in members[:2]:
        member["spec"]["schedulingGroup"] = {"podGroupName": "g"}
    del members[1]["spec"]["nodeName"]
    assert stands(title, item, pods=members) == ("1 of its 2 pods have a node.", "waiting")
    item["status"] = {"conditions": [{"type": "PodGroupScheduled", "status": "True"}]}
    assert stands(title, item, pods=members) == ("1 of its 2 pods have a node.", "good")
    (known,) = [part for part in parts(title, item, pods=members) if isinstance(part, Facts)]
    shown = {label: cell.text for label, cell in known.items}
    assert shown == {"Policy": "2 pods at once, or none", "Workload": "w"}
    assert [row[0] for row in table(title, "Pods", item, pods=members)] == ["a", "b"]
