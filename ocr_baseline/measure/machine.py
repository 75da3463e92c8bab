"""What took processor time from the run: the host, a slower clock, the container's own limit."""

from __future__ import annotations

import psutil

from ocr_baseline.measure.container_limits import own_limits
from ocr_baseline.measure.cpu_throttling import ThrottlingProbe


class MachineProbe:
    """Watches the machine from its making on; `sample` now and then, `summary` at the end."""

    def __init__(self) -> None:
        """Note the processor times so far."""
        self._began = psutil.cpu_times()
        self._frequencies_mhz: list[float] = []
        self._throttling = ThrottlingProbe(own_limits())

    def sample(self) -> None:
        """Note the processors' mean clock, where the system tells it."""
        frequency = psutil.cpu_freq()
        if frequency is not None:
            self._frequencies_mhz.append(frequency.current)

    def summary(self) -> dict[str, float]:
        """Return the shares that are known.

        `cpu_steal_share`: of all processors' time since the start, what the hypervisor gave to
        other machines (Linux only). `cpu_frequency_drop_share`: one minus the lowest sampled clock
        over the highest. `ThrottlingProbe.summary` has the rest.
        """
        return self._steal() | self._frequency_drop() | self._throttling.summary()

    def _steal(self) -> dict[str, float]:
        now = psutil.cpu_times()
        passed_s = sum(now) - sum(self._began)
        if not hasattr(now, "steal") or passed_s <= 0:
            return {}
        return {"cpu_steal_share": max(0.0, (now.steal - self._began.steal) / passed_s)}

    def _frequency_drop(self) -> dict[str, float]:
        if len(self._frequencies_mhz) < 2:
            return {}
        drop = 1 - min(self._frequencies_mhz) / max(self._frequencies_mhz)
        return {"cpu_frequency_drop_share": drop}
