"""Addresses of signing in and out, of one's account, and of those whom one manages."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from playground.accounts import account_views, api, people_views, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in", views.sign_in, name="sign-in"),
    path("sign-in/<str:token>", views.sign_in_by_link, name="sign-in-by-link"),
    path("sign-out", views.sign_out, name="sign-out"),
    path("account", account_views.account, name="account"),
    path("account/password", account_views.change_password, name="change-password"),
    path("account/sessions", account_views.end_session, name="end-session"),
    path("account/link", account_views.make_link, name="make-link"),
    path("people", people_views.everybody, name="people"),
    path("people/<str:name>", people_views.person, name="person"),
    path("people/<str:name>/change", people_views.change, name="change-person"),
    path("api/account", api.Account.as_view(), name="api-account"),
    path("api/account/password", api.Password.as_view(), name="api-password"),
    path("api/account/sessions", api.Sessions.as_view(), name="api-sessions"),
    path("api/account/sessions/<slug:public_id>", api.OneSession.as_view(), name="api-session"),
    path("api/people", api.People.as_view(), name="api-people"),
    path("api/people/<str:name>", api.OnePerson.as_view(), name="api-person"),
    path("api/people/<str:name>/links", api.Links.as_view(), name="api-links"),
]

if settings.OIDC is not None:
    # /oidc/sso/login/ and /oidc/sso/login/callback/
    urlpatterns.append(path("", include("playground.accounts.oidc_views")))
