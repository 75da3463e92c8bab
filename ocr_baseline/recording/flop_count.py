"""The floating-point operations of one training batch, counted where that was asked for.

Operations pass through a dispatch mode of torch for that batch, which counts those with a known
formula (matrix products, convolutions, attention) by the shapes of what they are given, and lets
everything run as it would without. Code that torch has compiled passes by it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode, _get_current_dispatch_mode
from torch.utils.flop_counter import flop_registry

from ocr_baseline.signal_errors import let_through

if TYPE_CHECKING:
    from ocr_baseline.measure.batches import StageState
    from ocr_baseline.measure.recorder import Recorder

POSITION = 2
"""The batch that is counted: the last one of warm-up, which no statistic holds."""


class FlopCount:
    """Counts one training batch of a run.

    Attributes:
        is_over: Whether it was counted, or never will be.
    """

    def __init__(
        self, recorder: Recorder, module: torch.nn.Module, peak: tuple[float | None, str | None]
    ) -> None:
        """Wait for the batch.

        Args:
            recorder: Where the count is written.
            module: What trains.
            peak: Operations per second that the device can do in the run's precision, or None and
                why that isn't known.
        """
        self._recorder = recorder
        self._module = module
        self._peak = peak
        self._mode: _Counting | None = None
        self._state: StageState | None = None
        self._graphs_before = _graphs_compiled()
        self.is_over = False

    def begin_batch(self, state: StageState) -> None:
        """A training batch goes to its step."""
        if self.is_over or state.position < POSITION:
            return
        why_not = _why_not(self._module, self._graphs_before)
        if why_not is not None:
            self.give_up(why_not)
            return
        state.set_aside.append(state.position)
        self._state = state
        self._mode = _Counting()
        self._mode.__enter__()  # type: ignore[no-untyped-call]  # torch's gap, here and below

    def end_batch(self) -> None:
        """The step's last hook is called."""
        mode, state = self._mode, self._state
        if mode is None or state is None:
            return
        self._leave()
        self.is_over = True
        if not mode.flops:
            why = "nothing ran in the counted batch whose operations have a known count"
            self._write_why_not(why)
            return
        peak, why_no_peak = self._peak
        self._recorder.write(
            {
                "type": "flops",
                "stage": state.stage.value,
                "position": state.position,
                "samples": state.samples,
                "flops": mode.flops,
                "peak_flops_per_s": peak,
                "why_no_peak": why_no_peak,
            }
        )

    def break_off(self) -> None:
        """Another stage begins; a batch whose step has not ended by then never will."""
        if self._mode is not None:
            self.give_up("the batch that was counted did not end")

    def give_up(self, why_not: str) -> None:
        """Count nothing in this run; tell why, unless it was counted."""
        self._leave()
        if not self.is_over:
            self.is_over = True
            self._write_why_not(why_not)

    def _leave(self) -> None:
        """Let operations run past the mode again; a mode of the user's above it stays."""
        mode, self._mode = self._mode, None
        if mode is None:
            return
        mode.is_counting = False
        if _get_current_dispatch_mode() is mode:
            mode.__exit__(None, None, None)  # type: ignore[no-untyped-call]

    def _write_why_not(self, why_not: str) -> None:
        self._recorder.write({"type": "not_measured", "metric": "flops", "why": why_not})


class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the operations of what is called, and calls it."""

    supports_higher_order_operators = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0
        self.is_counting = True

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        if self.is_counting:
            try:
                formula = flop_registry.get(getattr(func, "overloadpacket", None))
                if formula is not None:
                    self.flops += int(formula(*args, **kwargs, out_val=result))
            except Exception as error:  # noqa: BLE001 - a count is not worth a training
                let_through(error)
        return result


def _why_not(module: torch.nn.Module, graphs_before: int) -> str | None:
    """Return why the operations of a module can't be counted, None where they can."""
    if _get_current_dispatch_mode() is not None:
        return "a dispatch mode of torch is in use"
    compiled = any(
        hasattr(one, "_orig_mod") or getattr(one, "_compiled_call_impl", None) is not None
        for one in module.modules()
    )
    if compiled or _graphs_compiled() > graphs_before:
        return "torch has compiled code of this training, whose operations can't be counted"
    return None


def _graphs_compiled() -> int:
    """Return how many graphs torch.compile has made in this process so far."""
    counters: Any = getattr(sys.modules.get("torch._dynamo.utils"), "counters", None)
    try:
        return int(counters["frames"]["ok"])
    except (TypeError, KeyError):
        return 0
