"""Python's clocks and its wait, in a copy of the module `time` that only this package holds.

A test of a training may put others in their places: in `time` (`unittest.mock`), or in each
module that has one by name (freezegun). In this copy nobody looks for them: durations and deadlines
stay true, and a mock that counts calls counts those of the training alone.
"""

from __future__ import annotations

import importlib.util
from importlib.machinery import BuiltinImporter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import time
else:
    time = importlib.util.module_from_spec(BuiltinImporter.find_spec("time"))
    BuiltinImporter.exec_module(time)

monotonic = time.monotonic
perf_counter = time.perf_counter
perf_counter_ns = time.perf_counter_ns
process_time_ns = time.process_time_ns
sleep = time.sleep
thread_time_ns = time.thread_time_ns
wall_clock_s = time.time
