"""The Hub's own address: search, model pages, file lists, addresses of files, and the buttons for tests."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.hub.content import Repository
from tests.hub.faults import Fault
from tests.hub.server import Handler

SORT_KEYS = {"downloads": "downloads", "likes": "likes", "lastModified": "lastModified", "trendingScore": "downloads"}


class ApiHandler(Handler):
    """Answers /api/…, /OWNER/NAME/resolve/REVISION/PATH and, for tests in other processes, /-/log and /-/faults."""

    where = "hub"

    def do_GET(self) -> None:
        self._route()

    def do_HEAD(self) -> None:
        self._route()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        document = json.loads(self.rfile.read(length) or b"{}")
        if self.path == "/-/faults":
            self.hub.faults.add(Fault(**document))
        elif self.path == "/-/rate":
            self.hub.rate = int(document["rate"])
        elif self.path == "/-/clear":
            self.hub.log.clear()
            self.hub.faults.clear()
        self._json({"ok": True})

    def _route(self) -> None:
        address = urlsplit(self.path)
        path, query = unquote(address.path), parse_qs(address.query)
        if path == "/-/log":
            return self._json([asdict(entry) for entry in self.hub.log.entries()])
        where = "resolve" if "/resolve/" in path else "api"
        fault = self.hub.faults.take(where, self.command, path)
        if fault and self.strike(fault):
            return None
        if where == "resolve" and (found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path, re.DOTALL)):
            return self._resolve(*found.groups(), plain=fault is not None and fault.kind == "no-commit")
        if path == "/api/models":
            return self._search(query)
        if path == "/api/whoami-v2":
            return self._who_am_i()
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)(?:/(.*))?", path):
            return self._tree(found[1], found[2], query)
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+?)(?:/revision/([^/]+))?", path):
            return self._model(found[1], found[2] or "main", query)
        return self._refuse(404, "", "Not found")

    # --- who may read what --------------------------------------------------------------------------------

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ").strip()

    def _repository(self, name: str, revision: str, *, files: bool = False) -> Repository | None:
        """The repository, or None after a refusal was sent."""
        token, repository = self._token(), self.hub.repositories.get(name)
        if token and token not in self.hub.tokens:
            return self._refuse(401, "", "Invalid credentials in Authorization header")
        if repository is None or (repository.private and token not in repository.granted):
            return self._refuse(401 if not token else 404, "RepoNotFound", "Repository not found")
        if repository.renamed_to:
            self.answer(307, b"", {"Location": self.path.replace(name, repository.renamed_to, 1)})
            return None
        if revision not in ("main", repository.commit):
            return self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if files and repository.gated and token not in repository.granted:
            status = 403 if token else 401
            return self._refuse(status, "GatedRepo", f"Access to model {name} is restricted.")
        return repository

    def _refuse(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self.answer(status, json.dumps({"error": message}).encode(), headers)

    def _who_am_i(self) -> None:
        name = self.hub.tokens.get(self._token())
        if name is None:
            return self._refuse(401, "", "Invalid credentials in Authorization header")
        return self._json({"type": "user", "name": name, "auth": {"accessToken": {"role": "read"}}})

    # --- descriptions ------------------------------------------------------------------------------------

    def _json(self, document: Any, headers: dict[str, str] | None = None) -> None:
        self.answer(200, json.dumps(document).encode(), headers)

    def _search(self, query: dict[str, list[str]]) -> None:
        words = " ".join(query.get("search", [])).lower().split()
        wanted = [tag for value in query.get("filter", []) for tag in value.split(",")]
        author, task = query.get("author", [""])[0], query.get("pipeline_tag", [""])[0]
        found = [
            repository
            for repository in self.hub.repositories.values()
            if all(word in repository.name.lower() for word in words)
            and (not author or repository.name.startswith(f"{author}/"))
            and (not task or repository.task == task)
            and all(tag in describe(repository)["tags"] for tag in wanted)
            and not repository.private
        ]
        key = SORT_KEYS.get(query.get("sort", ["downloads"])[0], "downloads")
        found.sort(key=lambda repository: describe(repository)[key], reverse=True)
        start = int(query.get("cursor", ["0"])[0])
        size = min(int(query.get("limit", ["1000"])[0]), self.hub.page_size)
        expand = query.get("expand", [])
        page = [describe(repository, expand) for repository in found[start : start + size]]
        headers = {}
        if start + size < len(found):
            rest = "&".join(
                f"{name}={quote(value)}" for name, values in query.items() if name != "cursor" for value in values
            )
            headers["Link"] = f'<{self.hub.endpoint}/api/models?{rest}&cursor={start + size}>; rel="next"'
        self._json(page, headers)

    def _model(self, name: str, revision: str, query: dict[str, list[str]]) -> None:
        repository = self._repository(name, revision)
        if repository is None:
            return
        document = describe(repository, query.get("expand", []))
        if "expand" not in query:
            document["siblings"] = [
                describe_sibling(file, repository, "blobs" in query) for file in sorted(repository.files)
            ]
        self._json(document)

    def _tree(self, name: str, revision: str, query: dict[str, list[str]]) -> None:
        repository = self._repository(name, revision)
        if repository is None:
            return
        start = int(query.get("cursor", ["0"])[0])
        names = sorted(repository.files)
        page = [describe_file(file, repository) for file in names[start : start + self.hub.page_size]]
        headers = {}
        if start + self.hub.page_size < len(names):
            address = f"{self.hub.endpoint}/api/models/{name}/tree/{revision}"
            headers["Link"] = f'<{address}?recursive=True&cursor={start + self.hub.page_size}>; rel="next"'
        self._json(page, headers)

    # --- files -------------------------------------------------------------------------------------------

    def _resolve(self, name: str, revision: str, file: str, *, plain: bool) -> None:
        repository = self._repository(name, revision, files=True)
        if repository is None:
            return None
        blob = repository.files.get(file)
        if blob is None:
            return self._refuse(404, "EntryNotFound", f"Entry not found: {file}")
        headers = {} if plain else {"X-Repo-Commit": repository.commit, "Accept-Ranges": "bytes"}
        if not blob.in_lfs:
            body = blob.read(0, blob.size)
            return self.answer(200, body, headers | {"ETag": f'"{blob.git_sha1}"'}, "text/plain; charset=utf-8")
        address = f"{self.hub.cdn}/{name}/{quote(file)}?v={repository.version}&signature=secret"
        headers |= {"Location": address}
        if not plain:
            headers |= {"X-Linked-Size": str(blob.size), "X-Linked-ETag": f'"{blob.sha256}"'}
        return self.answer(302, b"", headers)


def describe(repository: Repository, expand: list[str] | None = None) -> dict[str, Any]:
    """A repository as /api/models gives it; with `expand`, only those properties."""
    whole: dict[str, Any] = {
        "_id": repository.commit[:24],
        "id": repository.name,
        "modelId": repository.name,
        "author": repository.name.split("/")[0],
        "sha": repository.commit,
        "lastModified": "2026-10-01T12:00:00.000Z",
        "createdAt": "2026-01-01T12:00:00.000Z",
        "private": repository.private,
        "gated": repository.gated or False,
        "disabled": False,
        "downloads": repository.downloads,
        "likes": repository.likes,
        "tags": [*repository.tags, repository.task, f"license:{repository.licence}"],
        "pipeline_tag": repository.task,
        "library_name": repository.library or ("gguf" if "gguf" in repository.tags else None),
        "cardData": {"license": repository.licence, "base_model": repository.base_model} | repository.card_data,
    }
    if repository.gguf:
        whole["gguf"] = repository.gguf
    if not expand:
        return whole
    return {"_id": whole["_id"], "id": whole["id"]} | {key: whole[key] for key in expand if key in whole}


def describe_file(name: str, repository: Repository) -> dict[str, Any]:
    """A file as the tree gives it."""
    blob = repository.files[name]
    document: dict[str, Any] = {"type": "file", "path": name, "size": blob.size, "oid": blob.git_sha1}
    if blob.in_lfs:
        document["lfs"] = {"oid": blob.sha256, "size": blob.size, "pointerSize": 134}
    return document


def describe_sibling(name: str, repository: Repository, with_blobs: bool) -> dict[str, Any]:
    """A file as the model page lists it."""
    document: dict[str, Any] = {"rfilename": name}
    if with_blobs:
        blob = repository.files[name]
        document |= {"size": blob.size, "blobId": blob.git_sha1}
        if blob.in_lfs:
            document["lfs"] = {"sha256": blob.sha256, "size": blob.size, "pointerSize": 134}
    return document
