"""Environments with other versions of packages or of Python, made at their first use.

With another Lightning or Hydra, or the lowest versions of all, an environment holds those alone and
sees everything else, torch too, in the environment that runs this: it takes seconds, and no second
torch is downloaded. What that leaves out: the older torch and other packages that an older
Lightning was published with.

With another Python everything is installed anew, as `make setup` does: several gigabytes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".venv" / "compat"
_SETUPTOOLS = "setuptools<81"
"""The last with `pkg_resources`, which Lightning before 2.4 imports."""
_AT_HAND = ("torch", "torchvision", "typing_extensions")
_COMPANIONS = ("protobuf<5", "pydantic-core==2.16.1", "pytz", "sentry-sdk", _SETUPTOOLS)
"""What the lowest versions need and newer ones don't, or in other versions."""
_SECOND_PACKAGE = "pytorch-lightning"
"""Lightning's other name, of the same versions."""
_OMEGACONF = {"1.4.0rc3": "omegaconf==2.4.1rc1"}
"""What each Hydra asks for."""


def with_lightning(version: str) -> Path:
    """Return the interpreter of an environment with that Lightning ("2.1")."""
    return _with_packages(
        version, [*(f"{name}=={version}.*" for name in ("lightning", _SECOND_PACKAGE)), _SETUPTOOLS]
    )


def with_hydra(version: str) -> Path:
    """Return the interpreter of an environment with that Hydra ("1.4.0rc3") and its OmegaConf."""
    return _with_packages(f"hydra-{version}", [f"hydra-core=={version}", _OMEGACONF[version]])


def with_lowest() -> Path:
    """Return the interpreter of an environment with the lowest versions that pyproject.toml allows.

    torch, torchvision and what they ask for are those at hand.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    texts = [text for extra in extras if extra != "dev" for text in extras[extra]]
    asked = map(Requirement, project["dependencies"] + texts)
    lowest = [
        f"{requirement.name}=={_lowest(requirement)}"
        for requirement in asked
        if requirement.name not in _AT_HAND
        and (requirement.marker is None or requirement.marker.evaluate())
    ]
    second = next(text for text in lowest if text.startswith("lightning==")).replace(
        "lightning", _SECOND_PACKAGE
    )
    return _with_packages("lowest", [*lowest, second, *_COMPANIONS])


def _lowest(requirement: Requirement) -> str:
    return next(each.version for each in requirement.specifier if each.operator == ">=")


def _with_packages(name: str, requirements: list[str]) -> Path:
    folder = FOLDER / name
    python = _interpreter_of(folder)
    done = folder / ".installed"
    if done.exists():
        return python
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    here = {"base": str(folder), "platbase": str(folder)}
    own = Path(sysconfig.get_path("purelib", scheme="venv", vars=here))
    # Its own packages come first on the path, then those of the environment that runs this.
    (own / "outer.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    options = ["--quiet", "--no-deps", "--target", str(own)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *requirements], check=True)
    done.touch()
    return python


def with_python(interpreter: Path) -> Path:
    """Return the interpreter of an environment that was set up with that Python."""
    folder = FOLDER / interpreter.resolve().name
    subprocess.run(
        ["make", "--silent", "setup", f"PYTHON={interpreter}", f"VENV={folder}"],
        cwd=ROOT,
        check=True,
    )
    return _interpreter_of(folder)


def _interpreter_of(folder: Path) -> Path:
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"
