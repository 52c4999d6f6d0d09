"""How a cluster's scheduler is configured: ConfigMap `kube-system/kube-scheduler-config`.

Its field `config.yaml` is a KubeSchedulerConfiguration, as a file of kube-scheduler's `--config`.
It is followed: a change holds from the next attempt on, and without the ConfigMap the defaults
hold. What is wrong with it is told by an Event, and the rules stay as they were, where a
kube-scheduler would not start. The file is read as the cluster itself does: whoever may write
that ConfigMap decides.
"""

from __future__ import annotations

import logging

from apimachinery.meta import Obj
from apiserver.endpoints.yaml import YAMLError, load
from nodes.client.events import WARNING, Recorder
from nodes.client.informer import Informer
from nodes.client.loopclock import LoopClock
from nodes.client.resources import CONFIGMAPS
from nodes.client.supervise import TaskSet
from nodes.client.transport import Transport
from nodes.scheduler.config.reading import ConfigError, Configuration, read
from nodes.scheduler.loop import Scheduler

log = logging.getLogger(__name__)

NAMESPACE, NAME, FIELD = "kube-system", "kube-scheduler-config", "config.yaml"


class SchedulerConfig:
    """Keeps a scheduler configured. `error` says what is wrong with the latest document."""

    def __init__(
        self,
        scheduler: Scheduler,
        transport: Transport,
        clock: LoopClock,
        tasks: TaskSet,
        recorder: Recorder,
    ) -> None:
        self._scheduler, self._recorder = scheduler, recorder
        self.error = ""
        self._informer = Informer(
            CONFIGMAPS,
            transport,
            clock,
            tasks,
            namespace=NAMESPACE,
            field_selector=f"metadata.name={NAME}",
        )

    def start(self) -> None:
        """Read what is there, and follow it."""
        self._informer.on_change(self._on_change)
        self._informer.start()

    def stop(self) -> None:
        """Follow it no longer."""
        self._informer.stop()

    def _on_change(self, old: Obj | None, new: Obj | None) -> None:
        text = ((new or {}).get("data") or {}).get(FIELD)
        if old is not None and text == (old.get("data") or {}).get(FIELD):
            return
        try:
            self._scheduler.configure(Configuration() if text is None else read(_parsed(text)))
        except ConfigError as error:
            self.error = str(error)
            log.warning("scheduler configuration refused: %s", error)
            if new is not None:
                self._recorder.event(new, WARNING, "InvalidConfiguration", self.error)
        else:
            self.error = ""


def _parsed(text: str) -> object:
    try:
        return load(text.encode())
    except YAMLError as error:
        raise ConfigError(f"couldn't get version/kind; yaml: {error}") from None
