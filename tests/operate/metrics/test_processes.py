"""What the system knows of the gateway's processes, each under its name."""

import os

from gateway.operate.metrics.processes import process_metrics, python_info

NAMES = {
    *("process_virtual_memory_bytes", "process_resident_memory_bytes", "process_start_time_seconds"),
    *("process_cpu_seconds_total", "process_open_fds", "process_max_fds"),
}


def test_each_process_is_told_under_its_name_and_one_that_is_gone_is_not() -> None:
    found = [
        (sample.name, sample.labels["process"], sample.value)
        for family in process_metrics({"gateway": 0, "writer": os.getpid(), "gone": 2**22 + 1})
        for sample in family.samples
    ]
    assert {(name, process) for name, process, _ in found} == {
        (name, process) for name in NAMES for process in ("gateway", "writer")
    }
    assert all(value > 0 for _, _, value in found)
    limits = {process: value for name, process, value in found if name == "process_max_fds"}
    assert limits["gateway"] == limits["writer"]


def test_the_version_of_python_is_told_once() -> None:
    assert [sample.name for family in python_info() for sample in family.samples] == ["python_info"]
