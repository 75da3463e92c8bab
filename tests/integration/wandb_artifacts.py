"""What a W&B server answers to a client that resumes a run and logs an artifact to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.integration.wandb_stored_run import ENTITY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.wandb_server import WandbServer

_ARTIFACT = "artifact-1"
_MANIFEST = "manifest-1"


def _resume_status(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    run = server.runs.get(variables["name"])
    if run is None or run.project != variables["project"]:
        return {"model": None}
    bucket = {
        **run.fragment(),
        "logLineCount": 0,
        "eventsLineCount": 0,
        "historyTail": json.dumps([json.dumps(row) for row in run.rows[-1:]]),
        "eventsTail": "[]",
        "wandbConfig": '{"t": 1}',
    }
    return {"model": {"entity": {"name": ENTITY}, "bucket": bucket}}


def _type(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    """No artifact of that name is there yet."""
    return {"project": {"artifact": None}}


def _create(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    asked = variables["input"]
    server.artifacts.append(asked["artifactCollectionName"])
    sequence = {"id": "sequence-1", "latestArtifact": None}
    artifact = {"id": _ARTIFACT, "state": "PENDING", "artifactSequence": sequence}
    return {"createArtifact": {"artifact": artifact}}


def _manifest(server: WandbServer, name: str) -> dict[str, Any]:
    file = {"id": "file-1", "name": name, "displayName": name, "uploadHeaders": []}
    file["uploadUrl"] = f"{server.url}/put/{name}"
    return {"artifactManifest": {"id": _MANIFEST, "file": file}}


def _create_manifest(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    return {"createArtifactManifest": _manifest(server, "wandb_manifest.json")}


def _update_manifest(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    return {"updateArtifactManifest": _manifest(server, "wandb_manifest.json")}


def _create_files(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    asked = variables["input"].get("artifactFiles") or variables["input"]["artifactFileSpecs"]
    nodes = [
        {
            "id": "file-2",
            "name": one["name"],
            "displayName": one["name"],
            "storagePath": one["name"],
            "uploadUrl": f"{server.url}/put/{one['name']}",
            "uploadHeaders": [],
            "uploadMultipartUrls": None,
            "artifact": {"id": _ARTIFACT},
        }
        for one in asked
    ]
    return {"createArtifactFiles": {"files": {"edges": [{"node": node} for node in nodes]}}}


def _commit(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    return {"commitArtifact": {"artifact": {"id": _ARTIFACT, "digest": "0" * 32}}}


def _by_id(server: WandbServer, variables: dict[str, Any]) -> dict[str, Any]:
    project = {"id": "project-1", "internalId": "1", "name": "baseline", "entity": {"name": ENTITY}}
    sequence = {
        "__typename": "ArtifactSequence",
        "name": server.artifacts[-1],
        "project": project,
    }
    artifact = {
        "__typename": "Artifact",
        "id": _ARTIFACT,
        "artifactSequence": sequence,
        "versionIndex": 0,
        "artifactType": {"name": "performance-baseline"},
        "description": None,
        "metadata": "{}",
        "ttlDurationSeconds": -1,
        "ttlIsInherited": True,
        "tags": [],
        "historyStep": None,
        "state": "COMMITTED",
        "size": 1,
        "digest": "0" * 32,
        "commitHash": "1",
        "fileCount": 1,
        "createdAt": "2026-03-01T09:00:00Z",
        "updatedAt": None,
        "aliases": [],
    }
    return {"artifact": artifact}


ANSWERS: dict[str, Callable[[WandbServer, dict[str, Any]], dict[str, Any]]] = {
    "RunResumeStatus": _resume_status,
    "ArtifactType": _type,
    "CreateArtifact": _create,
    "CreateArtifactManifest": _create_manifest,
    "UpdateArtifactManifest": _update_manifest,
    "CreateArtifactFiles": _create_files,
    "CommitArtifact": _commit,
    "ArtifactByID": _by_id,
}
