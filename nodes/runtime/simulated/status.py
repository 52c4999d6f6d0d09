"""CRI's views of a simulated container."""

from __future__ import annotations

from nodes.runtime.cri import Container, ContainerState, ContainerStats, ContainerStatus, ImageSpec
from nodes.runtime.simulated.container import SimContainer

NANO = 1_000_000_000


def container_status(container: SimContainer) -> ContainerStatus:
    """Return everything about one container."""
    config, image = container.config, container.image
    return ContainerStatus(
        id=container.id,
        pod_sandbox_id=container.pod_sandbox_id,
        metadata=config.metadata,
        state=container.state,
        created_at=container.created_at,
        started_at=container.started_at,
        finished_at=container.finished_at,
        exit_code=container.exit_code,
        image=ImageSpec(image.reference),
        image_ref=f"{image.repository}@{image.digest}",
        reason=container.reason,
        message=container.message,
        labels=config.labels,
        annotations=config.annotations,
        mounts=config.mounts,
        log_path=config.log_path,
        resources=container.resources,
        image_id=image.id,
        user=container.user(),
    )


def listed(container: SimContainer) -> Container:
    """Return what a list of containers says about one."""
    config, image = container.config, container.image
    return Container(
        id=container.id,
        pod_sandbox_id=container.pod_sandbox_id,
        metadata=config.metadata,
        image=ImageSpec(image.reference),
        image_ref=f"{image.repository}@{image.digest}",
        state=container.state,
        created_at=container.created_at,
        labels=config.labels,
        annotations=config.annotations,
    )


def container_stats(container: SimContainer, now: float) -> ContainerStats:
    """Return what one container uses now; nothing unless it runs."""
    meter = container.meter if container.state is ContainerState.RUNNING else None
    memory = meter.memory(now) if meter else 0
    if container.resources.memory_limit_in_bytes:
        memory = min(memory, container.resources.memory_limit_in_bytes)
    return ContainerStats(
        id=container.id,
        pod_sandbox_id=container.pod_sandbox_id,
        metadata=container.config.metadata,
        labels=container.config.labels,
        timestamp=int(now * NANO),
        cpu_usage_nano_cores=int(meter.cores(now) * NANO) if meter else 0,
        cpu_usage_core_nano_seconds=int(meter.core_seconds(now) * NANO) if meter else 0,
        memory_working_set_bytes=memory,
        memory_usage_bytes=int(memory * 1.1),
        memory_rss_bytes=int(memory * 0.8),
        writable_layer_used_bytes=container.written_bytes if meter else 0,
        process_count=container.process_count,
    )
