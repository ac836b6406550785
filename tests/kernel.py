"""A student's kernel: runs cells, and can be interrupted while it does; another process at work."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from jupyter_client.manager import start_new_kernel

from course.checks.progress import MIME_TYPE
from labcourse import settings


class Said(NamedTuple):
    """What a cell put out: its text, errors included, the name of its error, its verdicts."""

    text: str
    error: str
    verdicts: list[Any]

    @property
    def state(self) -> str:
        """The state of its last verdict."""
        return str(self.verdicts[-1]["state"])


class Kernel:
    """A kernel of this Python; ``variables`` are added to its environment."""

    def __init__(self, **variables: str) -> None:
        self.manager, self.client = start_new_kernel(
            env={**os.environ, "PYTHONPATH": str(settings.home()), **variables}
        )

    def __call__(self, *codes: str, interrupt_after: str = "", cell: str = "") -> Said:
        """Run cells, and return what the last one says; press the stop button once that has shown a text.

        A cell is the same under the same name.
        """
        *before, code = codes
        for each in before:
            self(each)
        texts, error, verdicts = [], "", []
        content = {"code": code, "silent": False, "store_history": True, "stop_on_error": False, "allow_stdin": False}
        request = self.client.session.msg("execute_request", content, metadata={"cellId": cell or code})
        self.client.shell_channel.send(request)
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
                continue
            content, kind = message["content"], message["msg_type"]
            if kind == "status" and content["execution_state"] == "idle":
                return Said("".join(texts), error, verdicts)
            if kind == "error":
                error = content["ename"]
                texts += content["traceback"]
            if kind == "stream":
                texts.append(content["text"])
            if kind in ("display_data", "update_display_data", "execute_result"):
                texts.append(content["data"].get("text/plain", "") + "\n")
                verdicts += [content["data"][MIME_TYPE]] if MIME_TYPE in content["data"] else []
            if interrupt_after and interrupt_after in "".join(texts):
                interrupt_after = ""
                self.manager.interrupt_kernel()

    def end(self) -> None:
        """Shut it down."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


HOLD = """
from course import outputs
chapter = outputs.Chapter(1, sources=())
print("held", flush=True)
input()
"""
"""What begins chapter 1, says so, and waits."""


@contextmanager
def another(code: str) -> Iterator[None]:
    """Let another process run code until it prints «held»; at the end it is killed."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-c", code], **pipes, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "held\n"
            yield
        finally:
            process.kill()
