"""What `cnnkit doctor` finds, on this machine and on ones that are broken."""

import importlib.metadata
import json
import sys
from collections.abc import Callable

import pytest

from cnnkit import doctor, runtime
from cnnkit.errors import DeviceError, MachineError


def test_this_machine_runs_models(run_cnnkit: Callable) -> None:
    result = run_cnnkit("doctor", "--json")
    found = json.loads(result.stdout)
    assert found["ok"]
    assert {"name": "CPUExecutionProvider", "opens": True, "detail": "a session opens on it and runs a model"} in found[
        "providers"
    ]
    assert found["cores"] == runtime.available_cores().count
    assert found["versions"]["numpy"] == importlib.metadata.version("numpy")


def test_for_people_it_prints_tables(run_cnnkit: Callable) -> None:
    result = run_cnnkit("doctor")
    assert result.stdout == ""
    assert "CPUExecutionProvider" in result.stderr
    assert "Nothing wrong was found." in result.stderr


def _pretend_installed(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.0" if name in names else real(name))


def test_two_onnxruntimes_are_a_problem_with_its_mend(monkeypatch: pytest.MonkeyPatch, run_cnnkit: Callable) -> None:
    _pretend_installed(monkeypatch, "onnxruntime", "onnxruntime-gpu")
    found = doctor.diagnose()
    assert not found
    (finding,) = found.findings
    assert finding.what == ("2 onnxruntime distributions write into the same folder: onnxruntime, onnxruntime-gpu")
    assert finding.mend == (
        f"{sys.executable} -m pip uninstall -y onnxruntime onnxruntime-gpu && "
        f"{sys.executable} -m pip install onnxruntime-gpu"
    )
    assert "mend: " in run_cnnkit("doctor", exit_code=1).stderr


def test_two_opencvs_are_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    _pretend_installed(monkeypatch, "opencv-python", "opencv-python-headless")
    assert "2 OpenCV distributions" in doctor.diagnose().findings[0].what


def test_a_provider_that_is_there_and_does_not_open_is_told_from_one_that_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise DeviceError("libcudnn.so.9 is missing")

    monkeypatch.setattr(runtime, "open_session", refuse)
    found = doctor.diagnose()
    assert all(not check.opens and check.detail == "libcudnn.so.9 is missing" for check in found.providers)
    assert found.findings[-1].what == "no provider opens a session"


def test_without_onnxruntime_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise MachineError("onnxruntime cannot be imported")

    monkeypatch.setattr(runtime, "import_onnxruntime", missing)
    found = doctor.diagnose()
    assert found.providers == []
    assert 'install "cnnkit[cpu]"' in found.findings[-1].mend


def test_a_resize_that_is_not_compiled_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    from cnnkit import images

    monkeypatch.setattr(images, "has_compiled_resize", lambda: False)
    found = doctor.diagnose()
    assert found, "a slower way keeps nothing from working"
    assert "the same pixels, several times slower" in found.findings[0].what
    assert "gcc" in found.findings[0].mend
