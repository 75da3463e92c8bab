"""Memory in the document: of the run, of a phase, of the accelerator."""

from __future__ import annotations

from ocr_baseline.model.parts.base import Count, DocumentModel, FiniteFloat


class MemoryUse(DocumentModel):
    """A quantity of memory over the run, in bytes.

    Growth is the slope of the second half of the run, with its 95% interval.
    """

    start: FiniteFloat | None = None
    end: FiniteFloat | None = None
    peak: FiniteFloat | None = None
    mean: FiniteFloat | None = None
    growth_bytes_per_min: FiniteFloat | None = None
    growth_low_bytes_per_min: FiniteFloat | None = None
    growth_high_bytes_per_min: FiniteFloat | None = None


class PhaseMemory(DocumentModel):
    """Memory while a phase was running, from the samples taken in it (about one a second).

    The peak of `accelerator_allocated_bytes` is the allocator's own where the phase raised that.
    `accelerator_unused_bytes` was reserved and held no tensor, at the moment of each sample.
    """

    samples: Count
    process_tree_rss_bytes: MemoryUse | None = None
    accelerator_allocated_bytes: MemoryUse | None = None
    accelerator_reserved_bytes: MemoryUse | None = None
    accelerator_unused_bytes: MemoryUse | None = None


class AcceleratorMemory(DocumentModel):
    """The accelerator's memory: the allocator's own peaks, and how often it ran short.

    A retry is an allocation that failed until cached blocks were freed; an `oom` one that failed
    for good.
    """

    allocated_peak_bytes: FiniteFloat | None = None
    reserved_peak_bytes: FiniteFloat | None = None
    total_bytes: FiniteFloat | None = None
    alloc_retries: Count | None = None
    ooms: Count | None = None


class Memory(DocumentModel):
    """Memory of the run: the process tree, its main process, its workers, the accelerator."""

    process_tree_rss_bytes: MemoryUse | None = None
    process_tree_pss_bytes: MemoryUse | None = None
    main_rss_bytes: MemoryUse | None = None
    workers_rss_bytes: MemoryUse | None = None
    accelerator: AcceleratorMemory | None = None
    system_memory_percent: FiniteFloat | None = None
