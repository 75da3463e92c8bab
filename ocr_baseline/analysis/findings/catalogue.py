"""The kinds of findings: their ids, their thresholds, and where each threshold comes from.

docs/symptoms.md has an entry for each; a test holds the two together.
"""

from __future__ import annotations

from ocr_baseline.analysis.findings.kind import EXPLAINED, Kind

_XPROF = {"medium": 0.05, "high": 0.20}
"""Shares of a stage from which time away from the model's own work counts: the limits at which
XProf's input-pipeline analyzer calls a step moderately and highly input-bound."""
_XPROF_BASIS = "medium {medium:.0%}, high {high:.0%} (XProf)"
_OUR_CHOICE = "this project's choice"
_WHOLE_LINE = "the whole line, less any longer wait for loader workers"
_NEEDED_LINE = f"{_WHOLE_LINE}; at most this where no function is named: the work needs the line"


def _line(id: str, when: str, saving: str = _WHOLE_LINE) -> Kind:
    return Kind(id=id, when=when, basis=_XPROF_BASIS, saving=saving, limits=_XPROF)


VALIDATION_SLOWER = Kind(
    id="validation-slower",
    when="a validation sample takes longer than a training sample",
    basis="95% interval of the ratio above {equal:.0f}; high from a ratio of {high:.0f} (the limit "
    "of the project's first users). Causes: the largest additions of the waterfall, up to "
    "{explained:.0%} of them (TraceML's limit for naming a cause), {causes:.0f} at most; the batch "
    f"size where validation's is at most 1/{{size:.0f}} of training's and its batches take no "
    f"longer ({_OUR_CHOICE})",
    saving="validation at training's time per sample; where the batch size is the cause, without "
    "the backward pass and the optimizer, waiting for data as long as it did, and at most as if a "
    "batch took as long whatever its size",
    limits={
        "equal": 1.0,
        "medium": 1.0,
        "high": 2.0,
        "explained": EXPLAINED,
        "causes": 3,
        "size": 2,
    },
)
DOMINANT_OPERATION = Kind(
    id="dominant-operation",
    when="one named operation takes much of a stage's main thread",
    basis=f"medium {{medium:.0%}}, high {{high:.0%}} of the stage ({_OUR_CHOICE}: an operation may "
    "be what the stage is for)",
    saving="its exclusive time, less any longer wait for loader workers",
    limits={"medium": 0.10, "high": 0.30},
)
DOMINANT_FUNCTION = Kind(
    id="dominant-function",
    when="sampling meets one function beside the model in much of a stage, in lines that have no "
    "finding of their own; steps, layers and what mostly calls layers are the model",
    basis=f"medium {{medium:.0%}}, high {{high:.0%}} of the stage ({_OUR_CHOICE}: a function may "
    "be what the stage is for); {ticks:.0f} samples of the line; a stage of at least {of_run:.0%} "
    "of the run",
    saving="its share of the line, less any longer wait for loader workers; the range begins with "
    "the margin of the share",
    limits={"medium": 0.10, "high": 0.30, "ticks": 30, "of_run": 0.02},
)
COSTLY_STEP_CODE = Kind(
    id="costly-step-code",
    when="sampling meets a step's own lines in much of a stage, and library functions that they "
    "call, in lines that have no finding of their own",
    basis=f"medium {{medium:.0%}}, high {{high:.0%}} of the stage ({_OUR_CHOICE}: operators of "
    "torch in the step are in it); {ticks:.0f} samples of the line; a stage of at least "
    "{of_run:.0%} of the run",
    saving="their share of the line, less any longer wait for loader workers; the range begins at "
    "nothing, since what the step has to compute is in it; at most that where most of the line is "
    "waiting; none where the step imports a module, which takes as long elsewhere",
    limits={"medium": 0.20, "high": 0.40, "ticks": 30, "of_run": 0.02},
)
INPUT_BOUND = _line(
    "input-bound",
    "the main thread waits for the making of batches, or for the sampler",
    "that wait, or the sampler's part where that is most of it; its low end, without workers, is "
    "what the first workers would save, where batches are waited for",
)
HANDOVER = Kind(
    id="handover",
    when="batches that the loader's workers have ready take long to receive",
    basis=_XPROF_BASIS,
    saving="none: how much less another kind of batch would take wasn't measured",
    limits=_XPROF,
)
LOADER_STARTUP = _line(
    "loader-startup",
    "time passes before the first batch of each pass",
    "the whole line",
)
RESTARTED_WORKERS = Kind(
    id="restarted-workers",
    when="loader workers are started anew for each pass, and that takes part of the run",
    basis="{of_run:.0%} of the run (what is worth a headline); medium {medium:.0%}, high "
    "{high:.0%} of the stage (XProf); it leads others on the same seconds from {explains:.0%} "
    "of the largest of their savings, however long the first pass took to start",
    saving="the time before the first batch of all passes but the first, less the making of a "
    "batch; at least the workers' start-up in them, at most all of it",
    limits={**_XPROF, "of_run": 0.02, "explains": 0.25},
)
COLD_FIRST_PASS = Kind(
    id="cold-first-pass",
    when="the first pass over the data reads from disk what later passes find in memory, and "
    "waits longer for it",
    basis="the median later pass reads at most {later:.0%} of what the first one does "
    f"({_OUR_CHOICE}); the longer wait is {{of_run:.0%}} of the run (what is worth a headline); "
    "medium {medium:.0%}, high {high:.0%} of the stage (XProf)",
    saving="from nothing to what the first pass waited longer, without its first batch",
    limits={**_XPROF, "later": 0.10, "of_run": 0.02},
)
WORKER_OPERATION = Kind(
    id="worker-operation",
    when="the main thread waits for an operation inside the workers",
    basis=f"{{of_workers:.0%}} of the workers' time ({_OUR_CHOICE}), and the main thread waits for "
    "it {medium:.0%} (medium) or {high:.0%} (high) of the stage (XProf)",
    saving="the replay without it; the evidence also holds the replay with half of it",
    limits={**_XPROF, "of_workers": 0.10},
)
TOO_FEW_WORKERS = Kind(
    id="too-few-workers",
    when="more workers would shorten the wait, and there are cores for them",
    basis="the replay with more workers saves {medium:.0%} (medium) or {high:.0%} (high) of the "
    "stage (XProf); at most one worker per core, the maximum that PyTorch's `DataLoader` suggests, "
    f"and up to {{a_core:.0f}} ({_OUR_CHOICE}) where they were measured to wait",
    saving="the replay with the fewest workers that reach nine tenths of the largest saving; "
    "from no workers an estimate with a range, for what starting them and taking batches from them "
    "costs",
    limits={**_XPROF, "enough": 0.9, "a_core": 4, "waiting": 0.5},
)
TOO_MANY_WORKERS = Kind(
    id="too-many-workers",
    when="more workers than cores (medium), or mostly idle ones (info)",
    basis="PyTorch's own warning, where they want more cores than there are: what they computed "
    "and stood ready for a core while they made batches; or busy for less than {busy:.0%} of the "
    f"stage while the replay with half of them takes at most {{harmless:.0%}} of the stage longer "
    f"({_OUR_CHOICE})",
    saving="none: it costs memory and startup",
    limits={"busy": 0.25, "harmless": 0.01},
)
THREAD_OVERSUBSCRIPTION = Kind(
    id="thread-oversubscription",
    when="torch computes in more threads than there are cores, over all loader workers or in the "
    "main process",
    basis="more than one thread a worker (PyTorch sets one), threads of all workers and of the "
    "main process above the cores, and workers that wanted more cores than there are, by what they "
    "computed and stood ready for a core; or more threads in the main process than cores, while "
    "its main thread stood ready for one, or the container's limit held the run, {medium:.0%} of "
    "the stage. Medium {medium:.0%}, high {high:.0%} of the stage (XProf)",
    saving="the part of the wait in which workers stood ready for a core; in the main process as "
    "long as its main thread had no core; each at most as long as the run's threads would have "
    "computed on all cores together, or the limit held the run; from nothing to twice that "
    f"({_OUR_CHOICE}: threads that wait for each other keep cores busy)",
    limits={**_XPROF, "more": 2},
)
TRANSFER_BOUND = _line("transfer-bound", "moving batches to the device takes long", _NEEDED_LINE)
HEAVY_OPTIMIZER = Kind(
    id="heavy-optimizer",
    when="the optimizer takes long",
    basis=f"medium {{medium:.0%}}, high {{high:.0%}} ({_OUR_CHOICE}: it is part of the work)",
    saving=_NEEDED_LINE,
    limits={"medium": 0.20, "high": 0.40},
)
HEAVY_METRICS = _line("heavy-metrics", "metrics take long")
HEAVY_LOGGING = _line("heavy-logging", "`self.log` and the loggers take long")
HEAVY_CHECKPOINT = _line("heavy-checkpoint", "writing checkpoints takes long")
HEAVY_CALLBACKS = _line(
    "heavy-callbacks", "hooks of callbacks take long; a callback that takes half of it is named"
)
HEAVY_MODULE_HOOKS = _line(
    "heavy-module-hooks", "the LightningModule's own hooks around its steps take long"
)
GARBAGE_COLLECTION = Kind(
    id="garbage-collection",
    when="Python's garbage collector holds the main thread",
    basis="{low:.0%} of the stage (low; what is worth a headline), {medium:.0%} (medium) and "
    "{high:.0%} (high; both XProf); it leads others on the same seconds from {explains:.0%} of the "
    "largest of their savings, as garbage is mostly made by what else they hold; a single full "
    "collection isn't judged, and counts for no line, for any import may bring one on",
    saving="all pauses, less any longer wait for loader workers",
    limits={**_XPROF, "low": 0.02, "explains": EXPLAINED},
)
STRAGGLER_RANK = Kind(
    id="straggler-rank",
    when="one rank of a distributed run works longer than the others",
    basis="medium {medium:.0%}, high {high:.0%} of a batch (XProf); it makes up 80% of what ranks "
    "work longer than the median one (TraceML); {batches:.0f} batches",
    saving="what the rank takes longer than the next slowest, once per batch",
    limits={**_XPROF, "batches": 5},
)
TAIL_LATENCY = Kind(
    id="tail-latency",
    when="a loader's slow batches are much slower than its usual ones",
    basis="p95 at {slow} times the median (pyperf's distance for an unstable value); {batches:.0f} "
    "steady batches, below which p95 lies between the two slowest. A line is named when it makes "
    "up 80% of the excess; severity by the excess",
    saving="the batches beyond that limit take the median; none where no line is named",
    limits={**_XPROF, "slow": 1.5, "batches": 20},
)
OUTLIER_BATCHES = Kind(
    id="outlier-batches",
    when="a few single batches are far slower, named by epoch and batch number",
    basis="modified z-score above {score} (Iglewicz and Hoaglin, 1993) and twice the "
    "median; at most {share:.0%} of the batches; {batches:.0f} steady batches; at most medium",
    saving="these batches take the median; none where neither a line is named nor a batch recurs",
    limits={"medium": 0.05, "score": 3.5, "slow": 2.0, "share": 0.05, "batches": 20},
)
SLOWING_DOWN = Kind(
    id="slowing-down",
    when="batches get slower from pass to pass",
    basis="Theil-Sen slope of the passes' medians with its 95% interval above 0 and a rise of "
    "{rise:.0%} (pyperf's unstable spread); {passes:.0f} passes, below which no order is rarer "
    "than one in twenty by chance",
    saving="every pass as fast as the first, by the fitted trend",
    limits={**_XPROF, "rise": 0.10, "passes": 5},
)
SLOW_START = Kind(
    id="slow-start",
    when="much time passes before the first training batch has ended; the longest part that could "
    "go and is 5% of the run is named, else the longest of all",
    basis="{seconds:.0f} s, the longest wait that keeps a user's attention, and {of_run:.0%} of "
    "the run, or {flow:.0f} s, the longest that keeps a train of thought (both Nielsen, 1993), in "
    "one part that could go and is {high:.0%} of the run; medium when the named part is "
    "{medium:.0%} of the run, high from {high:.0%} where it could go (XProf's limits); below, info "
    "where it can't",
    saving="the named part: hooks, callbacks, loaders and the sanity check alone; paid once for "
    "each start",
    limits={**_XPROF, "seconds": 10, "of_run": 0.02, "flow": 1},
)
OUTSIDE_STAGES = Kind(
    id="outside-stages",
    when="much of the run passes between its stages or after the last of them",
    basis="{seconds:.0f} s, the longest wait that keeps a user's attention (Nielsen, 1993), and "
    "{of_run:.0%} of the run (XProf's limit for a stage); medium",
    saving="none: what the time went to wasn't recorded",
    limits={"seconds": 10, "of_run": 0.05},
)
ACCELERATOR_MEMORY = Kind(
    id="accelerator-memory",
    when="the accelerator's memory was nearly full, or allocations were retried",
    basis="{full:.0%} of it (the TensorBoard profiler plugin's limit): high if tensors held that "
    "much or an allocation was retried, medium if it was only reserved",
    saving="none",
    limits={"full": 0.90},
)
OUT_OF_MEMORY = Kind(
    id="out-of-memory",
    when="the run ended because the accelerator had no memory left",
    basis="none: the error says so",
    saving="none",
)
FRAGMENTATION = Kind(
    id="fragmentation",
    when="reserved accelerator memory held no tensor",
    basis=f"{{unused:.0%}} of the reserved peak ({_OUR_CHOICE}); low, and medium when {{full:.0%}} "
    "of the memory was reserved",
    saving="none",
    limits={"unused": 0.30, "full": 0.90},
)
ACCELERATOR_UTILIZATION = Kind(
    id="accelerator-utilization",
    when="the accelerator ran nothing for much of a stage, or stood still again and again",
    basis="by the driver's share of time with any kernel, once a second: p95 below {p95:.0f}%, or "
    "p5 below {p5:.0f}% (low), the limits of SageMaker's profiler report; high from a mean below "
    "{half:.0f}% (the TensorBoard profiler plugin's limit); {samples:.0f} samples",
    saving="none: what the main thread does meanwhile has its own",
    limits={"p95": 70, "p5": 10, "half": 50, "samples": 20},
)
DEVICE_DATA_WAIT = Kind(
    id="device-data-wait",
    when="the accelerator has nothing to do because no batch is there",
    basis="medium {medium:.0%}, high {high:.0%} of the stage (XProf); {batches:.0f} steady batches "
    "timed on the device",
    saving="that time; its high end is the whole wait of the main thread",
    limits={**_XPROF, "batches": 5},
)
HOST_BOUND = Kind(
    id="host-bound",
    when="the accelerator is idle for longer than the main thread is outside of the lines that "
    "queue its work: within the steps it waits for the host",
    basis="medium {medium:.0%}, high {high:.0%} of the stage (XProf), beyond the margin of the "
    "utilization; {samples:.0f} samples",
    saving="from nothing to that idle time",
    limits={**_XPROF, "samples": 20},
)
SMALL_BATCH = Kind(
    id="small-batch",
    when="training leaves most of the accelerator's memory unused and doesn't keep it busy, and "
    "isn't held by its data",
    basis="p95 of the utilization below {busy:.0f}% and the reserved peak below {memory:.0%} of "
    "the memory (SageMaker's limits for a small batch); waiting for data below {wait:.0%} of the "
    "stage (XProf); {samples:.0f} samples",
    saving="none: it changes the training",
    limits={"busy": 70, "memory": 0.70, "wait": 0.05, "samples": 20},
)
SYNCHRONIZING_CALLS = Kind(
    id="synchronizing-calls",
    when="sampling meets the main thread in torch's `synchronize` (waits inside of C code, as in "
    "`.item()`, can't be told apart)",
    basis="medium {medium:.0%}, high {high:.0%} of the stage (XProf); {ticks:.0f} samples",
    saving="none: the device's work takes as long without the call",
    limits={**_XPROF, "ticks": 30},
)
IMPLICIT_SYNCHRONIZATION = Kind(
    id="implicit-synchronization",
    when="in a window of torch.profiler, calls such as `.item()` and `.cpu()` stand still until "
    "the accelerator is done",
    basis="medium {medium:.0%}, high {high:.0%} of the window (XProf)",
    saving="none: the device's work takes as long without the call",
    limits=_XPROF,
)
LOW_MFU = Kind(
    id="low-mfu",
    when="the accelerator is busy, and does few of the floating-point operations that it can",
    basis="below {mfu:.0%} of its peak (the lowest of the large trainings that Chowdhery et al., "
    "2022, compare has 21%), and busy {busy:.0f}% of the time (SageMaker's limit for a used one); "
    "{samples:.0f} samples; low",
    saving="none: what another kernel would take wasn't measured",
    limits={"mfu": 0.20, "busy": 70, "samples": 20},
)
MEMORY_GROWTH = Kind(
    id="memory-growth",
    when="the process tree keeps growing; main process and workers are named when they grow on "
    "their own",
    basis="95% interval of the second half's slope above 0, also within a phase, and "
    "{per_hour:.0%} per hour of what it "
    f"holds; {{minutes:.0f}} minutes sampled, of which the second half is judged ({_OUR_CHOICE}); "
    "high when the machine would be full within {hours:.0f} hours",
    saving="none",
    limits={"per_hour": 0.05, "hours": 24, "minutes": 20},
)
NOISY_MACHINE = Kind(
    id="noisy-machine",
    when="the machine was busy when the run began, the host took cores away, or the clock dropped",
    basis="load per core of the machine (not of the container) of {busy} (low) and {full:.0f} "
    "(medium); stolen time of {steal_low:.0%} and {steal_medium:.0%}; clock lower by "
    f"{{drop_low:.0%}} and {{drop_medium:.0%}} ({_OUR_CHOICE})",
    saving="none: the numbers deserve less trust",
    limits={
        **{"busy": 0.5, "full": 1.0},
        **{"steal_low": 0.01, "steal_medium": 0.05},
        **{"drop_low": 0.05, "drop_medium": 0.20},
    },
)
CPU_LIMIT = Kind(
    id="cpu-limit",
    when="the processor limit of the run's container stopped its processes",
    basis="at most {low:.0%} (low), {medium:.0%} (medium) or {high:.0%} (high) of the run's time "
    f"({_OUR_CHOICE}: the limits for stolen time, and XProf's high)",
    saving="none: the numbers hold for this limit only",
    limits={"low": 0.01, "medium": 0.05, "high": 0.20},
)
PROFILER_COST = Kind(
    id="profiler-cost",
    when="measuring took a noticeable part of the run",
    basis="{low:.0%} of the stages (low; the project's own bar), {medium:.0%} (medium)",
    saving="the profiler's time",
    limits={"low": 0.01, "medium": 0.05},
)

CATALOGUE: tuple[Kind, ...] = (
    VALIDATION_SLOWER,
    DOMINANT_OPERATION,
    DOMINANT_FUNCTION,
    COSTLY_STEP_CODE,
    INPUT_BOUND,
    HANDOVER,
    LOADER_STARTUP,
    RESTARTED_WORKERS,
    COLD_FIRST_PASS,
    WORKER_OPERATION,
    TOO_FEW_WORKERS,
    TOO_MANY_WORKERS,
    THREAD_OVERSUBSCRIPTION,
    TRANSFER_BOUND,
    HEAVY_OPTIMIZER,
    HEAVY_METRICS,
    HEAVY_LOGGING,
    HEAVY_CHECKPOINT,
    HEAVY_CALLBACKS,
    HEAVY_MODULE_HOOKS,
    GARBAGE_COLLECTION,
    STRAGGLER_RANK,
    TAIL_LATENCY,
    OUTLIER_BATCHES,
    SLOWING_DOWN,
    SLOW_START,
    OUTSIDE_STAGES,
    ACCELERATOR_MEMORY,
    OUT_OF_MEMORY,
    FRAGMENTATION,
    ACCELERATOR_UTILIZATION,
    DEVICE_DATA_WAIT,
    HOST_BOUND,
    SMALL_BATCH,
    SYNCHRONIZING_CALLS,
    IMPLICIT_SYNCHRONIZATION,
    LOW_MFU,
    MEMORY_GROWTH,
    NOISY_MACHINE,
    CPU_LIMIT,
    PROFILER_COST,
)
