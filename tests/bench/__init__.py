"""The benchmark: `python -m tests.bench` measures the gateway beside a bare aiohttp handler, in one run."""
