"""A student's folder in scratch, JupyterLab serving it, and a browser without a screen in front of it.

Settings: ``LABCOURSE_BROWSER=required`` lets a missing browser fail instead of skip; screenshots go to
``LABCOURSE_ARTEFACTS`` (default: ``tests/browser/artefacts``).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, Locator, expect, sync_playwright

from labcourse import settings
from workshop.authoring import build, source

PATIENCE = 400
"""Seconds until a wait fails: for machines with other things to do. No wait is a part of the time of a run."""
ARTEFACTS = Path(os.environ.get("LABCOURSE_ARTEFACTS", Path(__file__).parent / "artefacts"))
RULES = (
    "heading-order empty-heading image-alt svg-img-alt link-name link-in-text-block list listitem "
    "td-headers-attr th-has-data-cells scope-attr-valid table-duplicate-name aria-valid-attr-value aria-allowed-role"
)
"""What an author can break in a text, a table, a picture or a figure, besides contrast; the rest is the theme's."""
SHORT = """
import functools
from labcourse import compiled, training


def few(fit):
    return functools.wraps(fit)(lambda *data, epochs=1, **more: fit(*data, epochs=min(epochs, 2), **more))


compiled.XLA, training.fit = False, few(training.fit)
"""
"""What IPython runs before the first cell: trainings are short."""
# What JupyterLab itself says on the console, and why it is none of our business.
NOISE = {
    "Could not restore the debugger state: Canceled future": "its debugger, when a kernel is shut down",
    "Error: widget model not found": "a widget whose kernel is gone: the picture below stands in for it",
}


class Server(NamedTuple):
    home: Path
    url: str
    token: str
    environment: dict[str, str]

    def labcourse(self, *arguments: str) -> str:
        """Run the command line as the student would, and return what it prints."""
        command = [sys.executable, "-m", "workshop.cli", *arguments]
        done = subprocess.run(
            command, cwd=self.home, env=self.environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def chromium() -> str:
    """The browser's command."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        missing = f"no browser is installed (looked for {', '.join(names)})"
        if os.environ.get("LABCOURSE_BROWSER") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a student has, with notebooks built from the present sources."""
    folder = tmp_path_factory.mktemp("student")
    here = settings.home()
    for part in ("labcourse", "course", "azh"):
        shutil.copytree(here / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("data", "notebooks"):
        (folder / part).mkdir()
    for path in (here / "data").iterdir():
        if path.suffix in (".root", ".json") and path.name != "settings.json":
            shutil.copy(path, folder / "data")
    for text in source.read_all(folder):
        (folder / "notebooks" / f"{text.name}.ipynb").write_text(build.text(build.student_notebook(text)), "utf-8")
    return folder


@pytest.fixture(scope="module")
def server(chromium: str, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab on a free port, which knows nothing of the user's settings and asks nobody on the network."""
    own = tmp_path_factory.mktemp("jupyter")
    folders = {name: own / name for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    for folder in folders.values():
        folder.mkdir()
    labconfig = folders["JUPYTER_CONFIG_DIR"] / "labconfig"
    labconfig.mkdir()
    startup = folders["HOME"] / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "short.py").write_text(SHORT)
    news = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (labconfig / "page_config.json").write_text(json.dumps(news))
    # What tests and developers set is not set on a student's machine.
    foreign = ("LABCOURSE_", "JUPYTER", "IPYTHON", "MPL", "TF_", "KERAS_", "PYTEST_")
    outer = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    environment = outer | {name: str(folder) for name, folder in folders.items()}
    environment |= {"PYTHONPATH": str(home), "JUPYTER_PLATFORM_DIRS": "1"}
    options = ["--no-browser", "--ip=127.0.0.1", "--port=0", "--expose-app-in-browser", f"--ServerApp.root_dir={home}"]
    options += ["--LabApp.extension_manager=readonly", *(["--allow-root"] if _is_root() else [])]
    log = own / "server.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            cwd=home,
            env=environment,
            stdout=stream,
            stderr=stream,
            start_new_session=True,  # Ctrl-C is for the tests; they end the server
        )
    try:
        info = _wait_for_server(process, folders["JUPYTER_RUNTIME_DIR"], log)
        yield Server(home, info["url"], info["token"], environment)
    finally:
        _stop(process)


def _is_root() -> bool:
    return hasattr(os, "getuid") and os.getuid() == 0


def _wait_for_server(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> dict[str, str]:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            try:
                info: dict[str, str] = json.loads(path.read_text())
                with urllib.request.urlopen(f"{info['url']}api?token={info['token']}", timeout=10):
                    return info
            except (ValueError, OSError):  # half written, or not listening yet
                pass
        time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server, which ends its kernels; a kernel whose server was killed ends itself."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """The browser, which finds nothing but this machine."""
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    options += ["--disable-background-networking", "--disable-component-update"]
    options += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=chromium, headless=True, args=options)
        yield found
        found.close()


class Lab:
    """One tab of the browser, with JupyterLab in it; what a student does by mouse and keyboard.

    What the notebook holds is asked of JupyterLab itself, by its own model, so that waits are for what matters.
    """

    def __init__(self, browser: Browser, server: Server, name: str) -> None:
        self.server, self.name = server, name
        self.console: list[str] = []
        self.problems: list[str] = []
        self.page = browser.new_page(viewport={"width": 1280, "height": 900})
        self.page.set_default_timeout(PATIENCE * 1000)
        self.page.on("console", lambda message: self._note(message.type, message.text, message.location))
        self.page.on("pageerror", lambda error: self._note("error", f"uncaught: {error}"))
        self.page.on("request", self._note_request)

    def _note(self, kind: str, text: str, where: Any = "") -> None:
        line = f"{kind}: {text} {where or ''}".strip()
        if kind != "debug":
            self.console.append(line)
        if kind == "error" and not any(re.search(pattern, line) for pattern in NOISE):
            self.problems.append(line)

    def _note_request(self, request: Any) -> None:
        if not request.url.startswith((self.server.url, self.server.url.replace("http", "ws"), "data:", "blob:")):
            self.problems.append(f"asks for {request.url}")

    def screenshot(self, name: str) -> Path:
        """Keep a picture of the window."""
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        path = ARTEFACTS / f"{self.name}-{name}.png"
        self.page.screenshot(path=path, timeout=60_000)
        return path

    def open(self, notebook: str) -> None:
        """Open a notebook as by its address, and wait for its kernel."""
        self.page.goto(f"{self.server.url}lab/tree/notebooks/{notebook}.ipynb?token={self.server.token}&reset")
        self.wait_for_kernel()

    def wait_for_kernel(self) -> None:
        """Wait until the notebook is there, and its kernel is idle."""
        self.wait(
            "window.jupyterapp?.shell.currentWidget?.content?.widgets?.length > 0 "
            "&& jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status == 'idle'"
        )

    def wait(self, expression: str, argument: Any = None) -> None:
        """Wait until a JavaScript expression (of ``x``, the argument) is true."""
        self.page.wait_for_function(f"x => {expression}", arg=argument, polling=100)

    def menu(self, *path: str) -> None:
        """Choose from the menu bar: the menu, and its entry as it begins."""
        self.page.get_by_role("menuitem", name=path[0], exact=True).click()
        self.page.locator(".lm-Menu-item", has_text=re.compile(f"^{re.escape(path[1])}")).first.click()

    def theme(self, name: str) -> None:
        """Choose a theme, as by *Settings → Theme*, and wait until it is there."""
        self.page.evaluate("name => jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
        self.wait("document.body.dataset.jpThemeName == x", name)

    def run_all(self) -> None:
        """Run all cells by the menu."""
        self.menu("Run", "Run All Cells")
        self.wait_until_run()

    def wait_until_run(self) -> None:
        """Wait until all code cells have been run."""
        self.wait(
            "jupyterapp.shell.currentWidget.content.widgets.every(c => c.model.type != 'code' || "
            "!c.model.sharedModel.source.trim() || c.model.executionCount && c.model.executionState == 'idle')"
        )

    def cells(self) -> list[dict[str, Any]]:
        """Return the notebook's cells, with outputs, as they are in the browser."""
        found: list[dict[str, Any]] = self.page.evaluate(
            "jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON().cells"
        )
        return found

    def find(self, tag: str) -> int:
        """Return the number of the cell with a tag."""
        (number,) = (i for i, cell in enumerate(self.cells()) if tag in cell["metadata"].get("tags", []))
        return number

    def cell(self, number: int) -> Locator:
        """Bring a cell into view."""
        cell = self.page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{number}"]')
        cell.scroll_into_view_if_needed()
        return cell

    def shows(self, number: int, *texts: str) -> None:
        """Wait until a cell shows texts below its code, in sight."""
        for text in texts:
            area = self.cell(number).locator(".jp-OutputArea").first
            expect(area).to_contain_text(text, use_inner_text=True, timeout=PATIENCE * 1000)

    def shows_parts(self, number: int, *parts: str) -> None:
        """Wait until exactly these outputs of a cell are in sight: each its MIME type, or ``widget``.

        A widget is in sight as «Loading widget…» until JupyterLab knows whether its kernel still has it.
        """
        outputs = (
            self.cell(number)
            .locator(".jp-OutputArea")
            .first.locator("> .jp-OutputArea-child:visible > .jp-OutputArea-output")
        )
        deadline, found = time.monotonic() + 60, None
        while found != list(parts) and time.monotonic() < deadline:
            self.page.wait_for_timeout(100)
            found = outputs.evaluate_all("parts => parts.map(part => part.dataset.mimeType || 'widget')")
        assert found == list(parts)

    def run(self, number: int, *, wait: bool = True) -> None:
        """Click into a cell and press Ctrl and Enter."""
        before = self.cells()[number]["execution_count"]
        self.cell(number).locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Control+Enter")
        if wait:
            self.wait(
                "(c => c.executionCount && c.executionCount != x[1] && c.executionState == 'idle')"
                "(jupyterapp.shell.currentWidget.content.widgets[x[0]].model)",
                [number, before],
            )

    def replace_line(self, number: int, old: str, new: str) -> None:
        """Click into a line of a cell's editor and type another one."""
        line = self.cell(number).locator(".cm-line", has_text=re.compile(f"^ *{re.escape(old)}$"))
        line.click()
        self.page.keyboard.press("End")
        self.page.keyboard.press("Shift+Home")
        self.page.keyboard.type(new)

    def save(self) -> None:
        """Save the notebook with the keyboard."""
        self.page.keyboard.press("Control+s")
        self.wait("!jupyterapp.shell.currentWidget.context.model.dirty")

    def errors(self) -> list[str]:
        """Return the outputs that are errors or went to standard error, and what the console said."""
        wrong = [
            f"cell {i}: {output.get('ename') or output['name']}: {output.get('evalue') or output['text']}"
            for i, cell in enumerate(self.cells())
            for output in cell.get("outputs", ())
            if output["output_type"] == "error" or output.get("name") == "stderr"
        ]
        return wrong + self.problems


@pytest.fixture
def lab(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """JupyterLab in a fresh tab; pytest shows of a failed test what the browser's console said last."""
    lab = Lab(browser, server, request.node.name.removeprefix("test_"))
    yield lab
    print("last lines of the console", *lab.console[-15:], sep="\n")
    lab.screenshot("at-the-end")
    lab.page.close()
