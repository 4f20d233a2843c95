#!/usr/bin/env python3
"""Holds the running office against its own description, with schemathesis: statuses, media types, bodies, no 5xx.

Exits 0 when they agree, 1 when not. The same seed every time, at most about two minutes.
"""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "browser"))

from hub import Hub  # noqa: E402

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "missing_required_header",
    "ignored_auth",
]


def main() -> int:
    with Hub() as hub:
        # Something to find: turns that wait, one at a counter, one that was missed.
        for counter in (4, 5):
            hub.call("POST", f"/counters/{counter}/open", {})
        for queue in ("tributos", "tributos", "catastro"):
            hub.ticket(queue)
        hub.call("POST", "/counters/4/next", {})
        command = [
            sys.executable, "-m", "schemathesis.cli", "run", f"{hub.base}/api/v1/openapi.json",
            "--header", f"Authorization: Bearer {hub.token}",
            "--checks", ",".join(CHECKS),
            "--phases", "examples,coverage,fuzzing",
            # A stream has no end to wait for.
            "--exclude-path", "/api/v1/board/events",
            "--seed", "20261124",
            "--max-examples", os.environ.get("EXAMPLES", "25"),
            "--continue-on-failure",
            "--request-timeout", "20",
            "--warnings", "off",
            "--no-color",
        ]
        environment = {**os.environ, "NO_PROXY": "127.0.0.1", "HYPOTHESIS_STORAGE_DIRECTORY": str(hub.folder / "hypothesis")}
        try:
            code = subprocess.run(command, timeout=170, cwd=hub.folder, env=environment).returncode
        except subprocess.TimeoutExpired:
            print("api: it took too long; lower EXAMPLES")
            return 1
        # It must still work after all that.
        hub.call("GET", "/health")
        return code


if __name__ == "__main__":
    sys.exit(main())
