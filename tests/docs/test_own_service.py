"""`examples/own_service.py`: it runs as its first lines say."""

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.docs.expectations import EXAMPLES, PATIENCE


def test_a_service_of_ones_own_answers_beside_the_gateway(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, str(EXAMPLES / "own_service.py"), str(tmp_path / "data"), str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as service:
        try:
            give_up_at = time.monotonic() + PATIENCE
            while service.poll() is None and time.monotonic() < give_up_at:
                with contextlib.suppress(requests.ConnectionError):
                    assert requests.get(url, timeout=PATIENCE).text == "my own service\n"
                    break
                time.sleep(0.1)
            refused = requests.post(f"{url}/collect/track", json={"name": "hello"}, timeout=PATIENCE)
        finally:
            service.terminate()
        said = service.communicate(timeout=PATIENCE)[1]
    assert (refused.status_code, service.returncode) == (401, 0), said


def test_without_arguments_it_uses_the_directory_data(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    command = [sys.executable, str(EXAMPLES / "own_service.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1,
        "gateway.datadir.DataDirError: data is not a directory",
    )
