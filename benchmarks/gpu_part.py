"""One part of `benchmarks/gpu.py` in a process of its own: `python -m benchmarks.gpu_part`.

python -m benchmarks.gpu_part PART cuda|dry RESULT.json
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from benchmarks.gpu_device import device_named

PARTS = {
    "tests": ("gpu_programs", "tests"),
    "truth": ("gpu_truth", "measure"),
    "overhead": ("gpu_cost", "overhead"),
    "synchronizations": ("gpu_cost", "synchronizations"),
    "nvidia-smi": ("gpu_smi", "measure"),
    "modes": ("gpu_modes", "measure"),
    "receipts": ("gpu_programs", "receipts"),
    "ranks": ("gpu_programs", "ranks"),
}
"""By name: the module of `benchmarks` and its function, which takes a device."""


def main() -> int:
    """Run the part and write what it found."""
    part, device, result = sys.argv[1:]
    module, function = PARTS[part]
    measure = getattr(importlib.import_module(f"benchmarks.{module}"), function)
    measure(device_named(device)).write(Path(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
