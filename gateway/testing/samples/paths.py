"""The segments of a request's path, where some clients put a key. Pure."""

from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote

import attrs

from gateway.dialect import Refusal
from gateway.testing.corpus.message import SentRequest
from gateway.testing.samples.sample import Sample

OTHER = "another-segment-of-the-kit"


def other_paths(request: SentRequest, change: Callable[[str], str]) -> Iterator[str]:
    """Yield a request's path with one segment changed, for each segment that becomes another one."""
    segments = request.head.path.split("/")
    for index, segment in enumerate(segments):
        text = unquote(segment)
        changed = change(text)
        if segment and changed != text:
            yield "/".join((*segments[:index], quote(changed, safe=""), *segments[index + 1 :]))


def with_path(request: SentRequest, path: str) -> SentRequest:
    """Return a request to another path, with the query that it has."""
    _, mark, query = request.target.partition("?")
    return attrs.evolve(request, target=f"{path}{mark}{query}")


def shows_a_credential(sample: Sample) -> bool:
    """Return whether a sample's path has a credential in it: with another segment there, `parse` finds others."""
    for path in other_paths(sample.request, lambda _segment: OTHER):
        request = with_path(sample.request, path)
        if sample.is_reached_by(request):
            submission = sample.parse(request)
            if isinstance(submission, Refusal) or submission.credentials != sample.submission.credentials:
                return True
    return False
