"""Builders of example documents and runs, from the one that holds nothing to the hostile one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import numpy as np
from numpy.typing import NDArray

from ocr_baseline.model.document import (
    AcceleratorIdle,
    AcceleratorMemory,
    Baseline,
    BreakdownLine,
    DeviceTime,
    Distribution,
    Environment,
    EpochSummary,
    Evidence,
    Finding,
    Flops,
    FunctionShare,
    Generator,
    Goodput,
    Measurement,
    Memory,
    MemoryUse,
    Operation,
    Phase,
    PhaseMemory,
    ProfiledCode,
    ProfiledWait,
    ProfileWindow,
    Ratio,
    SlowBatch,
    SlowSample,
    Start,
    StartPart,
    TrainVsValidation,
    Utilization,
    Warmup,
    WaterfallStep,
    Workers,
    Workload,
)
from ocr_baseline.model.run import BatchTable, Missing, Run, RunInfo, StageRecord
from ocr_baseline.vocabulary import Stage

GENERATED_AT = datetime(2026, 3, 1, 12, 4, 30, tzinfo=timezone.utc)
STARTED_AT = datetime(2026, 3, 1, 12, 0, 5, tzinfo=timezone.utc)
GENERATOR = Generator(name="ocr-baseline", version="0.1.0")
HOSTILE_NAME = (
    "# a|b `c` ``d`` <img src=x onerror=alert(1)> [e](http://evil.example) \x1b[31mred\x1b[0m\n"
    "## Injected\r\n| x | y |\n|---|---|\u202e\ud800 \\| </details> @someone www.evil.example"
)


def empty_baseline() -> Baseline:
    """A document of a run in which nothing was recorded."""
    return Baseline(
        generated_at=GENERATED_AT,
        generator=GENERATOR,
        run=RunInfo(id="abc123", source="wandb-api", status="finished"),
        missing=[
            Missing(
                metric="phases",
                reason="not_collected",
                detail="the run logged no key under `performance/`",
            )
        ],
    )


def one_batch_baseline() -> Baseline:
    """A document of a run of one training batch: no spread, no steady batch, no validation."""
    return Baseline(
        generated_at=GENERATED_AT,
        generator=GENERATOR,
        run=RunInfo(
            name="one batch",
            source="recorder",
            status="interrupted",
            ended_by="KeyboardInterrupt",
            duration_s=1.5,
        ),
        phases=[
            Phase(
                name="train",
                epochs=1,
                batches=1,
                samples=4,
                total_s=0.5,
                batch_time_s=Distribution(
                    count=1, mean=0.5, median=0.5, p95=0.5, p99=0.5, min=0.5, max=0.5
                ),
                batch_time_scope="all batches",
                warmup=Warmup(batches=0, total_s=0.0, rule="every batch would be warm-up"),
                epoch_time_s=0.5,
                sample_time_s=0.125,
                throughput_samples_per_s=8.0,
                breakdown=[
                    BreakdownLine(name="forward", total_s=0.5, share=1.0, per_batch_s=0.5),
                    BreakdownLine(name="data_wait", total_s=0.0, share=0.0, per_batch_s=0.0),
                ],
            )
        ],
        missing=[
            Missing(
                metric="phases.train.batch_time_s.std",
                reason="not_collected",
                detail="one batch has no spread",
            ),
            Missing(
                metric="phases.validation",
                reason="skipped",
                detail="the run ended before its first validation",
            ),
        ],
    )


def all_missing_baseline() -> Baseline:
    """A document whose parts are all there, with no value in any of them."""
    return Baseline(
        generated_at=GENERATED_AT,
        generator=GENERATOR,
        run=RunInfo(source="csv"),
        phases=[
            Phase(name="train", batch_time_s=Distribution(count=0)),
            Phase(name="validation"),
            Phase(name="test", warmup=Warmup(batches=0, total_s=None, rule="nothing to set aside")),
        ],
        train_vs_validation=TrainVsValidation(),
        memory=Memory(
            process_tree_rss_bytes=MemoryUse(),
            main_rss_bytes=MemoryUse(),
            accelerator=AcceleratorMemory(),
        ),
    )


def _times(median_s: float, count: int) -> Distribution:
    return Distribution(
        count=count,
        mean=median_s * 1.05,
        median=median_s,
        p95=median_s * 1.4,
        p99=median_s * 1.9,
        std=median_s * 0.2,
        min=median_s * 0.8,
        max=median_s * 2.1,
    )


CALLBACKS = {"ModelCheckpoint": 0.015, "LearningRateMonitor": 0.005}


def _breakdown(total_s: float, batches: int, shares: dict[str, float]) -> list[BreakdownLine]:
    return [
        BreakdownLine(
            name=name,
            total_s=total_s * share,
            share=share,
            per_batch_s=total_s * share / batches,
            parts=_breakdown(total_s, batches, CALLBACKS) if name == "callbacks" else [],
        )
        for name, share in shares.items()
    ]


def _sampled_breakdown(
    total_s: float, batches: int, shares: dict[str, float]
) -> list[BreakdownLine]:
    return [_with_functions(line) for line in _breakdown(total_s, batches, shares)]


def _train_phase() -> Phase:
    return Phase(
        name="train",
        epochs=2,
        batches=60,
        samples=240,
        total_s=11.2,
        read_bytes=320e6,
        disk_read_bytes=120e6,
        warmup=Warmup(batches=4, total_s=1.9, rule="the first 3 batches are set aside"),
        batch_time_s=_times(0.168, 56),
        batch_time_scope="steady batches",
        epoch_time_s=5.6,
        sample_time_s=0.0441,
        throughput_samples_per_s=22.7,
        flops=Flops(
            flops_per_batch=480_000_000_000,
            samples=4,
            flops_per_s=2.86e12,
            peak_flops_per_s=312e12,
            mfu=0.00917,
        ),
        breakdown=_breakdown(
            11.2,
            60,
            {
                "loader_startup": 0.09,
                "data_wait": 0.041,
                "transfer": 0.0004,
                "forward": 0.31,
                "backward": 0.44,
                "optimizer": 0.08,
                "callbacks": 0.02,
                "checkpoint": 0.0,
                "profiler": 0.0006,
                "other": 0.018,
            },
        ),
        per_epoch=[
            EpochSummary(
                epoch=0,
                batches=30,
                total_s=6.3,
                batch_time_s=_times(0.17, 27),
                read_bytes=160e6,
                disk_read_bytes=118e6,
            ),
            EpochSummary(
                epoch=1,
                batches=30,
                total_s=4.9,
                batch_time_s=_times(0.166, 29),
                read_bytes=160e6,
                disk_read_bytes=2e6,
            ),
        ],
    )


def _validation_phase() -> Phase:
    return Phase(
        name="validation",
        epochs=2,
        batches=34,
        samples=132,
        total_s=16.3,
        warmup=Warmup(batches=4, total_s=2.6, rule="the first 3 batches are set aside"),
        batch_time_s=_times(0.436, 30),
        batch_time_scope="steady batches",
        memory=PhaseMemory(
            samples=16,
            process_tree_rss_bytes=MemoryUse(start=2.0e9, end=2.2e9, peak=2.3e9, mean=2.1e9),
        ),
        device=DeviceTime(
            clock="CUDA events (device)",
            batches=4,
            batch_time_s=_times(0.39, 4),
            breakdown=[
                BreakdownLine(name="forward", total_s=1.2, share=0.77, per_batch_s=0.3),
                BreakdownLine(name="other", total_s=0.36, share=0.23, per_batch_s=0.09),
            ],
        ),
        accelerator_utilization=Utilization(
            samples=16, mean_percent=62.5, min_percent=0.0, max_percent=99.0
        ),
        accelerator_idle=AcceleratorIdle(
            share=0.375, data_share=0.05, beside_share=0.1, host_bound_share=0.225
        ),
        epoch_time_s=8.15,
        sample_time_s=0.124,
        throughput_samples_per_s=8.06,
        breakdown=_sampled_breakdown(
            16.3,
            34,
            {
                "loader_startup": 0.06,
                "data_wait": 0.02,
                "forward": 0.21,
                "metrics": 0.46,
                "pyclipper.PyclipperOffset.Execute": 0.012,
                "checkpoint": 0.16,
                "other": 0.078,
            },
        ),
        per_epoch=[
            EpochSummary(epoch=0, batches=17, total_s=8.6, batch_time_s=_times(0.44, 14)),
            EpochSummary(epoch=1, batches=17, total_s=7.7, batch_time_s=_times(0.43, 16)),
        ],
    )


def _function(name: str, share: float, own: float) -> FunctionShare:
    return FunctionShare(
        name=name,
        file="~/project/receipts/metrics.py",
        line=31,
        origin="user",
        self_share=own,
        inclusive_share=share,
        low=share - 0.03,
        high=share + 0.03,
    )


MATCHING = [_function("Metric.update", 0.97, 0.02), _function("Metric.match", 0.71, 0.7)]


def _with_functions(line: BreakdownLine) -> BreakdownLine:
    if line.name != "metrics":
        return line
    return line.model_copy(update={"functions": MATCHING, "cause": MATCHING[1]})


def _findings() -> list[Finding]:
    return [
        Finding(
            id="validation-data-wait",
            severity="low",
            title="Training waits for its first batch",
            evidence=[Evidence(metric="phases.train.loader_startup", value=0.09, unit="share")],
            estimated_saving_s=0.94,
            saving_basis="the loader's start in every epoch but the first",
            advice="Set `persistent_workers: true` on the loader.",
        ),
        Finding(
            id="metrics",
            severity="high",
            title="The metric takes 46% of validation",
            evidence=[
                Evidence(metric="phases.validation.metrics", value=7.5, unit="s"),
                Evidence(metric="phases.validation.metrics", value=0.46, unit="share"),
            ],
            estimated_saving_s=3.75,
            estimated_saving_low_s=3.5,
            estimated_saving_high_s=4.0,
            share_of_run=0.14,
            saving_basis="half of the line `metrics`",
            advice="Compute the metric once per epoch, or on a part of the batches.",
        ),
        Finding(
            id="validation-slower",
            severity="medium",
            title="A validation sample takes longer than a training sample",
            evidence=[],
            estimated_saving_s=3.0,
            share_of_run=0.11,
            advice="Look at the waterfall.",
            part_of="metrics",
        ),
        Finding(
            id="outlier-batches",
            severity="medium",
            title="A few training batches take far longer than the others",
            evidence=[],
            estimated_saving_s=0.9,
            share_of_run=0.03,
            advice="Look at the slowest rows.",
            doubt="the machine was busy",
        ),
        Finding(
            id="heavy-callbacks",
            severity="low",
            title="Training spends much of its time in callbacks",
            evidence=[],
            estimated_saving_s=0.2,
            share_of_run=0.007,
            advice="Let the callback act on fewer batches.",
        ),
        Finding(
            id="spread",
            severity="info",
            title="Slow batches stand out in validation",
            evidence=[
                Evidence(metric="phases.validation.p95_over_median", value=1.4, unit="ratio")
            ],
            advice="Look at the slowest rows of `batches.csv`.",
        ),
    ]


def _operations() -> list[Operation]:
    return [
        Operation(
            name="ocr.models.metric.match",
            phase="validation",
            process="main",
            calls=132,
            total_s=5.2,
            exclusive_s=4.9,
            waited_s=4.9,
            share_of_phase=0.30,
            call_time_s=_times(0.037, 132),
        ),
        Operation(
            name="pyclipper.PyclipperOffset.Execute",
            phase="validation",
            process="main",
            calls=7260,
            total_s=0.196,
            exclusive_s=0.196,
            waited_s=0.196,
            share_of_phase=0.012,
            call_time_s=_times(0.000026, 1000),
        ),
        Operation(
            name="target_maps",
            phase="train",
            process="worker",
            calls=240,
            total_s=6.6,
            exclusive_s=6.4,
            waited_s=0.41,
            share_of_phase=0.037,
            call_time_s=_times(0.027, 240),
        ),
    ]


def _profile_window() -> ProfileWindow:
    return ProfileWindow(
        phase="train",
        epoch=0,
        batch_idx=10,
        batches=3,
        duration_s=0.84,
        cost_s=2.1,
        device_busy_s=0.31,
        operators=[ProfiledCode(name="aten::conv2d", calls=60, host_s=0.11, device_s=0.2)],
        kernels=[ProfiledCode(name="sm80_xmma_fprop", calls=60, host_s=0.0, device_s=0.2)],
        modules=[ProfiledCode(name="Conv2d_3", calls=3, host_s=0.02, device_s=0.09)],
        waits=[
            ProfiledWait(
                operator="aten::item", place="train.py(88): training_step", calls=3, host_s=0.24
            ),
            ProfiledWait(operator="aten::to", place=None, calls=3, host_s=0.03),
        ],
    )


def full_baseline() -> Baseline:
    """A document of a whole run: training, validation and a test of two dataloaders."""
    gib = 1024.0**3
    return Baseline(
        generated_at=GENERATED_AT,
        generator=GENERATOR,
        run=RunInfo(
            id="3f9k2x",
            name="receipts-640",
            project="receipts",
            entity="team",
            url="https://wandb.example/team/receipts/runs/3f9k2x",
            source="recorder",
            status="finished",
            started_at=STARTED_AT,
            duration_s=264.2,
            ended_by="max_epochs",
        ),
        workload=Workload(config={"data": {"batch_size": 4}}, config_hash="c0ffee", data_hash=None),
        profile_window=_profile_window(),
        environment=Environment(
            identity={
                "python": "3.11.9",
                "torch": "2.14.1",
                "lightning": "2.6.6",
                "os": "Linux x86_64",
                "cpu_model": "Example CPU @ 2.00GHz",
                "cpu_count": 2,
                "memory_bytes": 8 * 1024**3,
                "accelerator": "cpu",
                "precision": "32-true",
                "devices": 1,
                "num_workers": 2,
                "batch_size": 4,
            },
            volatile={
                "hostname": "box",
                "git_commit": "0123456789abcdef0123456789abcdef01234567",
                "git_dirty": True,
            },
        ),
        phases=[
            _train_phase(),
            _validation_phase(),
            Phase(
                name="test",
                epochs=1,
                batches=40,
                samples=160,
                total_s=14.5,
                batch_time_s=_times(0.35, 36),
                batch_time_scope="steady batches",
                epoch_time_s=14.5,
                sample_time_s=0.0906,
                throughput_samples_per_s=11.0,
            ),
            Phase(
                name="test",
                dataloader=0,
                batches=10,
                total_s=4.1,
                batch_time_s=_times(0.39, 8),
                sample_time_s=0.1,
            ),
            Phase(
                name="test",
                dataloader=1,
                batches=30,
                total_s=10.4,
                batch_time_s=_times(0.34, 28),
                sample_time_s=0.088,
            ),
        ],
        operations=_operations(),
        workers=[
            Workers(
                phase="train",
                count=2,
                processes=4,
                batches=60,
                startup_mean_s=0.31,
                startup_max_s=0.44,
                busy_s=9.9,
                unnamed_s=3.3,
                waited_s=0.46,
                cpu_s=1.2,
                cpu_share=0.121,
                queued_s=0.4,
                torch_threads=1,
                read_bytes=310e6,
                disk_read_bytes=120e6,
                receive_time_s=_times(0.0004, 52),
                sample_mean_s=0.04,
                slowest_samples=[
                    SlowSample(index=1712, time_s=0.91, epoch=0, file="train/receipt_1712.jpg"),
                    SlowSample(index=88, time_s=0.12, epoch=1),
                    SlowSample(index=5, time_s=0.05, epoch=1),
                ],
                slowest_batches=[
                    SlowBatch(
                        time_s=1.02, epoch=0, indices=[3, 1712, 40, 8], disk_read_bytes=2.4e6
                    ),
                    SlowBatch(time_s=0.31, epoch=1),
                ],
                functions=[_function("Receipts.__getitem__", 0.9, 0.2)],
            )
        ],
        train_vs_validation=TrainVsValidation(
            batch_ratio=Ratio(value=2.6, low=2.4, high=2.8),
            sample_ratio=Ratio(value=2.812, low=2.51, high=3.12),
            epoch_ratio=Ratio(value=1.455),
            waterfall_s_per_sample=[
                WaterfallStep(name="metrics", delta_s=0.0567),
                WaterfallStep(name="checkpoint", delta_s=0.0198),
                WaterfallStep(name="forward", delta_s=0.0134),
                WaterfallStep(name="backward", delta_s=-0.0205),
                WaterfallStep(name="optimizer", delta_s=-0.0037),
                WaterfallStep(name="other", delta_s=0.0142),
            ],
        ),
        start=_start(),
        goodput=Goodput(productive_s=96.5, wall_s=275.6, share=0.3501, since="process"),
        memory=Memory(
            process_tree_rss_bytes=MemoryUse(
                start=0.8 * gib,
                end=2.1 * gib,
                peak=2.3 * gib,
                mean=1.9 * gib,
                growth_bytes_per_min=4.2 * 1024**2,
                growth_low_bytes_per_min=-1.1 * 1024**2,
                growth_high_bytes_per_min=9.5 * 1024**2,
            ),
            main_rss_bytes=MemoryUse(
                start=0.8 * gib, end=1.3 * gib, peak=1.4 * gib, mean=1.2 * gib
            ),
            workers_rss_bytes=MemoryUse(start=0.0, end=0.8 * gib, peak=0.9 * gib, mean=0.7 * gib),
            system_memory_percent=41.3,
        ),
        findings=_findings(),
        measurement=Measurement(
            clock="time.perf_counter_ns",
            overhead_s=0.0124,
            overhead_share=0.00047,
            per_batch_overhead_s=0.000031,
            warnings=["The machine was busy when the run began: 1-minute load 3.1 on 2 CPUs."],
            notes=["The sanity check (2 batches, 1.1 s) is in no phase."],
        ),
        missing=[
            Missing(
                metric="memory.accelerator", reason="unsupported", detail="the run was on the CPU"
            ),
            Missing(metric="phases.test.breakdown", reason="not_collected"),
        ],
        series="batches.csv",
    )


def _start() -> Start:
    drawn = FunctionShare(
        name="Receipts.setup",
        file="ocr/data/receipts.py",
        line=31,
        origin="user",
        self_share=0.125,
        inclusive_share=0.9,
        low=0.86,
        high=0.93,
    )
    parts = {
        "script": 6.3,
        "trainer": 0.4,
        "prepare_data": 2.5,
        "datamodule_setup": 1.9,
        "before_setup": 0.3,
        "module_hooks:setup": 4.1,
        "callbacks:RichModelSummary": 0.06,
        "other": 0.5,
        "sanity_check": 1.2,
        "first_fetch": 0.62,
        "first_step": 0.92,
    }
    total_s = sum(parts.values())
    return Start(
        since="process",
        clock="the system's time since boot",
        process_to_setup_s=11.4,
        fit_to_setup_s=4.7,
        setup_s=4.66,
        sanity_check_s=1.2,
        first_batch_s=1.54,
        time_to_first_step_s=total_s,
        breakdown=[
            StartPart(
                name=name,
                total_s=part_s,
                share=part_s / total_s,
                cause=drawn if name == "module_hooks:setup" else None,
            )
            for name, part_s in parts.items()
        ],
    )


def _hostile_start(name: str) -> Start:
    start = _start()
    parts = [
        part.model_copy(
            update={
                "name": f"callbacks:{name}",
                "cause": part.cause and part.cause.model_copy(update={"name": name, "file": name}),
            }
        )
        for part in start.breakdown
    ]
    return start.model_copy(update={"clock": name, "breakdown": parts})


def hostile_baseline() -> Baseline:
    """The whole run with a hostile text wherever a text comes from outside."""
    name = HOSTILE_NAME
    document = full_baseline()
    validation = document.phases[1]
    hostile = MATCHING[0].model_copy(update={"name": name, "file": name})
    return document.model_copy(
        update={
            "run": replace(
                document.run,
                id=name,
                name=name,
                project=name,
                entity=name,
                url='https://x.example/a") <script>alert(1)</script>|\n# y',
                ended_by=name,
                status="failed",
            ),
            "environment": Environment(
                identity={"cpu_model": name, "torch": name, "precision": name, "devices": name},
                volatile={"git_commit": name},
            ),
            "workload": Workload(config={name: [name, "```\n# out of the fence"]}),
            "phases": [
                document.phases[0],
                validation.model_copy(
                    update={
                        "breakdown": [
                            BreakdownLine(
                                name=name,
                                total_s=9.0,
                                share=0.55,
                                per_batch_s=0.3,
                                functions=[hostile],
                                cause=hostile,
                            ),
                            *validation.breakdown,
                        ],
                        "warmup": Warmup(batches=1, total_s=0.1, rule=name),
                    }
                ),
            ],
            "operations": [
                operation.model_copy(update={"name": name}) for operation in document.operations
            ],
            "train_vs_validation": TrainVsValidation(
                sample_ratio=Ratio(value=2.8),
                waterfall_s_per_sample=[WaterfallStep(name=name, delta_s=0.05)],
            ),
            "start": _hostile_start(name),
            "profile_window": ProfileWindow(
                phase="train",
                epoch=0,
                batch_idx=10,
                batches=1,
                duration_s=0.2,
                cost_s=1.0,
                why_no_stacks=name,
                left_out=5,
                operators=[ProfiledCode(name=name, calls=1, host_s=0.1, device_s=0.0)],
                waits=[ProfiledWait(operator=name, place=name, calls=1, host_s=0.1)],
            ),
            "findings": [
                Finding(
                    id=name,
                    severity="high",
                    title=name,
                    evidence=[Evidence(metric=name, value=1.0, unit=name)],
                    estimated_saving_s=1.0,
                    saving_basis=name,
                    advice=name,
                )
            ],
            "measurement": Measurement(clock=name, warnings=[name], notes=[name]),
            "missing": [Missing(metric=name, reason="failed", detail=name)],
        }
    )


EXAMPLES = {
    "empty": empty_baseline,
    "one_batch": one_batch_baseline,
    "all_missing": all_missing_baseline,
    "full": full_baseline,
    "hostile": hostile_baseline,
}


def batch_table(batches: int, lines: tuple[str, ...] = ("data_wait", "forward")) -> BatchTable:
    """A table of batches of 100 ms each, the time shared evenly by the lines."""
    start_s: NDArray[np.float64] = np.arange(batches, dtype=np.float64) * 0.1
    return BatchTable(
        epoch=np.zeros(batches, dtype=np.int64),
        batch_idx=np.arange(batches, dtype=np.int64),
        dataloader_idx=np.zeros(batches, dtype=np.int64),
        start_s=start_s,
        duration_s=np.full(batches, 0.1),
        samples=np.full(batches, 4.0, dtype=np.float64),
        lines_s={line: np.full(batches, 0.1 / len(lines), dtype=np.float32) for line in lines},
    )


def recorded_run(batches: int = 3) -> Run:
    """A run of some training batches and half as many of validation."""
    return Run(
        info=RunInfo(source="recorder", status="finished", name="example"),
        stages=(
            StageRecord(stage=Stage.TRAIN, batches=batch_table(batches)),
            StageRecord(
                stage=Stage.VALIDATION, batches=batch_table(batches // 2, ("forward", "metrics"))
            ),
        ),
    )


def empty_run() -> Run:
    """A run of which a source found nothing."""
    return Run(info=RunInfo(source="wandb-api"))
