"""One child process that is kept running: started, started again when it ends, stopped. It knows no jobs."""

import asyncio
import json
import logging
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress

from gateway.workers.job import Job, command, dump

MIN_RESTART_DELAY = 0.1  # seconds between an end and the next start, doubled each time
MAX_RESTART_DELAY = 5.0
HEALTHY_AFTER = 10.0  # seconds of running after which the next restart begins with the shortest delay again
STOP_TIMEOUT = 30.0  # seconds to end after SIGTERM: more than an HTTP worker gives its requests
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
        self.task = asyncio.get_running_loop().create_task(self._keep())

    async def stop(self) -> bool:
        """Send SIGTERM, and SIGKILL after STOP_TIMEOUT; return whether the process ended by itself."""
        self._stopping.set()
        self._terminate()
        done, _ = await asyncio.wait([self.task], timeout=STOP_TIMEOUT)
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
        self._failure = ""
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
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(dump(job))  # and kept open: its end tells the child that this process is gone
        async for line in process.stdout:
            self._on_report(line)
        code = await process.wait()
        ended = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"(process {process.pid}) {ended}"

    def _on_report(self, line: bytes) -> None:
        facts = json.loads(line)
        if "failed" in facts:
            self._failure = facts["failed"]
        elif not self.ready.done():
            self.ready.set_result(facts["ready"])

    def _terminate(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
