"""The home page: cards of clusters, a form for a new one, and drawers to connect and delete."""

from __future__ import annotations

from itertools import chain, count
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from playground.sandboxes import access, api
from playground.sandboxes.forms import ForkForm, ImportForm, NewClusterForm
from playground.sandboxes.gateway import Refused, gateway

# What the button for the first cluster calls it.
FIRST = "lab"


@login_required
@require_http_methods(["GET", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """Show the clusters; make a new one."""
    if request.method == "GET":
        return _home(request, NewClusterForm(), opened="new" in request.GET)
    user = access.signed_in(request.user)
    form = NewClusterForm(request.POST)
    if not form.is_valid():
        return _home(request, form, status=422, opened=True)
    if access.limit_reached(user, gateway().clusters()):
        form.add_error(None, api.limit_text())
        return _home(request, form, status=403, opened=True)
    try:
        api.start(user, form.cleaned_data)
    except Refused as error:
        log = _explain(form, error)
        return _home(request, form, status=error.code, opened=True, extra={"log": log})
    name = form.cleaned_data["name"]
    return HttpResponseRedirect(f"{reverse('home')}?connect={name}")


@login_required
@require_GET
def new(request: HttpRequest) -> HttpResponse:
    """Show the form of a new cluster."""
    return render(request, "sandboxes/new.html", _new(request, NewClusterForm()))


@login_required
@require_http_methods(["GET", "POST"])
def fork(request: HttpRequest, name: str) -> HttpResponse:
    """Ask for a name, then make a cluster that begins as this one is."""
    user = access.signed_in(request.user)
    cluster = access.find_to_copy(gateway(), user, name)
    if request.method == "GET":
        form = ForkForm(initial={"name": f"{cluster.name[:50]}-fork"})
        return render(request, "sandboxes/fork.html", {"cluster": cluster, "form": form})
    form, status = ForkForm(request.POST), 422
    if form.is_valid():
        if access.limit_reached(user, gateway().clusters()):
            form.add_error(None, api.limit_text())
        else:
            try:
                api.fork(user, cluster, form.cleaned_data["name"])
            except Refused as error:
                status = error.code
                _explain(form, error)
            else:
                text = _("%(fork)s begins as %(name)s is now.")
                made = form.cleaned_data["name"]
                messages.success(request, text % {"fork": made, "name": cluster.name})
                return HttpResponseRedirect(reverse("home"))
    extra: dict[str, Any] = {"forking": cluster, "fork_form": form}
    return _home(request, NewClusterForm(), status=status, extra=extra)


@login_required
@require_http_methods(["GET", "POST"])
def import_recording(request: HttpRequest) -> HttpResponse:
    """Ask for a recording and a name, then make a cluster that goes on where it ends."""
    user = access.signed_in(request.user)
    if request.method == "GET":
        return render(request, "sandboxes/import.html", {"import_form": ImportForm()})
    form, status = ImportForm(request.POST, request.FILES), 422
    if form.is_valid():
        if access.limit_reached(user, gateway().clusters()):
            form.add_error(None, api.limit_text())
        else:
            name = form.cleaned_data["name"]
            try:
                made = api.import_recording(user, name, form.cleaned_data["file"])
            except Refused as error:
                status = error.code
                _explain(form, error)
            else:
                for text in _imported(name, made):
                    messages.success(request, text)
                return HttpResponseRedirect(reverse("home"))
    return _home(request, NewClusterForm(), status=status, extra={"import_form": form})


def _imported(name: str, made: dict[str, Any]) -> list[str]:
    """Return what to say of an import: that it is there, and what is not."""
    told = [_("%(name)s goes on where the recording ends.") % {"name": name}]
    if not made.get("secrets"):
        told.append(_("The recording has no values of Secrets: they are empty."))
    if count := sum((made.get("skipped") or {}).values()):
        text = _("%(count)d changes of kinds that nothing in the recording defines were left out.")
        told.append(text % {"count": count})
    return told


@login_required
@require_POST
def pause(request: HttpRequest, name: str) -> HttpResponse:
    """Put a cluster to rest."""
    cluster = access.find_to_change(gateway(), access.signed_in(request.user), name)
    gateway().pause(cluster.name)
    text = _("%(name)s is paused. Nothing of it is lost; resume it whenever you want.")
    messages.success(request, text % {"name": cluster.name})
    return HttpResponseRedirect(reverse("home"))


@login_required
@require_POST
def resume(request: HttpRequest, name: str) -> HttpResponse:
    """Open a cluster that rests."""
    user = access.signed_in(request.user)
    cluster = access.find_to_change(gateway(), user, name)
    if problem := api.wake(user, cluster):
        messages.error(request, problem)
    else:
        messages.success(request, _("%(name)s runs again.") % {"name": cluster.name})
    return HttpResponseRedirect(reverse("home"))


@login_required
@require_GET
def connect(request: HttpRequest, name: str) -> HttpResponse:
    """Show how to reach a cluster with kubectl."""
    return render(request, "sandboxes/connect.html", _connection(request, name))


@login_required
@require_GET
def connections(request: HttpRequest, name: str) -> JsonResponse:
    """Tell whether a client has connected yet."""
    cluster = access.find(gateway(), access.signed_in(request.user), name)
    return JsonResponse({"first": gateway().first_connection(cluster.name)})


@login_required
@require_GET
def kubeconfig(request: HttpRequest, name: str) -> HttpResponse:
    """Send the kubeconfig as a file."""
    user = access.signed_in(request.user)
    cluster = access.find(gateway(), user, name)
    text = access.kubeconfig(gateway(), user, cluster)
    response = HttpResponse(text, content_type="application/yaml")
    response["Content-Disposition"] = f'attachment; filename="{cluster.name}.kubeconfig"'
    return response


@login_required
@require_http_methods(["GET", "POST"])
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """Ask for the name, then delete the cluster."""
    cluster = access.find_to_change(gateway(), access.signed_in(request.user), name)
    if request.method == "GET":
        return render(request, "sandboxes/delete.html", {"cluster": cluster})
    if request.POST.get("confirm", "").strip() != cluster.name:
        text = _("This is not the cluster's name. Nothing was deleted.")
        context: dict[str, Any] = {"deleting": cluster, "delete_problem": text}
        return _home(request, NewClusterForm(), status=422, extra=context)
    gateway().delete(cluster.name)
    return HttpResponseRedirect(reverse("home"))


@login_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """Go to another cluster: the switcher's form, for a browser without scripts."""
    cluster = access.find(
        gateway(), access.signed_in(request.user), request.POST.get("cluster", "")
    )
    return HttpResponseRedirect(reverse("topology", args=[cluster.name]))


def _home(
    request: HttpRequest,
    form: NewClusterForm,
    *,
    status: int = 200,
    opened: bool = False,
    extra: dict[str, Any] | None = None,
) -> HttpResponse:
    user = access.signed_in(request.user)
    every = gateway().clusters()
    clusters = access.visible(user, every)
    context: dict[str, Any] = {
        "clusters": [(one, access.may_change(user, one)) for one in clusters],
        "limit": api.limit_text() if access.limit_reached(user, every) else "",
        "opened": opened,
        **_new(request, form),
        **(extra or {}),
    }
    if wanted := request.GET.get("connect"):
        try:
            context["connection"] = _connection(request, wanted)
        except Http404:
            context["missing"] = wanted
    return render(request, "sandboxes/home.html", context, status=status)


def _new(request: HttpRequest, form: NewClusterForm) -> dict[str, Any]:
    taken = {cluster.name for cluster in gateway().clusters()}
    numbered = (f"{FIRST}-{number}" for number in count(2))
    free = next(name for name in chain((FIRST,), numbered) if name not in taken)
    return {"form": form, "free": free}


def _connection(request: HttpRequest, name: str) -> dict[str, Any]:
    user = access.signed_in(request.user)
    cluster = access.find(gateway(), user, name)
    return {
        "cluster": cluster,
        "server": api.server_of(cluster.name),
        "kubeconfig": access.kubeconfig(gateway(), user, cluster),
        "looks_on": not access.may_change(user, cluster),
        "first": gateway().first_connection(cluster.name),
    }


def _explain(form: Form, error: Refused) -> str:
    """Put what the worker refused beside the field that it is about; return it as it came."""
    if error.reason == "AlreadyExists":
        text = _("There is a cluster of this name already. Choose another one.")
        form.add_error("name", text)
        return ""
    for cause in error.causes:
        field = cause.get("field", "").partition("[")[0]
        form.add_error(field if field in form.fields else None, cause.get("message", ""))
    if not error.causes:
        text = _("The cluster did not start: %(why)s. Nothing was saved.")
        form.add_error(None, text % {"why": error.message.rstrip(".")})
    return f"{error.code} {error.reason}: {error.message}"
