"""What an operator can do about rejected requests: one sentence for each Reason, with the facts at hand. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.dialect.outcome import NO_FACTS, Reason
from gateway.dialect.value_class import value_class
from gateway.keys.origins import host_of
from gateway.printable import printable


@value_class
class Rejection:
    """What is known of rejected requests; None and no `detail` where that is not much.

    `detail` has the facts of the refusal, such as `{"limit": 10, "window": 60}`. `origin` and texts in the detail are
    the client's.
    """

    reason: str
    dialect: str
    project: str | None = None
    credential_id: str | None = None
    origin: str | None = None
    detail: Mapping[str, Any] = NO_FACTS

    @property
    def whose(self) -> str:
        """The key, as a sentence names it."""
        return "the key" if self.credential_id is None else f"the key {self.credential_id}"

    @property
    def makes_key(self) -> str:
        """The command that adds a key."""
        return f"`gateway keys add --project {self.project or 'PROJECT'} --dialect {self.dialect}`"


def advice(rejection: Rejection) -> str:
    """Return what to do about rejected requests, as one sentence. Commands in it stand in backquotes.

    What comes from a client is printable in it.

        advice(Rejection("origin_not_allowed", "databuddy", credential_id="key_3", origin="https://a.example"))
    """
    made = _BY_REASON.get(rejection.reason)
    return "Open one of the requests to see what was wrong with it." if made is None else printable(made(rejection))


def _not_found(_: Rejection) -> str:
    return (
        "No dialect answers this path: correct the URL in the client's settings; `gateway dialects routes` lists the "
        "paths that are answered."
    )


def _method(rejection: Rejection) -> str:
    allowed = rejection.detail.get("allowed")
    methods = f"only {allowed} are" if isinstance(allowed, str) else "other methods are"
    return f"On this path {methods} answered: correct the method or the URL that the client uses."


def _too_large(rejection: Rejection) -> str:
    for name, what in (("most_items", "items"), ("most_values", "values")):
        most = rejection.detail.get(name)
        if most is not None:
            return f"Let the client send smaller batches: a request may have {most} {what}, and no setting raises that."
    limit = rejection.detail.get("limit")
    beyond = "" if limit is None else f" above {limit}"
    return (
        f"Let the client send smaller batches, or raise body_limit_bytes{beyond} in [dialects.{rejection.dialect}] of "
        "the configuration."
    )


def _encoding(rejection: Rejection) -> str:
    sent = rejection.detail.get("encoding")
    said = "" if sent is None else f"; it sent {sent}"
    return f"Let the client compress its bodies with gzip or deflate, or not at all{said}."


def _timeout(_: Rejection) -> str:
    return (
        "The body did not arrive in time: look at the client's network, and at proxies that pass on a request before "
        "they have its body."
    )


def _no_credential(rejection: Rejection) -> str:
    return f"Put a key into the client's settings: {rejection.makes_key} makes one."


def _unknown_credential(rejection: Rejection) -> str:
    kind = rejection.detail.get("kind")
    its = f" --kind {kind}" if isinstance(kind, str) and kind.isidentifier() else ""
    command = rejection.makes_key.removesuffix("`")
    return (
        f"If the client is yours, add the key that it sends: {command}{its} --value-stdin` reads it; then replay the "
        "requests into the project."
    )


def _revoked_credential(rejection: Rejection) -> str:
    whose = "The key" if rejection.credential_id is None else f"The key {rejection.credential_id}"
    return (
        f"{whose} is revoked or has expired: give the client a new one, which {rejection.makes_key} makes; then replay "
        "the requests."
    )


def _missing_scope(rejection: Rejection) -> str:
    required, current = rejection.detail.get("required"), rejection.detail.get("current")
    known: Sequence[Any] = current if isinstance(current, list | tuple) else ()
    scopes = [each for each in (*known, required) if isinstance(each, str)]
    if not isinstance(required, str) or rejection.credential_id is None:
        return "Give the client a key that has the scope that the request needs, or add the scope to its key."
    options = " ".join(f"--scope {each}" for each in scopes)
    return (
        f"Give {rejection.whose} the scope {required}: `gateway keys update {rejection.credential_id} {options}` does, "
        "which names all that it has then."
    )


def _origin(rejection: Rejection) -> str:
    if rejection.origin is None:
        return (
            f"Pages of browsers name their origin, and this client did not: let it send an Origin that "
            f"{rejection.whose} allows, or use a secret key on servers."
        )
    try:
        host = host_of(rejection.origin)
    except ValueError:
        return (
            f"The origin {rejection.origin[:100]} names no host, as of a page from a file or in a sandbox: serve "
            "the page from a host that the key allows."
        )
    if rejection.credential_id is None:
        return f"If pages on {host} are yours, add that host to the origins of the key: `gateway keys list` shows them."
    return (
        f"If pages on {host} are yours, add that host to the origins of {rejection.whose}, on the page Keys or by "
        f"`gateway keys update {rejection.credential_id} --origin {host} --origin ...`. Name all its hosts: "
        "the command removes the others."
    )


def _unknown_site(rejection: Rejection) -> str:
    command = rejection.makes_key.removesuffix("`")
    return (
        f"Add the site or app id that the request names: {command} --value ID`; `gateway dialects list` shows the "
        "kinds of ids, which --kind takes; then replay the requests."
    )


def _foreign_site(_: Rejection) -> str:
    return "The request names keys or sites of different projects: give the client the key and the site id of one."


def _limited(rejection: Rejection) -> str:
    limit, window = rejection.detail.get("limit"), rejection.detail.get("window")
    said = "" if limit is None or window is None else f" of {limit} requests in {window} s"
    return (
        f"A key came to its limit{said}: raise requests in [limits.{rejection.dialect}] of the configuration, or let "
        "the client send larger batches."
    )


def _body(_: Rejection) -> str:
    return (
        "The body is not what this path takes: open one of the requests, see where it is wrong, and correct the client."
    )


def _invalid(_: Rejection) -> str:
    return (
        "Open one of the requests to see which field is wrong, and correct the client; what a newer dialect accepts "
        "can be replayed."
    )


def _idempotency_key(rejection: Rejection) -> str:
    limit = rejection.detail.get("limit", 255)
    return f"Let the client send an Idempotency-Key of printable ASCII, at most {limit} characters."


def _conflict(_: Rejection) -> str:
    return (
        "The client used one Idempotency-Key for different contents: let it make a new key for each request, and send "
        "the same one only when it tries again."
    )


def _unavailable(_: Rejection) -> str:
    return (
        "The store could not take anything at that time: see the server's log, and whether the disk is full; clients "
        "try again by themselves."
    )


def _internal(_: Rejection) -> str:
    return (
        "This is a bug of the gateway: the server's log has it with the id of the request; report it, and replay the "
        "requests once it is corrected."
    )


ADVICE: Mapping[Reason, Callable[[Rejection], str]] = {
    Reason.NOT_FOUND: _not_found,
    Reason.METHOD_NOT_ALLOWED: _method,
    Reason.TOO_LARGE: _too_large,
    Reason.ENCODING: _encoding,
    Reason.TIMEOUT: _timeout,
    Reason.NO_CREDENTIAL: _no_credential,
    Reason.UNKNOWN_CREDENTIAL: _unknown_credential,
    Reason.REVOKED_CREDENTIAL: _revoked_credential,
    Reason.MISSING_SCOPE: _missing_scope,
    Reason.ORIGIN: _origin,
    Reason.UNKNOWN_SITE: _unknown_site,
    Reason.FOREIGN_SITE: _foreign_site,
    Reason.LIMITED: _limited,
    Reason.BODY: _body,
    Reason.INVALID: _invalid,
    Reason.IDEMPOTENCY_KEY: _idempotency_key,
    Reason.CONFLICT: _conflict,
    Reason.UNAVAILABLE: _unavailable,
    Reason.INTERNAL: _internal,
}
"""What makes the sentence for each reason."""
_BY_REASON = {reason.value: made for reason, made in ADVICE.items()}
