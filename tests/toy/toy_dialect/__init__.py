"""A fifth dialect in one file: `POST /toy-api/v0/ping` with a key in the `x-toy-key` header."""

import json

from gateway.dialect import (
    Accepted,
    Credential,
    CredentialKind,
    Dialect,
    Event,
    Item,
    Received,
    Refusal,
    Request,
    Response,
    Route,
    Submission,
    Undecodable,
    decode,
)


def parse(request: Request) -> Submission:
    key = request.headers.get("x-toy-key")
    credentials = () if key is None else (Credential("api_key", key),)
    try:
        payload = decode(request.body)
    except Undecodable as problem:
        return Submission(credentials, fault=problem.fault)
    return Submission(credentials, (Item("ping", "ping", payload),))


def translate(item: Item, message_id: str, arrival: Received) -> Event:
    payload = item.payload
    assert isinstance(payload, dict), "the schema lets only objects through"
    return Event(
        project=arrival.project,
        dialect="toy",
        type="track",
        name=payload["what"],
        message_id=message_id,
        timestamp=arrival.received_at,
        received_at=arrival.received_at,
        user_id=payload.get("who"),
    )


def render(handled: Accepted) -> Response:
    return Response(201, json.dumps({"id": handled.outcomes[0].message_id}).encode())


def refuse(_request: Request, refusal: Refusal) -> Response:
    return Response(422, json.dumps({"refused": refusal.reason.value}).encode())


dialect = Dialect(
    name="toy",
    title="Toy",
    schemas="toy_dialect.schemas",
    prefixes=("/toy-api/",),
    kinds=(CredentialKind("api_key", "toy_{token}"),),
    routes=lambda _switches: (Route("ping", ("/toy-api/v0/ping",), parse, translate, render),),
    refuse=refuse,
    headers=("x-toy-key",),
    setting="TOY_URL={url}",
    curl="curl -X POST {url}/toy-api/v0/ping -H 'x-toy-key: {value}' -d '{\"what\":\"hello\"}'",
)
