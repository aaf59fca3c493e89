"""Requests to generate events from: those that come with the gateway, else the examples of a dialect's own document."""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

import attrs

from gateway.dialect import Request
from gateway.ingest.registry import Installed

FOLDER = "samples"


@attrs.frozen
class Sample:
    """A request that a dialect accepts, without a secret: the name of its route, and its parts. `body` is JSON."""

    route: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    client_ip: str | None
    body: Any

    def request(self, installed: Installed) -> Request:
        """Return it as the route's `parse` gets it."""
        route = installed.route(self.route)
        assert route is not None, "samples are of routes that exist"
        path = (*route.paths, *route.mount_only_paths)[0]
        body = b"" if self.body is None else json.dumps(self.body).encode()
        return Request(route.method, path, self.query, self.headers, body, 0, self.client_ip)


def samples_of(installed: Installed) -> tuple[Sample, ...]:
    """Return the samples of a dialect."""
    file = resources.files(__package__).joinpath(FOLDER, f"{installed.dialect.name}.json")
    if file.is_file():
        return tuple(Sample(**each) for each in json.loads(file.read_text("utf-8")))
    return tuple(_examples(installed))


def _examples(installed: Installed) -> list[Sample]:
    found = []
    for route in installed.routes:
        examples = {} if route.description is None else route.description.examples
        for example in examples.values():
            if route.method == "GET" and isinstance(example, Mapping):
                found.append(Sample(route.name, {key: str(each) for key, each in example.items()}, {}, None, None))
            else:
                found.append(Sample(route.name, {}, {}, None, example))
    return found
