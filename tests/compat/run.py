"""The callbacks under several versions of Lightning: `python tests/compat/run.py [VERSION …]`.

Each version gets an environment of its own in `.venv/compat/`, which holds that Lightning and
sees everything else, torch too, in the environment that runs this: so an environment takes
seconds, and no second torch is downloaded. What that leaves out: the older torch and other
packages that an older Lightning was published with.

Run in each: the examples of docs/other_projects.md and the tests of the callbacks.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSIONS = ("2.1", "2.3", "2.5", "2.6")
CHOSEN = (
    "tests/docs/test_other_projects.py",
    "tests/lightning_modules/callbacks",
)
_SETUPTOOLS = "setuptools<81"
"""The last with `pkg_resources`, which Lightning before 2.4 imports."""
_COUNTS = re.compile(r"(\d+) (passed|failed|skipped|error)")


@dataclass(frozen=True)
class Outcome:
    """How the tests went under one version; `lightning` is what was really imported."""

    lightning: str
    counts: dict[str, int]
    wall_s: float
    failures: list[str]

    @property
    def is_good(self) -> bool:
        """Whether tests ran and all of them passed."""
        return bool(self.counts.get("passed")) and not self.failures


def main() -> int:
    """Run the chosen tests under each version; return 0 when all pass."""
    versions = sys.argv[1:] or VERSIONS
    outcomes = [_run(_environment(version)) for version in versions]
    print("| Lightning | passed | failed | skipped | s |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for outcome in outcomes:
        passed, skipped = (outcome.counts.get(name, 0) for name in ("passed", "skipped"))
        print(
            f"| {outcome.lightning} | {passed} | {len(outcome.failures)} | {skipped} "
            f"| {outcome.wall_s:.0f} |"
        )
    for outcome in outcomes:
        for failure in outcome.failures:
            print(f"{outcome.lightning}: {failure}", file=sys.stderr)
    return 0 if all(outcome.is_good for outcome in outcomes) else 1


def _environment(version: str) -> Path:
    """Return the interpreter of an environment with that Lightning, made at its first use."""
    folder = ROOT / ".venv" / "compat" / version
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    done = folder / ".installed"
    if done.exists():
        return python
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    here = {"base": str(folder), "platbase": str(folder)}
    own = Path(sysconfig.get_path("purelib", scheme="venv", vars=here))
    # Its own packages come first on the path, then those of the environment that runs this.
    (own / "outer.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    options = ["--quiet", "--no-deps", "--target", str(own)]
    subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, f"lightning=={version}.*", _SETUPTOOLS],
        check=True,
    )
    done.touch()
    return python


def _run(python: Path) -> Outcome:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    version = subprocess.run(
        [python, "-c", "import lightning; print(lightning.__version__)"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    began_s = time.monotonic()
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", "-n", "2", *CHOSEN],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    return Outcome(
        lightning=version.stdout.strip() or f"{python.parents[1].name} (can't be imported)",
        counts={name: int(count) for count, name in _COUNTS.findall(lines[-1] if lines else "")},
        wall_s=time.monotonic() - began_s,
        failures=[line for line in lines if line.startswith(("FAILED ", "ERROR "))]
        or ([done.stdout[-500:] + done.stderr[-500:]] if done.returncode else []),
    )


if __name__ == "__main__":
    sys.exit(main())
