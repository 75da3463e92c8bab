"""What ran and where, in the document: workload and environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    Strict,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from ocr_baseline.model.parts.base import Count, DocumentModel


class Workload(DocumentModel):
    """What ran: two runs compare only when their workloads agree."""

    config: dict[str, JsonValue] | None = None
    config_hash: str | None = None
    data_hash: str | None = None


class KnownEnvironment(BaseModel):
    """The entries of an environment that this program reads, by type.

    An entry of another type counts as unknown, because documents come from anybody. `cpu_count`
    and `memory_bytes` are what the run may use, `machine_cpu_count` all that its machine has.
    `cpu_limit_held_s` is how long the container's processor limit held the run, at most.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", allow_inf_nan=False, coerce_numbers_to_str=True
    )

    python: str | None = None
    torch: str | None = None
    lightning: str | None = None
    os: str | None = None
    cpu_model: str | None = None
    cpu_count: Annotated[Count, Strict(), Field(gt=0)] | None = None
    machine_cpu_count: Annotated[Count, Strict(), Field(gt=0)] | None = None
    memory_bytes: StrictFloat | None = None
    accelerator: str | None = None
    accelerator_name: str | None = None
    devices: StrictFloat | None = None
    precision: str | None = None
    batch_size: StrictFloat | None = None
    num_workers: StrictFloat | None = None
    torch_num_threads: StrictInt | None = None
    load_avg_1min: StrictFloat | None = None
    cpu_steal_share: StrictFloat | None = None
    cpu_frequency_drop_share: StrictFloat | None = None
    cpu_limit_cores: StrictFloat | None = None
    cpu_limit_held_s: StrictFloat | None = None
    cpu_limit_held_share: StrictFloat | None = None
    cpu_throttled_periods: StrictFloat | None = None
    git_commit: str | None = None
    git_dirty: StrictBool | None = None

    @field_validator("*", mode="wrap")
    @classmethod
    def _or_unknown(cls, value: object, validate: ValidatorFunctionWrapHandler) -> object:
        try:
            return validate(value)
        except ValidationError:
            return None


class Environment(DocumentModel):
    """Where it ran: `identity` decides whether two runs compare, `volatile` does not.

    Both hold whatever a source could tell.
    """

    identity: dict[str, JsonValue] = {}
    volatile: dict[str, JsonValue] = {}

    @property
    def known(self) -> KnownEnvironment:
        """What this program reads of both."""
        return KnownEnvironment.model_validate(self.volatile | self.identity)
