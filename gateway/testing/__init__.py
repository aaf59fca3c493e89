"""The kit for whoever writes a dialect or a storage engine: suites of checks that theirs must pass, as ours do.

    subject("acme")                an installed dialect with its corpus
    dialect_checks(subject("acme"))
    engine_checks(empty)           where `empty` yields the URL of a new store
    Gate.of(dialect, [CorpusCredential("api_key", "acme_1")]).send(SentRequest("POST", "/api/acme/v1/events"))

All runs without pytest; gateway.pytest_plugin runs it with pytest.
"""

from gateway.testing.check import Check, Failure
from gateway.testing.corpus.accept import accept
from gateway.testing.corpus.case import Case, Corpus, CorpusCredential
from gateway.testing.corpus.message import Answer, SentRequest
from gateway.testing.dialect.suite import dialect_checks
from gateway.testing.engine.suite import engine_checks
from gateway.testing.engine.under_test import EngineUnderTest
from gateway.testing.gate import Gate
from gateway.testing.subject import Subject, subject

__all__ = [
    "Answer",
    "Case",
    "Check",
    "Corpus",
    "CorpusCredential",
    "EngineUnderTest",
    "Failure",
    "Gate",
    "SentRequest",
    "Subject",
    "accept",
    "dialect_checks",
    "engine_checks",
    "subject",
]
