"""What both kinds of webhook configuration share."""

from __future__ import annotations

from apimachinery.meta import Obj
from apimachinery.validation.field import FieldErrors, Path, duplicate, invalid, required
from apiserver.registry.admissionregistration.matching import (
    FAILURE_POLICIES,
    MATCH_POLICIES,
    condition_errors,
    default_rules,
    default_selectors,
    rule_errors,
)
from apiserver.registry.podspec.checks import one_of
from apiserver.registry.podspec.selectors import selector_errors
from apiserver.registry.rules.names import fully_qualified_name_errors
from apiserver.registry.rules.webhooks import (
    client_config_errors,
    default_client_config,
    review_version_errors,
)
from apiserver.registry.strategy import MetadataCheck, Strategy, StrategyContext

_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_REINVOCATION = ("IfNeeded", "Never")
_LONGEST = 30


class WebhookConfigurationStrategy(Strategy):
    """Webhooks with names of their own, each with rules and an address."""

    metadata_checks = (MetadataCheck.WHOLE,)
    qualifies_finalizers = False
    has_generation = True
    allow_unconditional_update = False
    reinvokes = False

    def default(self, obj: Obj) -> None:
        for hook in obj.get("webhooks") or ():
            if hook.get("failurePolicy") is None:
                hook["failurePolicy"] = "Fail"
            default_selectors(hook)
            if hook.get("timeoutSeconds") is None:
                hook["timeoutSeconds"] = 10
            if self.reinvokes and hook.get("reinvocationPolicy") is None:
                hook["reinvocationPolicy"] = "Never"
            default_client_config(hook.get("clientConfig"))
            default_rules(hook.get("rules"))

    def validate(self, obj: Obj, ctx: StrategyContext) -> FieldErrors:
        seen: set[str] = set()
        for at, hook in enumerate(obj.get("webhooks") or ()):
            path = Path("webhooks")[at]
            yield from _hook_errors(hook, path)
            versions = hook.get("admissionReviewVersions") or ()
            yield from review_version_errors(versions, path / "admissionReviewVersions", named=True)
            name = hook.get("name") or ""
            if name and name in seen:
                yield duplicate(path / "name", name)
            seen.add(name)


def _hook_errors(hook: Obj, path: Path) -> FieldErrors:
    yield from fully_qualified_name_errors(hook.get("name") or "", path / "name")
    for at, rule in enumerate(hook.get("rules") or ()):
        yield from rule_errors(rule, (path / "rules")[at])
    for name, allowed in (("failurePolicy", FAILURE_POLICIES), ("matchPolicy", MATCH_POLICIES)):
        if hook.get(name) is not None:
            yield from one_of(hook[name], allowed, path / name)
    if hook.get("sideEffects") is None:
        yield required(path / "sideEffects", f"must specify one of {', '.join(_SIDE_EFFECTS)}")
    else:
        yield from one_of(hook["sideEffects"], _SIDE_EFFECTS, path / "sideEffects")
    timeout = hook.get("timeoutSeconds")
    if timeout is not None and not 1 <= timeout <= _LONGEST:
        why = f"the timeout value must be between 1 and {_LONGEST} seconds"
        yield invalid(path / "timeoutSeconds", timeout, why)
    for name in ("namespaceSelector", "objectSelector"):
        yield from selector_errors(hook.get(name), path / name)
    if hook.get("reinvocationPolicy") is not None:
        yield from one_of(hook["reinvocationPolicy"], _REINVOCATION, path / "reinvocationPolicy")
    yield from client_config_errors(hook.get("clientConfig") or {}, path / "clientConfig")
    yield from condition_errors(hook.get("matchConditions") or (), path / "matchConditions")
