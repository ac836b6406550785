"""The files around the package agree with each other and give nothing away."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import labcourse
from labcourse import settings
from workshop.authoring import doctor

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HOME = settings.home()
PYTHONS = [f"3.{minor}" for minor in range(doctor.PYTHON[0][1], doctor.PYTHON[1][1] + 1)]
PLATFORMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "mac": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
}
ENVIRONMENTS = [
    {"python_version": python, "python_full_version": f"{python}.5", "extra": "", **platform}
    for python in PYTHONS
    for platform in PLATFORMS.values()
]


class Locked(NamedTuple):
    requirement: Requirement
    hashes: list[str]

    def holds(self, environment: dict[str, str]) -> bool:
        return self.requirement.marker is None or self.requirement.marker.evaluate(environment)

    @property
    def version(self) -> str:
        return next(iter(self.requirement.specifier)).version


def lock(name: str) -> dict[str, list[Locked]]:
    """Read a lock: package -> its entries, one a marker."""
    entries: dict[str, list[Locked]] = {}
    for block in re.split(r"\n(?=\S)", (HOME / name).read_text("utf-8").rstrip()):
        head, *hashes = (line.strip() for line in block.replace("\\\n", "\n").split("\n"))
        requirement = Requirement(head)
        entries.setdefault(requirement.name, []).append(Locked(requirement, hashes))
    return entries


def project() -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((HOME / "pyproject.toml").read_text("utf-8"))
    return content


def wanted(name: str) -> list[Requirement]:
    """Return what pyproject.toml wants of a lock."""
    content = project()
    if name in ("requirements-nbgrader.lock", "requirements-site.lock"):
        texts = content["dependency-groups"][name.removeprefix("requirements-").removesuffix(".lock")]
    else:
        texts = list(content["project"]["dependencies"])
    if name == "requirements-dev.lock":
        texts += [text for extra in content["project"]["optional-dependencies"].values() for text in extra]
        texts += content["dependency-groups"]["dev"]
    return [Requirement(text) for text in texts]


LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-nbgrader.lock", "requirements-site.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_locks_hold_what_pyproject_asks_for_on_every_python_and_platform(name: str) -> None:
    entries = lock(name)
    problems = []
    for environment in ENVIRONMENTS:
        for requirement in wanted(name):
            if requirement.marker and not requirement.marker.evaluate(environment):
                continue
            found = [e.version for e in entries.get(requirement.name.lower(), []) if e.holds(environment)]
            if len(found) != 1 or not requirement.specifier.contains(found[0]):
                where = f"{environment['python_version']}, {environment['sys_platform']}"
                problems.append(f"{requirement}: {found or 'nothing'} locked for Python {where}")
    assert not problems


@pytest.mark.parametrize(("first", "second"), [LOCKS[:2], LOCKS[1::2]])
def test_a_lock_changes_no_package_of_another(first: str, second: str) -> None:
    """A package may hold in more places there (a tool wants it too), never in another version."""
    ours, theirs = lock(first), lock(second)
    for environment in ENVIRONMENTS:
        for package in ours.keys() & theirs.keys():
            of_us, of_them = ({e.version for e in of[package] if e.holds(environment)} for of in (ours, theirs))
            assert not of_us or not of_them or of_us == of_them, package
    assert second != "requirements-dev.lock" or ours.keys() < theirs.keys()


def test_students_install_no_tools_of_tests_and_simulation() -> None:
    assert not lock("requirements.lock").keys() & {"pytest", "nbval", "vector", "pythia8mc", "sphinx", "playwright"}


def test_the_versions_of_python_agree() -> None:
    """TensorFlow decides the newest; `docs/design.md` says what to do on the day after the next one comes out."""
    allowed = SpecifierSet(project()["project"]["requires-python"])
    oldest, newest = doctor.PYTHON
    assert all(f"{python}.5" in allowed for python in PYTHONS)
    assert f"3.{oldest[1] - 1}.9" not in allowed
    assert f"3.{newest[1] + 1}.0" not in allowed
    setup = (HOME / "test_setup.ipynb").read_text("utf-8")
    assert f"({oldest[0]}, {oldest[1]}) <= tuple(sys.version_info[:2]) <= ({newest[0]}, {newest[1]})" in setup
    assert f"{', '.join(PYTHONS[:-1])} or {PYTHONS[-1]}" in (HOME / "README.md").read_text("utf-8")
    assert f"newest Python is {PYTHONS[-1]}" in (HOME / "docs" / "design.md").read_text("utf-8")
    makefile = (HOME / "Makefile").read_text("utf-8")
    assert f"<= {newest}" in makefile
    assert set(re.findall(r"\bpython(3\.\d+)", makefile)) <= {*PYTHONS}


@pytest.mark.parametrize("name", ["environment.yml", "environment_mac_m1.yml"])
def test_conda_gives_the_interpreter_and_pip_the_locked_packages(name: str) -> None:
    text = (HOME / name).read_text("utf-8")
    content = yaml.safe_load(text)
    assert content["name"] == doctor.CONDA_NAME
    python, *rest = content["dependencies"]
    assert python.removeprefix("python=") in PYTHONS
    assert rest == ["pip", {"pip": ["--require-hashes", "-r requirements.lock"]}]
    assert f"conda env create -n {content['name']} --file {name}" in text


def test_tensorflow_is_locked_for_the_chips_of_apple() -> None:
    (entry,) = lock("requirements.lock")["tensorflow"]
    assert entry.requirement.marker is None  # no platform is left out
    assert len(entry.hashes) >= 4 * len(PYTHONS)  # Linux on two processors, Windows, macOS on arm64


# What is committed.


def committed() -> list[Path]:
    run = subprocess.run(["git", "ls-files", "-z"], cwd=HOME, capture_output=True, text=True, check=False)
    files = [HOME / name for name in run.stdout.split("\0") if name]
    if not files:
        pytest.skip("not a git checkout")
    return [path for path in files if path.is_file()]


def test_no_path_of_a_machine_and_no_address_of_a_package_index() -> None:
    # The folder of this very checkout is a path of a machine too, unless it is too short to tell.
    here = re.escape(str(HOME).encode()) if len(HOME.parts) > 2 else b"(?!)"
    private = re.compile(
        rb"/(home|Users)/[a-z]\w+/|/root/[\w.]|C:\\\\?Users\\|/tmp/(ipykernel|pytest|tmp)\w*|" + here + rb"(?![\w-])"
    )
    index = re.compile(rb"(https?|file)://[^\s\"'<>]*(pypi|pythonhosted|simple/|anaconda\.org|devpi|artifactory)")
    found = []
    for path in committed():
        if path == Path(__file__):
            continue
        content = path.read_bytes()
        for kind, pattern in (("path", private), ("index", index)):
            match = pattern.search(content)
            if match:
                line = content.count(b"\n", 0, match.start()) + 1
                found.append(f"{path.relative_to(HOME)}:{line}: {kind} {match[0].decode(errors='replace')}")
    assert not found


def test_files_are_small() -> None:
    sizes = {path.relative_to(HOME): path.stat().st_size for path in committed()}
    # Solutions hold their figures.
    most = {"data": 15_000_000, "solutions": 3_000_000}
    assert not {str(path): size for path, size in sizes.items() if size > most.get(path.parts[0], 1_000_000)}
    for folder, all_of_it in (("azh", 15_000_000), ("2025", 4_000_000), ("", 15_000_000)):
        inside = [path for path in sizes if path.match(f"data/{folder}/*" if folder else "data/*")]
        assert sum(sizes[path] for path in inside) <= all_of_it, folder


# Licences and citation.


def test_citation_is_complete_and_versions_agree() -> None:
    citation = yaml.safe_load((HOME / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert citation["license"] == ["MIT", "CC-BY-4.0"]
    assert all("name" in author or "family-names" in author for author in citation["authors"])
    version = project()["project"]["version"]
    assert citation["version"] == version == labcourse.__version__
    assert f"\n## {version} " in (HOME / "CHANGELOG.md").read_text("utf-8")
