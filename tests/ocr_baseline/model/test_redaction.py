"""Secrets in a config."""

from __future__ import annotations

import copy
import functools
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest
import torch

from ocr_baseline.model.privacy import (
    LEFT_OUT,
    REDACTED,
    is_secret_key,
    redact,
    redact_arguments,
    redact_text,
)


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "DB_PASSWORD",
        "authToken",
        "api_key",
        "apiKey",
        "WANDB_API_KEY",
        "openai.api-key",
        "api_key_1",
        "aws_secret_access_key",
        "credentials",
        "Authorization",
        "hf_token",
        "ssh_private_key",
        "auth",
    ],
)
def test_keys_that_name_a_secret_are_recognised(key: str) -> None:
    assert is_secret_key(key)


@pytest.mark.parametrize(
    "key",
    ["tokenizer", "max_tokens", "author", "key", "monkey", "keypoints", "secretary", "passes"],
)
def test_keys_that_only_look_like_one_are_not(key: str) -> None:
    assert not is_secret_key(key)


def test_secrets_go_at_any_depth_and_the_rest_stays() -> None:
    config = {"lr": 0.1, "loggers": [{"wandb": {"api_key": "x", "project": "p"}}], "n": None}

    assert redact(config) == {
        "lr": 0.1,
        "loggers": [{"wandb": {"api_key": REDACTED, "project": "p"}}],
        "n": None,
    }


def test_a_whole_mapping_under_a_secret_key_goes() -> None:
    assert redact({"credentials": {"user": "me", "pin": 1}}) == {"credentials": REDACTED}


def test_switches_and_empty_values_under_a_secret_key_tell_nothing_and_stay() -> None:
    assert redact({"use_auth_token": True, "password": None}) == {
        "use_auth_token": True,
        "password": None,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://me:p@ss@db:5432/runs", f"postgresql://{REDACTED}@db:5432/runs"),
        ("https://ghp_abc@github.com/x/y", f"https://{REDACTED}@github.com/x/y"),
        ("https://h/x?a=1&access_token=abc#f", f"https://h/x?a=1&access_token={REDACTED}#f"),
        ("see https://host/a@b and c@d.e", "see https://host/a@b and c@d.e"),
        ("/data/receipts", "/data/receipts"),
    ],
)
def test_credentials_in_urls_go_and_other_text_stays(text: str, expected: str) -> None:
    assert redact_text(text) == expected


def test_values_become_json_values() -> None:
    config = {1: PurePosixPath("/data"), "nan": float("nan"), "inf": float("-inf"), "size": (1, 2)}

    assert redact(config) == {"1": "/data", "nan": "NaN", "inf": "-Infinity", "size": [1, 2]}  # type: ignore[arg-type] # a key that is no text


def test_the_config_itself_is_not_changed() -> None:
    config = {"a": {"token": "x"}, "b": ["https://u:p@h"]}
    before = copy.deepcopy(config)

    redact(config)

    assert config == before


def test_tokens_are_told_by_their_shape_under_any_key_and_hashes_stay() -> None:
    digits = "0123456789" * 4
    assert redact({"value": f"hf_{'aB3' * 10}", "wandb": digits, "git_commit": digits}) == {
        "value": REDACTED,
        "wandb": REDACTED,
        "git_commit": digits,
    }


def test_allowed_entries_are_shown_and_their_homes_shortened() -> None:
    config = {"model": {"auth_token": "learned", "password": "x"}, "auth_token": "y"}
    assert redact(config, allowed=["model.auth_token"]) == {
        "model": {"auth_token": "learned", "password": REDACTED},
        "auth_token": REDACTED,
    }


class Trap:
    """Whatever of it is called would end the program."""

    def end(self, *args: object) -> Any:
        raise SystemExit(3)

    __repr__ = __str__ = __len__ = __iter__ = __getitem__ = __bool__ = __eq__ = end
    __hash__ = __getattribute__ = __contains__ = __format__ = __int__ = __index__ = end
    __float__ = __call__ = __fspath__ = keys = items = values = get = end


class DictTrap(Trap, dict[str, int]):  # type: ignore[misc]  # on purpose
    pass


class ListTrap(Trap, list[int]):  # type: ignore[misc]  # on purpose
    pass


class TextTrap(Trap, str):
    pass


class NumberTrap(Trap, float):
    pass


class MappingTrap(Trap, Mapping[str, int]):
    pass


@dataclass
class Settings(Trap):
    rate: float
    name: str

    @property
    def loaded(self) -> int:
        raise SystemExit(3)


class Shape(Enum):
    ROUND = "round"


def test_no_code_of_the_users_runs_for_a_configuration() -> None:
    here = __name__
    config = {
        "dict": DictTrap(a=1),
        "list": ListTrap([1, 2]),
        "text": TextTrap("plain words"),
        "number": NumberTrap(0.5),
        "settings": Settings(0.5, "cosine"),
        "object": Trap(),
        "mapping": MappingTrap(),
    }
    assert redact(config) == {
        "dict": {"a": 1},
        "list": [1, 2],
        "text": "plain words",
        "number": 0.5,
        "settings": {"rate": 0.5, "name": "cosine"},
        "object": f"<{here}.Trap object>",
        "mapping": f"<{here}.MappingTrap object>",
    }


def test_functions_classes_and_what_libraries_make_are_named() -> None:
    config = {
        "function": len,
        "class": OrderedDict,
        "enum": Shape.ROUND,
        "partial": functools.partial(pow, 2, exp=3),
        "path": PurePosixPath("/home/me/x"),
        "day": date(2026, 11, 28),
        "numpy": [np.float32(0.5), np.int64(3)],
        "torch": [torch.float16, torch.device("cpu"), torch.Size([2, 3])],
        "layer": torch.nn.ReLU(),
        ("a", 1): {None: 2},
    }
    assert redact(config) == {  # type: ignore[arg-type]  # a key that is no text
        "function": "builtins.len",
        "class": "collections.OrderedDict",
        "enum": f"{__name__}.Shape.ROUND",
        "partial": {"func": "builtins.pow", "args": [2], "keywords": {"exp": 3}},
        "path": "~/x",
        "day": "2026-11-28",
        "numpy": [0.5, 3],
        "torch": ["torch.float16", "cpu", [2, 3]],
        "layer": "<torch.nn.modules.activation.ReLU object>",
        "('a', 1)": {"None": 2},
    }


def test_what_is_in_itself_or_without_end_is_left_out_in_bounded_time() -> None:
    loop: dict[str, object] = {"lr": 1}
    loop["self"] = loop
    doubled: list[object] = [1]
    for _ in range(60):
        doubled = [doubled, doubled]
    redacted = redact({"loop": loop, "doubled": doubled})
    assert redacted["loop"] == {"lr": 1, "self": LEFT_OUT}


def test_a_whole_number_that_json_can_not_hold_is_left_out() -> None:
    redacted = redact({"seed": 2**64, "modulus": 10**5000, "negative": -(10**5000)})
    assert redacted == {"seed": 2**64, "modulus": LEFT_OUT, "negative": LEFT_OUT}
    json.dumps(redacted)


def test_arguments_lose_secrets_in_every_form() -> None:
    arguments = ["train.py", "lr=1", "+api_key=x", "--token", "y", "--password=z", "--token", "-v"]
    assert redact_arguments(arguments) == [
        "train.py",
        "lr=1",
        f"+api_key={REDACTED}",
        "--token",
        REDACTED,
        f"--password={REDACTED}",
        "--token",
        "-v",
    ]


@pytest.mark.parametrize(
    "config",
    [
        {"table": {f"key {number}": number for number in range(100_000)}},
        {"table": {"names": {f"key {number}": "word " * 200 for number in range(9_000)}}},
        {"texts": ["word " * 4_000] * 2_000},
        {
            f"part {part}": {f"key {key}": "a few words" for key in range(1_000)}
            for part in range(50)
        },
    ],
)
@pytest.mark.slow
def test_a_huge_config_is_kept_to_a_bound_and_the_rest_is_said_to_be_left_out(
    config: dict[str, object],
) -> None:
    kept = redact({"lr": 0.5, **config})

    assert kept["lr"] == 0.5
    text = json.dumps(kept)
    assert LEFT_OUT in text
    assert len(text) < 2_000_000
