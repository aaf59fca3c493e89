"""One child process that is kept running: started, started again when it ends, stopped. It knows no jobs."""

import asyncio
import json
import logging
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from gateway.config import Config
from gateway.workers.control.job import Job, command, dump

MIN_RESTART_DELAY = 0.1  # seconds between an end and the next start, doubled each time
MAX_RESTART_DELAY = 5.0
HEALTHY_AFTER = 10.0  # seconds of running after which the next restart begins with the shortest delay again
STOP_TIMEOUT = 30.0  # seconds to end after SIGTERM: more than an HTTP worker gives its requests
RENEW_TIMEOUT = 30.0  # seconds to take another configuration
log = logging.getLogger(__name__)


class SupervisedProcess:
    """Keeps one process running until `stop`.

    `job` gives its Job, and keeps open what the process inherits until it is started. `ready` is done with what the
    process first reports. If it ends before that, `ready` is a ChildProcessError, or where the process is not `needed`,
    it is started again, as after any other end.
    """

    def __init__(self, name: str, job: Callable[[], AbstractContextManager[Job]], *, needed: bool = True) -> None:
        self.name = name
        self._needed = needed
        self.ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._job = job
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = asyncio.Event()
        self._failure = ""
        self._newest: Config | None = None
        self._is_serving = False
        self._renewed: asyncio.Future[None] | None = None
        self.task = asyncio.get_running_loop().create_task(self._keep())

    async def renew(self, config: Config) -> None:
        """Have the process take another configuration; one that cannot is replaced by one that starts with it."""
        self._newest = config
        process = self._process
        if process is None or process.returncode is not None or not _sent(process, config):
            return  # the next one's job has it
        if not self._is_serving:
            return  # it takes it as soon as it serves
        self._renewed = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait([self._renewed], timeout=RENEW_TIMEOUT)
        if not done:
            log.error("the %s (process %d) does not take the new configuration; killing it", self.name, process.pid)
            with suppress(ProcessLookupError):
                process.kill()
        self._renewed = None

    def hurry(self) -> None:
        """Send SIGTERM once more to a process that is stopping: it then waits for nothing that can be left out."""
        if self._stopping.is_set():
            self._terminate()

    async def stop(self, patience: float = 0.0) -> bool:
        """Send SIGTERM, and SIGKILL after STOP_TIMEOUT and `patience`; return whether the process ended by itself."""
        self._stopping.set()
        self._terminate()
        done, _ = await asyncio.wait([self.task], timeout=STOP_TIMEOUT + patience)
        process = self._process
        if not done and process is not None:
            log.error("the %s (process %d) did not end in %d s; killing it", self.name, process.pid, STOP_TIMEOUT)
            with suppress(ProcessLookupError):
                process.kill()
            await asyncio.wait([self.task])
        return bool(done)

    async def _keep(self) -> None:
        delay = MIN_RESTART_DELAY
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            began = loop.time()
            how = await self._run()
            if self._stopping.is_set():
                if self._process is not None and self._process.returncode not in (0, -signal.SIGTERM):
                    log.error("the %s %s while it was stopping", self.name, self._failure or how)
                return
            if self._needed and not self.ready.done():
                self.ready.set_exception(ChildProcessError(self._failure or f"the {self.name} {how} before it served"))
                return
            delay = MIN_RESTART_DELAY if loop.time() - began > HEALTHY_AFTER else delay
            log.error("the %s %s; starting another in %.1f s", self.name, self._failure or how, delay)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)
            delay = min(2 * delay, MAX_RESTART_DELAY)

    async def _run(self) -> str:
        """Run the process once; return how it ended: `(process 12) ended with exit code 1`."""
        self._failure, self._is_serving = "", False
        try:
            with self._job() as job:
                process = await asyncio.create_subprocess_exec(
                    *command(job),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    pass_fds=job.inherited,
                    # Ctrl-C in a terminal then reaches this process only, which ends the others in order.
                    start_new_session=True,
                )
        except OSError as error:
            return f"could not be started: {error}"
        self._process = process
        if self._stopping.is_set():
            self._terminate()
        assert process.stdout is not None
        _sent(process, job)  # its pipe is kept open: its end tells the child that this process is gone
        if self._newest is not None and self._newest is not job.config:  # it came while the process was started
            _sent(process, self._newest)
        async for line in process.stdout:
            self._on_report(line)
        code = await process.wait()
        self._is_renewed()
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"(process {process.pid}) {ended}"

    def _on_report(self, line: bytes) -> None:
        facts = json.loads(line)
        if "failed" in facts:
            self._failure = facts["failed"]
        elif "renewed" in facts:
            self._is_renewed()
        else:
            self._is_serving = True
            if not self.ready.done():
                self.ready.set_result(facts["ready"])

    def _is_renewed(self) -> None:
        if self._renewed is not None and not self._renewed.done():
            self._renewed.set_result(None)

    def _terminate(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()


def _sent(process: asyncio.subprocess.Process, what: Job | Config) -> bool:
    """Send a process something, and return whether its pipe was still open: one that is ending may close it before."""
    if process.stdin is None or process.stdin.is_closing():
        return False
    process.stdin.write(dump(what))
    return True
