"""Output folders that can't be used, special files, and streams."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch import Callback
from lightning.pytorch.loggers import CSVLogger

from benchmarks.guest_members.member import Members
from benchmarks.guest_members.session import loader

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.guest_members.session import Guest

member = Members()
PROBE = ".ocr-baseline-probe"


class AtBatch(Callback):
    """Calls a function once, after the sixth batch."""

    def __init__(self, act: Callable[[], Any]) -> None:
        self.act = act

    def on_train_batch_end(self, trainer: Any, *args: Any) -> None:
        """Call it."""
        if trainer.global_step == 6:
            self.act()


@member
def file_in_its_place(guest: Guest) -> None:
    """A file stands where the folder should be."""
    (guest.folder / "out").write_text("mine")
    guest.fit(output_dir=guest.folder / "out")
    guest.tell(kept=(guest.folder / "out").read_text())


@member
def no_folder_possible(guest: Guest) -> None:
    """A folder that can't be made."""
    guest.fit(output_dir="/proc/no/such/folder")


@member
def path_too_long(guest: Guest) -> None:
    """A path of 5,000 letters."""
    guest.fit(output_dir="x" * 5000)


@member
def null_in_the_path(guest: Guest) -> None:
    """A path with a null byte."""
    guest.fit(output_dir="a\x00b")


@member
def odd_path(guest: Guest) -> None:
    """A path with spaces, a line break and letters of other alphabets."""
    guest.fit(output_dir=guest.folder / "a b\nc" / "Übung 実験")


@member
def folder_removed(guest: Guest) -> None:
    """The output folder is removed as the run goes."""
    out = guest.folder / "out"
    guest.fit(
        None, None, None, AtBatch(lambda: shutil.rmtree(out, ignore_errors=True)), output_dir=out
    )


@member
def folder_replaced_by_a_file(guest: Guest) -> None:
    """The output folder is replaced by a file as the run goes."""
    out = guest.folder / "out"

    def act() -> None:
        shutil.rmtree(out, ignore_errors=True)
        out.write_text("mine")

    guest.fit(None, None, None, AtBatch(act), output_dir=out)
    guest.tell(kept=out.read_text())


@member
def folder_becomes_read_only(guest: Guest) -> None:
    """The output folder loses its permission to write."""
    out = guest.folder / "out"
    guest.fit(None, None, None, AtBatch(lambda: _chmod(out, 0o500)), output_dir=out)
    _chmod(out, 0o700)


def _chmod(folder: Path, mode: int) -> None:
    if folder.is_dir():
        folder.chmod(mode)


@member
def working_folder_removed(guest: Guest) -> None:
    """The working folder is removed before the fit."""
    gone = guest.folder / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    guest.fit(None, loader(num_workers=1))


@member
def link_to_elsewhere(guest: Guest) -> None:
    """The output folder is a link to another folder, and one is a link to nothing."""
    (guest.folder / "target").mkdir()
    (guest.folder / "out").symlink_to(guest.folder / "target")
    (guest.folder / "dangling").symlink_to(guest.folder / "nowhere")
    guest.fit(output_dir=guest.folder / "out")
    guest.fit(output_dir=guest.folder / "dangling" / "deeper")


@member
def probe_is_a_link(guest: Guest) -> None:
    """The file with which we try the folder is a link to a file that isn't there."""
    (guest.folder / "out" / "records").mkdir(parents=True)
    for place in ("out", "out/records"):
        (guest.folder / place / PROBE).symlink_to(guest.folder / "victim")
    guest.fit(output_dir=guest.folder / "out")
    guest.tell(victim=(guest.folder / "victim").exists())


@member
def probe_is_a_pipe(guest: Guest) -> None:
    """The file with which we try the folder is a named pipe."""
    (guest.folder / "out" / "records").mkdir(parents=True)
    os.mkfifo(guest.folder / "out" / "records" / PROBE)
    guest.fit(output_dir=guest.folder / "out")


@member
def records_are_a_pipe(guest: Guest) -> None:
    """The file of records is a named pipe, and the report's a folder."""
    (guest.folder / "out" / "records").mkdir(parents=True)
    os.mkfifo(guest.folder / "out" / "records" / "rank_0.jsonl")
    (guest.folder / "out" / "baseline.json").mkdir()
    guest.fit(output_dir=guest.folder / "out")


@member
def report_is_a_pipe(guest: Guest) -> None:
    """Named pipes, a socket and a link to a device stand where files of the report go."""
    (guest.folder / "out").mkdir()
    os.mkfifo(guest.folder / "out" / "baseline.json")
    os.mkfifo(guest.folder / "out" / "baseline.md")
    (guest.folder / "out" / "metrics.csv").symlink_to("/dev/full")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(guest.folder / "out" / "baseline.html"))
        guest.fit(output_dir=guest.folder / "out")


@member
def worker_records_are_a_pipe(guest: Guest) -> None:
    """The file of a worker's records is a named pipe."""
    (guest.folder / "out" / "records").mkdir(parents=True)
    os.mkfifo(guest.folder / "out" / "records" / "rank_0_worker_train_0.jsonl")
    guest.fit(None, loader(num_workers=1), output_dir=guest.folder / "out")


def _limited_to_2_kib(guest: Guest, handler: Any) -> None:
    def act() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, resource.RLIM_INFINITY))

    signal.signal(signal.SIGXFSZ, handler)
    guest.fit(None, None, None, AtBatch(act), max_epochs=3)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@member
def files_limited(guest: Guest) -> None:
    """No file may be larger than 2 KiB, which is as a full disk."""
    _limited_to_2_kib(guest, signal.SIG_IGN)


@member
def files_limited_by_a_signal(guest: Guest) -> None:
    """The same, and who writes more is ended by a signal."""
    _limited_to_2_kib(guest, signal.SIG_DFL)


@member
def files_limited_by_a_handler(guest: Guest) -> None:
    """The same, and the signal raises."""

    def raises(number: int, frame: Any) -> None:
        raise OverflowError("a file is too large")

    _limited_to_2_kib(guest, raises)


@member
def few_files_open(guest: Guest) -> None:
    """The process may open no more files."""

    def act() -> None:
        used = len(list(Path("/proc/self/fd").iterdir()))
        resource.setrlimit(resource.RLIMIT_NOFILE, (used, hard))

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    guest.fit(None, None, None, AtBatch(act), max_epochs=3)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@member
def no_permission_by_default(guest: Guest) -> None:
    """The process makes files that nobody may read."""
    before = os.umask(0o777)
    guest.fit()
    os.umask(before)


@member
def no_home_and_no_scratch(guest: Guest) -> None:
    """There is no home, and the folder for scratch files doesn't exist."""
    for name in ("HOME", "USER", "LOGNAME"):
        os.environ.pop(name, None)
    os.environ["TMPDIR"] = str(guest.folder / "none")
    guest.fit()


@member
def closed_streams(guest: Guest) -> None:
    """Stdout and stderr are closed."""
    os.close(1)
    os.close(2)
    guest.fit()


@member
def streams_replaced(guest: Guest) -> None:
    """sys.stdout and sys.stderr are None."""
    kept = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = None
    guest.fit()
    sys.stdout, sys.stderr = kept


@member
def earlier_report_damaged(guest: Guest) -> None:
    """The folder holds a damaged report and damaged records of an earlier run."""
    records = guest.folder / "out" / "records"
    records.mkdir(parents=True)
    (guest.folder / "out" / "baseline.json").write_text("{")
    (records / "rank_0.jsonl").write_bytes(b"\x00" * 100)
    (records / "rank_7.jsonl").write_text("[]\n")
    guest.fit(output_dir=guest.folder / "out")


@member
def loggers_folder(guest: Guest) -> None:
    """The report goes to a CSVLogger's folder, whose file has the name of one of the report's."""
    logger = CSVLogger(guest.folder / "logs", flush_logs_every_n_steps=1)
    guest.fit(logger=logger, output_dir=logger.log_dir)
    guest.tell(kept="loss" in (Path(logger.log_dir) / "metrics.csv").read_text())


@member
def files_of_those_names(guest: Guest) -> None:
    """The folder has files of the user's under names of the report's."""
    folder = guest.folder / "out"
    folder.mkdir()
    files = [folder / name for name in ("metrics.csv", "batches.csv", "baseline.md")]
    for file in files:
        file.write_text("mine")
    guest.fit(output_dir=folder)
    guest.tell(kept=[file.read_text() for file in files])


@member
def document_of_that_name(guest: Guest) -> None:
    """The folder has a `baseline.json` of another program."""
    folder = guest.folder / "out"
    folder.mkdir()
    (folder / "baseline.json").write_text('{"accuracy": 0.9}')
    guest.fit(output_dir=folder)
    guest.tell(kept=(folder / "baseline.json").read_text())


@member
def numbers_of_files_taken(guest: Guest) -> None:
    """The process closes the file of records, and opens its own under that number."""
    mine: list[int] = []

    def act() -> None:
        for entry in list(Path("/proc/self/fd").iterdir()):
            if entry.is_symlink() and "rank_0" in entry.readlink().name:
                os.close(int(entry.name))
        mine.extend(os.open(f"mine{number}", os.O_WRONLY | os.O_CREAT) for number in range(4))

    guest.fit(None, loader(4 * 1500), None, AtBatch(act))
    for number in mine:
        os.write(number, b"mine")
        os.close(number)
    guest.tell(mine=[Path(f"mine{number}").read_bytes()[:20] for number in range(4)])


@member
def root_at_an_address(guest: Guest) -> None:
    """The trainer's root folder is at an address of a store."""
    os.chdir(guest.folder)
    guest.fit(default_root_dir="memory://runs/1")
    guest.tell(folders=sorted(entry.name for entry in guest.folder.iterdir() if ":" in entry.name))
