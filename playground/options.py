"""From the operator's flags to the options of the parts that go by them."""

from __future__ import annotations

from apiserver.endpoints.options import ServingOptions
from apiserver.flowcontrol.options import FlowOptions
from playground.flags import Flags, all_flags


def serving_options(flags: Flags) -> ServingOptions:
    """Return how requests are served."""
    return ServingOptions(
        request_timeout=flags.request_timeout,
        min_request_timeout=flags.min_request_timeout,
        flags=tuple(
            (each.name, each.syntax.write(getattr(flags, each.attribute))) for each in all_flags()
        ),
        flow=FlowOptions(
            flags.enable_priority_and_fairness,
            flags.max_requests_inflight,
            flags.max_mutating_requests_inflight,
        ),
    )
