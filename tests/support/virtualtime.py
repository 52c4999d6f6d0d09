"""Virtual time for tests whose fixtures already use the loop's clock.

The loop's time is real while fixtures are made; a test that began at zero would see its clocks
jump back. So virtual time goes on from where real time was.
"""

from __future__ import annotations

import time

import pytest

VIRTUAL_TIME = pytest.mark.looptime(start=time.monotonic)
