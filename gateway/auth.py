"""Who may send: an immutable snapshot of the hashed credentials, and the rules that open a project. Memory only."""

import functools
import hashlib
from collections.abc import Iterable, Mapping

import attrs

from gateway.dialect import Credential, Kind, Submission
from gateway.outcome import Reason, Refusal
from gateway.record import record


@attrs.frozen
class Grant:
    """What is known of one credential; never its value. Times are milliseconds since the epoch.

    An empty `origins` lets any origin in. `expires_at` is the end of a rotated key's grace.
    """

    id: str
    project: str
    dialect: str
    kind: str
    scopes: frozenset[str]
    origins: tuple[str, ...] = ()
    revoked: bool = False
    expires_at: int | None = None

    def is_good(self, now: int) -> bool:
        """Return whether the credential still opens its project."""
        return not self.revoked and (self.expires_at is None or now < self.expires_at)


@record
class Principal:
    """Who a request turned out to be: its project, the credential that opened it, and the public site, if one did."""

    project: str
    credential_id: str
    site: str | None


def digest(salt: bytes, dialect: str, kind: str, value: str) -> bytes:
    """Return the hash under which a credential's value is kept; the salt is the key file's own."""
    state = _salted(salt, dialect, kind).copy()
    state.update(value.encode("utf-8", "surrogatepass"))
    return state.digest()


@functools.lru_cache(maxsize=256)
def _salted(salt: bytes, dialect: str, kind: str) -> "hashlib.blake2b":
    return hashlib.blake2b(f"{dialect}\0{kind}\0".encode(), digest_size=32, key=salt)


@record
class Door:
    """What a request stands before: the dialect's kinds of key, the scope its route needs, where and when it comes."""

    dialect: str
    kinds: Mapping[str, Kind]
    scope: str | None
    origin: str | None
    now: int


@attrs.frozen
class Keyring:
    """Every credential of every project by the hash of its value, as of one moment."""

    salt: bytes
    grants: Mapping[bytes, Grant]

    def find(self, dialect: str, kind: str, value: str) -> Grant | None:
        """Return what is known of a credential, revoked ones included."""
        return self.grants.get(digest(self.salt, dialect, kind, value))

    def resolve(self, submission: Submission, door: Door) -> Principal:
        """Return who sent a submission.

        The first credential that is known opens its project, and every further one, and every site that an item
        names, must belong to the same project. Raises Refusal.
        """
        opened: Grant | None = None
        site: str | None = None
        for credential in submission.credentials:
            grant = self._admit(credential, door)
            if grant is None:
                continue
            if opened is None:
                opened = grant
            elif grant.project != opened.project:
                raise Refusal(Reason.FOREIGN_SITE)
            if site is None and door.kinds[credential.kind].is_site:
                site = credential.value
        if opened is None:
            raise Refusal(Reason.NO_CREDENTIAL)
        named = {item.site for item in submission.items if item.site is not None and item.site != site}
        if named:
            self._check_sites(sorted(named), opened.project, door)
        return Principal(opened.project, opened.id, site)

    def _admit(self, credential: Credential, door: Door) -> Grant | None:
        kind = door.kinds[credential.kind]
        grant = self.find(door.dialect, kind.name, credential.value)
        if grant is None or not grant.is_good(door.now):
            if credential.optional:
                return None
            reason = Reason.UNKNOWN_CREDENTIAL if grant is None else Reason.REVOKED_CREDENTIAL
            raise Refusal(reason, detail={"kind": kind.name})
        if door.scope is not None and not kind.public and door.scope not in grant.scopes:
            raise Refusal(Reason.MISSING_SCOPE, detail={"required": door.scope, "current": sorted(grant.scopes)})
        if grant.origins:
            _check_origin(grant, kind, door)
        return grant

    def _check_sites(self, sites: Iterable[str], project: str, door: Door) -> None:
        kind = next(kind for kind in door.kinds.values() if kind.is_site)
        for site in sites:
            grant = self.find(door.dialect, kind.name, kind.canonical(site))
            if grant is None or not grant.is_good(door.now):
                raise Refusal(Reason.UNKNOWN_SITE)
            if grant.project != project:
                raise Refusal(Reason.FOREIGN_SITE)
            _check_origin(grant, kind, door)


def _check_origin(grant: Grant, kind: Kind, door: Door) -> None:
    if not admits(grant.origins, door.origin, kind.needs_origin):
        raise Refusal(Reason.ORIGIN, detail={"origin": door.origin, "kind": kind.name})


def admits(allowed: tuple[str, ...], origin: str | None, required: bool = False) -> bool:
    """Return whether a list of allowed hosts lets a page of this Origin in; scheme and port play no part.

    A host stands for itself, with or without `www.`, and its subdomains; `*.host` says the same; `*` is any origin;
    `localhost` and `localhost:*` are any port of it. No Origin at all passes unless one is required; `null` never does.
    """
    if not allowed or "*" in allowed:
        return True
    if origin is None:
        return not required
    host = _host(origin)
    for entry in allowed:
        name = entry.lower().removeprefix("*.").removesuffix(":*").removeprefix("www.")
        if host == name or host.endswith("." + name):
            return True
    return False


def _host(origin: str) -> str:
    authority = origin.lower().partition("://")[2].partition("/")[0]
    host = authority if authority.endswith("]") else authority.rpartition(":")[0] or authority
    return host.removeprefix("www.")
