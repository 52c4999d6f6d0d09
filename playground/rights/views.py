"""The access page: a grid of who may do what, the reasons, looking as somebody, tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from playground.accounts import viewing
from playground.accounts.viewing import Viewing
from playground.rights import asking
from playground.rights.asking import Question
from playground.rights.forms import KubeconfigForm, TokenForm, ViewAsForm
from playground.sandboxes import access
from playground.sandboxes.gateway import Cluster, Identity, Refused, gateway

SHOWN = 200


@login_required
@require_GET
def page(request: HttpRequest, name: str) -> HttpResponse:
    """Show who may do what."""
    return _page(request, name)


@login_required
@require_POST
def token(request: HttpRequest, name: str) -> HttpResponse:
    """Make a token of a service account, and show it once."""
    user, cluster, identity = access.asked(request.user, name)
    access.find_to_change(gateway(), user, name)
    form = TokenForm(asking.accounts(cluster, identity), request.POST)
    if not form.is_valid():
        return _page(request, name, token_form=form, status=422)
    namespace, _slash, account = form.cleaned_data["account"].partition("/")
    made = asking.token(cluster, identity, namespace, account, form.cleaned_data["seconds"])
    return _page(request, name, made=made)


@login_required
@require_POST
def kubeconfig(request: HttpRequest, name: str) -> HttpResponse:
    """Send a kubeconfig for whom one has chosen, as a file."""
    user, cluster, identity = access.asked(request.user, name)
    access.find_to_change(gateway(), user, name)
    form = KubeconfigForm(request.POST)
    if not form.is_valid():
        return _page(request, name, config_form=form, status=422)
    given = form.cleaned_data
    try:
        text = asking.kubeconfig(
            cluster, identity, given["user"], given["groups"], given["days"], user.get_username()
        )
    except Refused as error:
        form.add_error("user", error.message)
        return _page(request, name, config_form=form, status=422)
    response = HttpResponse(text, content_type="application/yaml")
    response["Content-Disposition"] = f'attachment; filename="{cluster.name}.kubeconfig"'
    return response


@login_required
@require_POST
def view_as(request: HttpRequest, name: str) -> HttpResponse:
    """Look at the cluster as somebody else from now on."""
    user = access.signed_in(request.user)
    cluster = access.find_to_change(gateway(), user, name)
    form = ViewAsForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say as whom you want to look."))
        return HttpResponseRedirect(reverse("access", args=[name]))
    viewing.begin(request.session, of_form(cluster, form))
    return HttpResponseRedirect(reverse("topology", args=[name]))


@login_required
@require_POST
def view_as_myself(request: HttpRequest) -> HttpResponse:
    """Be oneself again."""
    looking = viewing.of_session(request.session)
    viewing.end(request.session)
    if looking is None:
        return HttpResponseRedirect(reverse("home"))
    return HttpResponseRedirect(reverse("access", args=[looking.name]))


def of_form(cluster: Cluster, form: ViewAsForm) -> Viewing:
    """Return as whom a form says that one wants to look."""
    user, group = form.cleaned_data["user"], form.cleaned_data["group"]
    groups: tuple[str, ...] = ()
    if not asking.is_account(user):
        # The API adds those of service accounts by itself.
        groups = (*filter(None, (group,)), asking.AUTHENTICATED)
    return Viewing(cluster.uid, cluster.name, user, groups)


def _page(request: HttpRequest, name: str, *, status: int = 200, **more: Any) -> HttpResponse:
    user, cluster, identity = access.asked(request.user, name)
    asked = request.GET
    namespace, resource = asked.get("ns", "default"), asked.get("resource") or "pods"
    shown = int(asked["shown"]) if asked.get("shown", "").isdecimal() else SHOWN
    context: dict[str, Any] = {
        "cluster": cluster,
        "page": "access",
        "changes": access.may_change(user, cluster),
        "namespace": namespace,
        "resource": resource,
        "q": asked.get("q", ""),
        "system": "system" in asked,
    }
    params = {"namespace": namespace, "resource": resource, "q": context["q"]}
    if context["system"]:
        params["system"] = "1"
    try:
        grid = gateway().access(cluster.name, identity, "access", params)
        context["grid"] = grid
        context["rows"] = grid["items"][:shown]
        context["more"] = max(0, grid["total"] - shown)
        if context["more"]:
            context["all_rows"] = [_compact(row) for row in grid["items"]]
        context["shown_next"] = shown * 5
        if asked.get("verb"):
            context.update(_why(cluster, identity, request, namespace, resource))
        if context["changes"]:
            context["token_form"] = TokenForm(asking.accounts(cluster, identity))
    except Refused as error:
        if error.code != 403:
            raise
        context["refused"] = error
    context["config_form"] = KubeconfigForm(
        initial={"user": user.get_username(), "groups": "system:masters"}
    )
    return render(request, "access/page.html", {**context, **more}, status=status)


def _compact(row: dict[str, Any]) -> list[str]:
    """Return a row of the grid for a page that draws only those in sight."""
    may = "".join("1" if one else "0" for one in row["may"])
    return [row["kind"], row["name"], row["user"], row["group"], may]


def _why(
    cluster: Cluster, identity: Identity, request: HttpRequest, namespace: str, resource: str
) -> dict[str, Any]:
    user, group = request.GET.get("user", ""), request.GET.get("group", "")
    question = Question(
        request.GET["verb"], resource, namespace, "", user, (group,) if group else ()
    )
    if not user and not group:
        return {}
    answer = asking.why(cluster, identity, question)
    return {"question": question, "who": user or group, "why": answer}
