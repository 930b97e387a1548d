"""A small stand-in for the Hugging Face hub: serves repositories that lie in folders to the real client."""

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LARGE = (".parquet", ".safetensors")
"""Files that the hub keeps apart and names by their sha256; it names all others as git does."""


@dataclass
class StandIn:
    """The hub: repositories at `<root>/<kind>s/<owner>/<name>/<revision>/`.

    Files of `broken` end after half of their bytes, as many times as it says; `wrong` are served with other
    bytes than announced.
    """

    root: Path
    broken: dict[str, int] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __enter__(self) -> "StandIn":
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer(stand_in, self)

            def do_HEAD(self) -> None:
                answer(stand_in, self)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *arguments: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def endpoint(self) -> str:
        """What HF_ENDPOINT has to be."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def downloaded(self) -> list[str]:
        """The paths of the files that were asked for, not just asked about."""
        return [
            path.split("/resolve/")[1].split("/", 1)[1]
            for method, path in self.asked
            if method == "GET" and "/resolve/" in path
        ]


def answer(stand_in: StandIn, request: BaseHTTPRequestHandler) -> None:
    """Reply to one request of the client."""
    stand_in.asked.append((request.command, request.path))
    parts = request.path.split("?")[0].strip("/").split("/")
    if len(parts) < 5:  # the client also asks for things about itself
        refuse(request, "NotFound")
        return
    if parts[0] == "api":
        kind, owner, name, _, revision, *inside = parts[1:]
    else:
        kind = "datasets" if parts[0] == "datasets" else "models"
        owner, name, _, revision, *inside = parts[1:] if kind == "datasets" else parts
    repository = stand_in.root / kind / owner / name
    target = repository.joinpath(revision, *inside)
    if not repository.is_dir():
        refuse(request, "RepoNotFound")
    elif not (repository / revision).is_dir():
        refuse(request, "RevisionNotFound")
    elif not target.exists():
        refuse(request, "EntryNotFound")
    elif parts[0] == "api":
        send_json(request, [described(path, repository / revision) for path in sorted(target.iterdir())])
    else:
        send_file(stand_in, request, target, "/".join(inside), revision)


def refuse(request: BaseHTTPRequestHandler, code: str) -> None:
    request.send_response(404)
    request.send_header("X-Error-Code", code)
    request.send_header("Content-Length", "0")
    request.end_headers()


def described(path: Path, root: Path) -> dict[str, Any]:
    """An entry of a folder's listing."""
    name = path.relative_to(root).as_posix()
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": "0" * 40}
    content = path.read_bytes()
    entry = {"type": "file", "path": name, "size": len(content), "oid": git_hash(content)}
    if path.suffix in LARGE:
        lfs = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
        return entry | {"lfs": lfs}
    return entry


def git_hash(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}".encode() + b"\0" + content).hexdigest()


def send_json(request: BaseHTTPRequestHandler, value: object) -> None:
    body = json.dumps(value).encode()
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def send_file(
    stand_in: StandIn, request: BaseHTTPRequestHandler, path: Path, name: str, revision: str
) -> None:
    content = path.read_bytes()
    large = path.suffix in LARGE
    etag = hashlib.sha256(content).hexdigest() if large else git_hash(content)
    asked = request.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0]
    start = int(asked)
    request.send_response(206 if start else 200)
    request.send_header("ETag", f'"{etag}"')
    request.send_header("X-Repo-Commit", revision)
    request.send_header("Content-Length", str(len(content) - start))
    if start:
        request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    if large:
        request.send_header("X-Linked-Etag", f'"{etag}"')
        request.send_header("X-Linked-Size", str(len(content)))
    request.end_headers()
    if request.command == "HEAD":
        return
    if name in stand_in.wrong:
        content = bytes(byte ^ 1 for byte in content)
    if stand_in.broken.get(name, 0) > 0:
        stand_in.broken[name] -= 1
        request.wfile.write(content[start : len(content) // 2])
        request.wfile.flush()
        request.close_connection = True
        request.connection.close()
        return
    request.wfile.write(content[start:])
