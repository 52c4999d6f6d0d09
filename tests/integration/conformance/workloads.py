"""What the tests of workloads make and wait for: small objects that run one program."""

from apimachinery.meta import controller_of
from tests.integration.conformance.conftest import NAMESPACE

BASE = f"/api/v1/namespaces/{NAMESPACE}"
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}"
PODS = f"{BASE}/pods"
STRATEGIC = "application/strategic-merge-patch+json"
NGINX, HTTPD, PAUSE = "nginx:1.27", "httpd:2.4", "registry.k8s.io/pause:3.10"
# Nobody serves it, so that what needs it never runs.
NOWHERE = "registry.invalid/none:1"


def template(labels, image=NGINX, container=None, **spec):
    containers = [{"name": "c", "image": image, **(container or {})}]
    return {"metadata": {"labels": labels}, "spec": {"containers": containers, **spec}}


def pod(name, image=PAUSE, container=None, labels=None, **spec):
    made = template(labels or {}, image, container, **spec)
    return made | {"metadata": {"name": name, "labels": labels or {}}}


def workload(name, replicas=1, labels=None, image=NGINX, container=None, **spec):
    """Return an object of group apps that runs pods with these labels, by which it is known too."""
    labels = labels or {"app": name}
    counted = {} if replicas is None else {"replicas": replicas}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": template(labels, image, container, terminationGracePeriodSeconds=1),
            **counted,
            **spec,
        },
    }


def image_of(found):
    """Return the image of a pod, or of what pods are made from."""
    spec = found["spec"]
    return (spec["template"]["spec"] if "template" in spec else spec)["containers"][0]["image"]


def images(image):
    """Return the change that has a workload run another image."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": image}]}}}}


def status_is(**fields):
    """Check that a status of the newest spec has these fields, where 0 may be left out."""

    def check(found):
        status, generation = found.get("status") or {}, found["metadata"].get("generation", 0)
        seen = status.get("observedGeneration", generation) == generation
        return seen and all((status.get(key) or 0) == value for key, value in fields.items())

    return check


def condition(found, kind):
    conditions = (found.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == kind), None)


def is_so(kind, reason=None):
    """Check that a condition is true, for a reason if one is given."""

    def check(found):
        one = condition(found, kind)
        return bool(one) and one["status"] == "True" and reason in (None, one.get("reason"))

    return check


def owner(found):
    """Return the uid of who controls an object."""
    return (controller_of(found) or {}).get("uid")


async def pods_of(world, labels):
    """Return the pods with these labels that are not being deleted, by name."""
    selected = ",".join(f"{key}%3D{value}" for key, value in labels.items())
    items = (await world.get(f"{PODS}?labelSelector={selected}"))["items"]
    return {p["metadata"]["name"]: p for p in items if "deletionTimestamp" not in p["metadata"]}


async def running(world, name):
    return await world.until(f"{PODS}/{name}", lambda found: found["status"]["phase"] == "Running")


async def ready(world, path, replicas, within=60):
    """Wait until so many replicas of what has been seen to are ready."""

    check = status_is(replicas=replicas, readyReplicas=replicas)
    return await world.until(path, check, within)
