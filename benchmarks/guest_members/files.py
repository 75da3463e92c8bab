"""Files that are nearly right, or hold more than was named."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from torch.utils.tensorboard import SummaryWriter

from benchmarks.guest_members.member import Members
from ocr_baseline.layout import JSON_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.guest_members.session import Guest, Truth

member = Members()
HEADER = "epoch,step,performance/val_epoch_time,performance/val_num_batches\n"
TIME = "performance/val_epoch_time"


def _read(guest: Guest, place: str | Path, truths: dict[str, Truth]) -> None:
    """Read a place as the command line does, and state what is true of it."""
    if not guest.measured:
        return
    import ocr_baseline

    folder = guest.folder / "report"
    folder.mkdir()
    guest.reports[0] = folder
    for name, value in truths.items():
        guest.true(name, value)
    baseline = ocr_baseline.read(place)
    (folder / JSON_NAME).write_text(baseline.model_dump_json(by_alias=True))


def _csv(guest: Guest, text: str | bytes, total_s: float, epochs: int | None) -> None:
    file = guest.folder / "metrics.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    _read(guest, file, {"validation.total_s": total_s, "validation.epochs": epochs})


@member
def header_again(guest: Guest) -> None:
    """A CSV whose header stands there again after a resume."""
    _csv(guest, f"{HEADER}0,9,10.0,5\n1,19,10.0,5\n{HEADER}2,29,10.0,5\n", 30.0, 3)


@member
def epoch_is_nan(guest: Guest) -> None:
    """A CSV with NaN in one row's epoch: the value counts, its place isn't known."""
    _csv(guest, f"{HEADER}0,9,10.0,5\nNaN,19,10.0,5\n2,29,10.0,5\n", 30.0, 3)


@member
def spaces_after_commas(guest: Guest) -> None:
    """A CSV with spaces after its commas."""
    _csv(guest, f"{HEADER}0,9,10.0,5\n1,19,10.0,5\n".replace(",", ", "), 20.0, 2)


@member
def carriage_returns(guest: Guest) -> None:
    """A CSV with the line ends of Windows, a byte-order mark and an empty last line."""
    text = f"{HEADER}0,9,10.0,5\n1,19,10.0,5\n\n".replace("\n", "\r\n")
    _csv(guest, b"\xef\xbb\xbf" + text.encode(), 20.0, 2)


@member
def quoted(guest: Guest) -> None:
    """A CSV with every cell in quotes."""
    text = f"{HEADER}0,9,10.0,5\n1,19,10.0,5\n"
    rows = (",".join(f'"{cell}"' for cell in line.split(",")) for line in text.splitlines())
    _csv(guest, "\n".join(rows) + "\n", 20.0, 2)


@member
def column_grown(guest: Guest) -> None:
    """A CSV whose last row lacks cells: it was cut off."""
    _csv(guest, f"{HEADER}0,9,10.0,5\n1,19,10.0,5\n2,2", 20.0, 2)


@member
def text_in_a_metric(guest: Guest) -> None:
    """A CSV with a text, an infinity and an empty cell in other columns."""
    text = "epoch,step,loss,performance/val_epoch_time\n0,9,nan,10.0\n1,19,oops,10.0\n2,29,,10.0\n"
    _csv(guest, text, 30.0, 3)


@member
def infinity_in_the_metric(guest: Guest) -> None:
    """A CSV with an infinite time: that epoch has none."""
    text = f"{HEADER}0,9,10.0,5\n1,19,inf,5\n2,29,10.0,5\n"
    _csv(guest, text, 20.0, None)
    guest.truths.get(0, {}).pop("validation.epochs", None)


@member
def epochs_as_floats(guest: Guest) -> None:
    """A CSV with epochs as 0.0 and 1.0, as pandas writes them."""
    _csv(guest, f"{HEADER}0.0,9,10.0,5\n1.0,19,10.0,5\n", 20.0, 2)


@member
def rows_out_of_order(guest: Guest) -> None:
    """A CSV with its rows in another order."""
    _csv(guest, f"{HEADER}1,19,20.0,5\n0,9,10.0,5\n", 30.0, 2)


def _events(folder: Path, name: str, times_s: list[float], **arguments: Any) -> Path:
    writer = SummaryWriter(folder, filename_suffix=name)
    for epoch, seconds in enumerate(times_s):
        writer.add_scalar("epoch", epoch, epoch)
        writer.add_scalar(TIME, seconds, epoch, **arguments)
    writer.close()
    return next(folder.glob(f"*{name}"))


@member
def one_of_two_event_files(guest: Guest) -> None:
    """One TensorBoard file is named; another run's lies beside it."""
    folder = guest.folder / "events"
    named = _events(folder, ".a", [10.0, 10.0])
    time.sleep(1.1)  # the files' names hold seconds
    _events(folder, ".b", [30.0, 30.0])
    _read(guest, named, {"validation.total_s": 20.0, "validation.epochs": 2})


@member
def scalars_as_tensors(guest: Guest) -> None:
    """TensorBoard scalars as TensorFlow 2 writes them."""
    _events(guest.folder / "events", ".a", [10.0, 10.0], new_style=True)
    truths: dict[str, Truth] = {"validation.total_s": 20.0, "validation.epochs": 2}
    _read(guest, guest.folder / "events", truths)


@member
def event_file_cut_off(guest: Guest) -> None:
    """A TensorBoard file that ends inside an event."""
    file = _events(guest.folder / "events", ".a", [10.0, 10.0, 10.0])
    os.truncate(file, file.stat().st_size - 7)
    truths: dict[str, Truth] = {"validation.total_s": 20.0, "validation.epochs": 2}
    _read(guest, guest.folder / "events", truths)


@member
def infinity_in_mlflow(guest: Guest) -> None:
    """MLflow's SQL store gives an infinite value back as the largest float."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import mlflow

    uri = f"sqlite:///{guest.folder}/ml.db"
    try:
        client = mlflow.MlflowClient(tracking_uri=uri)
        run_id = client.create_run(client.create_experiment("e")).info.run_id
    except Exception as error:  # noqa: BLE001 - the small MLflow has no SQL store
        guest.tell(not_tried=type(error).__name__)
        return
    for epoch, seconds in enumerate((10.0, float("inf"), 10.0)):
        client.log_metric(run_id, TIME, seconds, timestamp=1_700_000_000_000 + epoch, step=epoch)
    client.set_terminated(run_id)
    os.environ["MLFLOW_TRACKING_URI"] = uri
    _read(guest, f"mlflow:{run_id}", {"validation.total_s": 20.0})
