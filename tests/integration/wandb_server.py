"""A loopback W&B server: what the real client asks for when it writes and reads runs.

The client's traffic goes through its own service process, so tests serve it over HTTP rather than
patch Python. `WandbServer.runs` is both what the server answers from and what a client wrote.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.integration.wandb_artifacts import ANSWERS
from tests.integration.wandb_stored_run import ENTITY, StoredRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

API_KEY = "0123456789abcdef0123456789abcdef01234567"
_OPERATION = re.compile(r"\b(?:query|mutation)\s+(\w+)|^\s*(?:query)?\s*\{\s*(\w+)")
"""An operation's name, or the first field of one without, which older clients send."""


class WandbServer:
    """The server; start it with `with WandbServer() as server:`.

    `hang_on` names operations that never get an answer, `refuse` those that fail, `fail_with` an
    HTTP status that every request gets; those in `answer_nothing_to` get an empty answer.
    `operations` lists what was asked, in order, `artifacts` the names of those that a client
    logged; `uploads` holds the files that it sent, by name.
    """

    def __init__(self) -> None:
        """Listen on a free loopback port."""
        self.runs: dict[str, StoredRun] = {}
        self.hang_on: set[str] = set()
        self.refuse: set[str] = set()
        self.fail_with: int | None = None
        self.answer_nothing_to: set[str] = set()
        self.operations: list[str] = []
        self.artifacts: list[str] = []
        self.uploads: dict[str, bytes] = {}
        self.closing = threading.Event()
        self._arrived = threading.Condition()
        self._http = _Http(("127.0.0.1", 0), _handler_for(self))
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The value for WANDB_BASE_URL."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def add(self, run: StoredRun) -> StoredRun:
        """Hold the run and hand it back."""
        self.runs[run.id] = run
        return run

    def wait_for_rows(self, run_id: str, key: str, count: int, timeout_s: float) -> None:
        """Wait until that many rows of the run, which a client still uploads, hold the key."""
        with self._arrived:
            has_arrived = self._arrived.wait_for(
                lambda: sum(key in row for row in self.runs[run_id].rows) >= count, timeout_s
            )
        assert has_arrived, f"{key} had not been uploaded {count} times in {timeout_s:g} s"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, operation: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the `data` of a GraphQL response."""
        if operation in self.answer_nothing_to:
            return {}
        return _ANSWERS.get(operation, _nothing)(self, variables)

    def append_stream(self, run_id: str, body: dict[str, Any]) -> None:
        """Take in one request of the client's file stream."""
        with self._arrived:
            self._take_in(self.runs[run_id], body)
            self._arrived.notify_all()

    def _take_in(self, run: StoredRun, body: dict[str, Any]) -> None:
        for name, part in body.get("files", {}).items():
            lines = [json.loads(line) for line in part["content"]]
            if name == "wandb-history.jsonl":
                run.rows.extend(lines)
            elif name == "wandb-events.jsonl":
                run.system_rows.extend(lines)
            elif name == "wandb-summary.json" and lines:
                run.summary = lines[-1]
        if body.get("complete"):
            run.state = "finished" if body.get("exitcode", 0) == 0 else "failed"


def _found(server: WandbServer, variables: dict[str, Any]) -> StoredRun | None:
    run = server.runs.get(variables.get("name") or variables.get("run") or "")
    project = variables.get("project")
    return run if run and run.project == project and variables.get("entity") == ENTITY else None


def _in_project(fields: dict[str, Any] | None) -> dict[str, Any]:
    return {"project": {"run": fields}}


def _nothing(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    return {}


def _viewer(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    return {
        "viewer": {
            "id": "viewer-1",
            "entity": ENTITY,
            "username": ENTITY,
            "name": ENTITY,
            "email": "receipts@example.invalid",
            "flags": "{}",
            "admin": False,
            "teams": {"edges": []},
        }
    }


def _features(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    """What a server of an older version says to a client that asks what it can do."""
    return {"serverInfo": {"features": []}}


def _run_type(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    fields = StoredRun(id="any").fragment()
    return {"RunType": {"fields": [{"name": name} for name in fields]}}


def _run(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    run = _found(server, variables)
    if run and run.deleted:
        # Deleted while it was read: the server knows nothing of it from here on.
        del server.runs[run.id]
    return _in_project(run.fragment() if run else None)


def _history_keys(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    run = _found(server, variables)
    return _in_project({"historyKeys": run.history_keys()} if run else None)


def _parquet(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    run = _found(server, variables)
    live = [json.dumps(row) for row in run.rows] if run else []
    return _in_project({"parquetHistory": {"parquetUrls": [], "liveData": live}})


def _history_page(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    run = _found(server, variables)
    if run is None:
        return _in_project(None)
    low, high = int(variables["minStep"]), int(variables["maxStep"])
    rows = [row for row in run.rows if low <= row["_step"] < high]
    if run.parquet:
        keys = sorted({key for row in run.rows for key in row})
        rows = [{key: row.get(key) for key in keys} for row in rows]
    return _in_project({"history": [json.dumps(row) for row in rows[: variables["pageSize"]]]})


def _full_history(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    run = _found(server, variables)
    if run is None:
        return _in_project(None)
    events = [json.dumps(row) for row in run.system_rows]
    return _in_project({"events": events[: variables["samples"]]})


def _upsert(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    run = server.runs.get(variables["name"]) or server.add(
        StoredRun(id=variables["name"], project=variables["project"], state="running")
    )
    run.name = variables.get("displayName") or run.name
    for key, entry in json.loads(variables.get("config") or "{}").items():
        if key != "_wandb":
            run.config[key] = entry["value"]
    entity = {"id": "entity-1", "name": ENTITY}
    project = {"id": "project-1", "name": run.project, "entity": entity}
    bucket = {**run.fragment(), "project": project, "historyLineCount": 0}
    return {"upsertBucket": {"bucket": bucket, "inserted": True}}


def _create_files(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    files = [{"name": name, "uploadUrl": f"{server.url}/put/{name}"} for name in variables["files"]]
    return {"createRunFiles": {"runID": variables["run"], "uploadHeaders": [], "files": files}}


_ANSWERS: dict[str, Callable[[WandbServer, dict[str, Any]], dict[str, Any]]] = {
    "Viewer": _viewer,
    "viewer": _viewer,
    "GetViewer": _viewer,
    "GetDefaultEntity": _viewer,
    "ServerFeaturesQuery": _features,
    "ProbeRunInput": _run_type,
    "Run": _run,
    "RunHistoryKeys": _history_keys,
    "RunParquetHistory": _parquet,
    "HistoryPage": _history_page,
    "RunFullHistory": _full_history,
    "UpsertBucket": _upsert,
    "CreateRunFiles": _create_files,
    **ANSWERS,
}


class _Http(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up: the W&B client resets its connections."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def _handler_for(server: WandbServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output clean."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if server.fail_with is not None:
                return self._send(server.fail_with, {"errors": [{"message": "out of order"}]})
            if not body.startswith(b"{"):
                # The client's telemetry, which is no JSON, and connections that it only tries.
                return self._send(400, {"errors": [{"message": "no JSON"}]})
            if self.path.endswith("/file_stream"):
                server.append_stream(self.path.split("/")[-2], json.loads(body))
                return self._send(200, {"exitcode": None, "limits": {}})
            return self._graphql(json.loads(body))

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            server.uploads[self.path.rpartition("/")[2]] = body
            self._send(200, {})

        def _graphql(self, request: dict[str, Any]) -> None:
            found = _OPERATION.search(request["query"])
            named = (found.group(1) or found.group(2)) if found else ""
            operation = request.get("operationName") or named
            server.operations.append(operation)
            if operation in server.hang_on:
                server.closing.wait()
                return None
            if operation in server.refuse:
                return self._send(500, {"errors": [{"message": "out of order"}]})
            if API_KEY not in _credentials(self.headers.get("Authorization")):
                return self._send(401, {"errors": [{"message": "user is not logged in"}]})
            return self._send(
                200, {"data": server.answer(operation, request.get("variables") or {})}
            )

        def _send(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _credentials(header: str | None) -> str:
    return base64.b64decode((header or "").removeprefix("Basic ")).decode(errors="replace")
