"""What the W&B client's own messages say of the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ocr_baseline.sources.wandb.environment import (
    REQUIREMENTS,
    identity_of,
    os_of,
    packages_of,
    volatile_of,
)

if TYPE_CHECKING:
    from pathlib import Path

messages: Any = pytest.importorskip("wandb.proto.wandb_internal_pb2")
telemetry: Any = pytest.importorskip("wandb.proto.wandb_telemetry_pb2")


def test_every_graphics_card_of_the_machine_is_named() -> None:
    cards = [messages.GpuNvidiaInfo(name="NVIDIA A100"), messages.GpuNvidiaInfo(name="NVIDIA L4")]

    identity = identity_of(messages.EnvironmentRecord(gpu_nvidia=cards, cpu_count_logical=32))

    assert identity == {"machine_cpu_count": 32, "machine_gpus": ["NVIDIA A100", "NVIDIA L4"]}


def test_a_record_that_tells_nothing_gives_nothing() -> None:
    empty = messages.EnvironmentRecord()

    assert (identity_of(empty), volatile_of(empty)) == ({}, {})
    assert os_of(telemetry.TelemetryRecord()) == {}


def test_the_commit_and_the_host_are_told_and_no_user_or_address() -> None:
    git = messages.GitRepoRecord(commit="abc123", remote_url="https://me:s3cret@host/repo")
    record = messages.EnvironmentRecord(git=git, host="box", username="me", email="me@host")

    assert volatile_of(record) == {"hostname": "box", "git_commit": "abc123"}
    assert identity_of(record) == {}


@pytest.mark.parametrize(
    ("noted", "expected"),
    [
        ("linux-x86_64", "Linux x86_64"),
        ("darwin-arm64", "Darwin arm64"),
        ("windows-amd64", "Windows AMD64"),
    ],
)
def test_a_system_is_named_as_python_names_it(noted: str, expected: str) -> None:
    assert os_of(telemetry.TelemetryRecord(platform=noted)) == {"os": expected}


def test_of_the_packages_those_that_the_recorder_names_are_told(tmp_path: Path) -> None:
    file = tmp_path / REQUIREMENTS
    file.parent.mkdir()
    file.write_text("torch==2.14.1+cpu\nnot a pin\nwandb==0.31.0\nnumpy==\nlightning==2.6.6\n")

    assert packages_of(tmp_path) == {"torch": "2.14.1+cpu", "lightning": "2.6.6"}
    assert packages_of(tmp_path / "absent") == {}
