"""Which credential of a corpus opens one of its requests."""

from gateway.testing import CorpusCredential, Subject
from gateway.testing.samples.sample import Sample
from gateway.testing.samples.shown import known_as


def opened_by(subject: Subject, sample: Sample) -> CorpusCredential | None:
    """Return the one credential that a sample shows, as its corpus has it; None if it shows several, or none."""
    shown = sample.submission.credentials
    return known_as(subject, shown[0]) if len(shown) == 1 else None
