"""The data-loader workers in the document."""

from __future__ import annotations

from ocr_baseline.model.parts.base import Count, Distribution, DocumentModel, FiniteFloat
from ocr_baseline.model.parts.breakdown import FunctionShare


class SlowSample(DocumentModel):
    """The longest that the dataset took to return one sample, and in which epoch that was.

    `file` is known of torchvision's dataset folders.
    """

    index: Count
    time_s: FiniteFloat
    epoch: Count | None = None
    file: str | None = None


class SlowBatch(DocumentModel):
    """A batch that its worker took long to make, with the indices of its samples.

    They are None where the sampler's indices aren't plain whole numbers, or are more than 256.
    """

    time_s: FiniteFloat
    epoch: Count | None = None
    indices: list[Count] | None = None
    disk_read_bytes: FiniteFloat | None = None


class Workers(DocumentModel):
    """The data-loader workers of one phase.

    `busy_s` is the time that all of them together spent making batches, `unnamed_s` the part of
    it in no named operation, `waited_s` the part of it that the main thread waited for. Meanwhile
    they used `cpu_s` of processor time, with all their threads, and stood ready for a core that
    others had for `queued_s`; torch computed in `torch_threads` threads in each of them. What they
    read is told as in a phase. A
    worker's start-up runs from asking for the process to its being ready for a batch. The dataset
    took `sample_mean_s` to return a sample; `slowest_samples` and `slowest_batches` are at most
    twenty each, the slowest first, and a sample is there once. `receive_time_s` is how long the
    main thread took to receive batches that were ready when it asked for them, in the passes that
    are replayed. `functions`
    and `cause` are, as in a line of the breakdown, what sampling met while they made batches.
    """

    phase: str
    count: Count
    processes: Count
    batches: Count
    startup_mean_s: FiniteFloat | None = None
    startup_max_s: FiniteFloat | None = None
    busy_s: FiniteFloat
    unnamed_s: FiniteFloat
    waited_s: FiniteFloat
    cpu_s: FiniteFloat | None = None
    cpu_share: FiniteFloat | None = None
    queued_s: FiniteFloat | None = None
    read_bytes: FiniteFloat | None = None
    disk_read_bytes: FiniteFloat | None = None
    disk_wait_s: FiniteFloat | None = None
    torch_threads: Count | None = None
    receive_time_s: Distribution | None = None
    sample_mean_s: FiniteFloat | None = None
    slowest_samples: list[SlowSample] = []
    slowest_batches: list[SlowBatch] = []
    functions: list[FunctionShare] = []
    cause: FunctionShare | None = None

    @property
    def wanted_cores(self) -> float | None:
        """How many cores each of them wanted while it made batches, None where not measured."""
        if self.cpu_s is None or self.queued_s is None or not self.busy_s:
            return None
        return (self.cpu_s + self.queued_s) / self.busy_s
