"""An immutable snapshot of the hashed credentials, and the rules by which they open a project. In memory only."""

import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping

import attrs

from gateway.dialect import MAX_CREDENTIAL, MAX_CREDENTIALS, Credential, CredentialKind, Submission
from gateway.dialect.outcome import Reason, Refusal
from gateway.dialect.value_class import value_class
from gateway.keys.by_origin import OriginIndex
from gateway.keys.origins import origin_allowed

MAX_ITEMS_ASKED = 20
"""How many items of a rejected request are searched for a known site; a stranger may send thousands."""


@attrs.frozen
class Grant:
    """What a credential allows; its value is not in it. Times are milliseconds since the epoch.

    With empty `origins` every origin is allowed. It ends at `expires_at`, if it has an end: for one that was `rotated`,
    it is the end of its grace. `shown` is what may be shown of the value: a public id's is the whole of it.
    """

    id: str
    project: str
    dialect: str
    kind: str
    scopes: frozenset[str]
    origins: tuple[str, ...] = ()
    revoked: bool = False
    expires_at: int | None = None
    shown: str | None = attrs.field(default=None, eq=False, repr=False)
    rotated: bool = False

    def is_good(self, now: int) -> bool:
        """Return whether the credential still opens its project; `now` is in milliseconds."""
        return not self.revoked and (self.expires_at is None or now < self.expires_at)


@value_class
class Principal:
    """Who sent a request: the project, the id of the credential that opened it, and the site id, if one was sent.

    `authenticated` says that one of the credentials is a secret: a public id can be sent by anybody.
    """

    project: str
    credential_id: str
    site: str | None
    refused_sites: frozenset[str] = frozenset()
    authenticated: bool = False


def digest(salt: bytes, dialect: str, kind: str, value: str) -> bytes:
    """Return the hash (32 bytes) under which a credential's value is stored; each key file has its own random salt."""
    state = _salted(salt, dialect, kind).copy()
    state.update(value.encode("utf-8", "surrogatepass"))
    return state.digest()


@functools.lru_cache(maxsize=256)
def _salted(salt: bytes, dialect: str, kind: str) -> "hashlib.blake2b":
    return hashlib.blake2b(f"{dialect}\0{kind}\0".encode(), digest_size=32, key=salt)


@value_class
class AccessRequest:
    """What a route requires of a credential, and the request's Origin and time (milliseconds since the epoch).

    `kinds` are the dialect's credential kinds by name. `scope` is None if the route requires none, `origin` None if
    the request has no Origin header. With `item_sites`, a bad site of an item does not refuse the request.
    """

    dialect: str
    kinds: Mapping[str, CredentialKind]
    scope: str | None
    origin: str | None
    now: int
    item_sites: bool = False


@attrs.frozen
class Keyring:
    """Every credential of every project, by the hash of its value (see `digest`), as of one moment."""

    salt: bytes
    grants: Mapping[bytes, Grant]
    _by_origin: dict[tuple[str, str], OriginIndex] = attrs.field(factory=dict, init=False, eq=False, repr=False)

    def find(self, dialect: str, kind: str, value: str) -> Grant | None:
        """Return what a value allows, revoked ones included; None for an unknown value.

        What is longer than any credential is unknown without another look: it may be a whole body.
        """
        if len(value) > MAX_CREDENTIAL:
            return None
        return self.grants.get(digest(self.salt, dialect, kind, value))

    def resolve_origin(self, access: AccessRequest) -> Principal | None:
        """Return who sends a request that shows no credential, if exactly one good site admits its Origin.

        A site that was rotated gives way to the others of its project: its successor has the same origins.
        """
        kind = next(kind for kind in access.kinds.values() if kind.is_site)
        found: Grant | None = None
        rotated: list[Grant] = []
        for grant in self._sites(access.dialect, kind.name).admitting(access.origin or "null"):
            assert isinstance(grant, Grant), "made by _sites"
            if not grant.is_good(access.now):
                continue
            if grant.rotated:
                rotated.append(grant)
            elif found is None:
                found = grant
            else:
                return None
        if found is None and len(rotated) == 1:
            [found] = rotated
        if found is None or any(each.project != found.project for each in rotated):
            return None
        site = found.shown
        if site is not None and self.find(access.dialect, kind.name, site) is not found:
            site = None  # what is shown is not the whole value
        return Principal(project=found.project, credential_id=found.id, site=site)

    def _sites(self, dialect: str, kind: str) -> OriginIndex:
        """Return the index of a dialect's sites; it is made once for each snapshot."""
        index = self._by_origin.get((dialect, kind))
        if index is None:
            sites = [each for each in self.grants.values() if each.dialect == dialect and each.kind == kind]
            index = OriginIndex.of([site for site in sites if not site.revoked])
            self._by_origin[dialect, kind] = index
        return index

    def resolve(self, submission: Submission, access: AccessRequest) -> Principal:
        """Return who sent a submission.

        The first known credential opens its project. All others, and every site that an item names, must belong to the
        same project. More than MAX_CREDENTIALS are as good as an unknown one. Raises Refusal, which names the project
        of the first credential that is known at all, be it revoked, expired or sent from a wrong origin.
        """
        shown = submission.credentials
        if len(shown) > MAX_CREDENTIALS:
            raise Refusal(Reason.UNKNOWN_CREDENTIAL, detail={"kind": shown[0].kind})
        try:
            return self._opened(submission, access)
        except Refusal as refusal:
            booked = self._booked(refusal, submission, access)
            if booked is refusal:  # it would become its own cause: a reference cycle
                raise
            raise booked from refusal

    def _opened(self, submission: Submission, access: AccessRequest) -> Principal:
        opened: Grant | None = None
        site: str | None = None
        authenticated = False
        for credential in submission.credentials:
            grant = self._admit(credential, access)
            if grant is None:
                continue
            if opened is None:
                opened = grant
            elif grant.project != opened.project:
                raise Refusal(Reason.FOREIGN_SITE)
            kind = access.kinds[credential.kind]
            authenticated = authenticated or not kind.public
            if site is None and kind.is_site:
                site = credential.value
        if opened is None:
            raise Refusal(Reason.NO_CREDENTIAL)
        named = {item.site for item in submission.items if item.site is not None and item.site != site}
        refused = self._refused_sites(sorted(named), opened.project, access) if named else frozenset()
        return Principal(
            project=opened.project,
            credential_id=opened.id,
            site=site,
            refused_sites=refused,
            authenticated=authenticated,
        )

    def _booked(self, refusal: Refusal, submission: Submission, access: AccessRequest) -> Refusal:
        """Return a refusal that says whose request it was, if a credential or a site in it is known."""
        first: Grant | None = None
        site: str | None = None
        authenticated = False
        for kind, value in _named(submission, access):
            grant = self.find(access.dialect, kind.name, value)
            if grant is None or (first is not None and grant.project != first.project):
                continue
            first = first or grant
            authenticated = authenticated or (not kind.public and grant.is_good(access.now))
            if site is None and kind.is_site:
                site = value
        if first is None:
            return refusal
        return attrs.evolve(
            refusal, project=first.project, credential_id=first.id, site=site, authenticated=authenticated
        )

    def _admit(self, credential: Credential, access: AccessRequest) -> Grant | None:
        kind = access.kinds[credential.kind]
        grant = self.find(access.dialect, kind.name, credential.value)
        if grant is None or not grant.is_good(access.now):
            if credential.optional:
                return None
            reason = Reason.UNKNOWN_CREDENTIAL if grant is None else Reason.REVOKED_CREDENTIAL
            raise Refusal(reason, detail={"kind": kind.name})
        if access.scope is not None and not kind.public and access.scope not in grant.scopes:
            raise Refusal(Reason.MISSING_SCOPE, detail={"required": access.scope, "current": sorted(grant.scopes)})
        if grant.origins:
            _check_origin(grant, kind, access)
        return grant

    def _refused_sites(self, sites: Iterable[str], project: str, access: AccessRequest) -> frozenset[str]:
        """Return which of the sites that items name are not the project's. Raises Refusal for the first of them, unless
        the route rejects items one by one.
        """
        kind = next(kind for kind in access.kinds.values() if kind.is_site)
        refused = set()
        for site in sites:
            try:
                self._check_site(kind, site, project, access)
            except Refusal:
                if not access.item_sites:
                    raise
                refused.add(site)
        return frozenset(refused)

    def _check_site(self, kind: CredentialKind, site: str, project: str, access: AccessRequest) -> None:
        grant = self.find(access.dialect, kind.name, _normalized(kind, site))
        if grant is None or not grant.is_good(access.now):
            raise Refusal(Reason.UNKNOWN_SITE)
        if grant.project != project:
            raise Refusal(Reason.FOREIGN_SITE)
        _check_origin(grant, kind, access)


def _named(submission: Submission, access: AccessRequest) -> Iterator[tuple[CredentialKind, str]]:
    """Yield the credentials of a submission by kind and value, then the sites of its first items."""
    for credential in submission.credentials:
        yield access.kinds[credential.kind], credential.value
    site = next((kind for kind in access.kinds.values() if kind.is_site), None)
    if site is not None:
        for item in submission.items[:MAX_ITEMS_ASKED]:
            if item.site is not None:
                yield site, _normalized(site, item.site)


def _normalized(kind: CredentialKind, value: str) -> str:
    return kind.normalize(value) if len(value) <= MAX_CREDENTIAL else value


def _check_origin(grant: Grant, kind: CredentialKind, access: AccessRequest) -> None:
    if not origin_allowed(grant.origins, access.origin, kind.needs_origin):
        raise Refusal(Reason.ORIGIN, detail={"origin": access.origin, "kind": kind.name})
