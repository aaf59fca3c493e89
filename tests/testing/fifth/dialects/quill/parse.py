"""A request to a submission: its key, and the one item that its body is. Pure. Named after the route."""

from dialects.quill import credentials

from gateway.dialect import Item, Request, Submission, json_or_fault, visitor


def notes(request: Request) -> Submission:
    """Return the submission of a note."""
    shown = credentials.find(request)
    body, fault = json_or_fault(request.body)
    if fault is not None:
        return Submission(shown, fault=fault)
    return Submission(shown, (Item("note", "note", body, message_id=_id(body)),), context=visitor(request))


def _id(body: object) -> str | None:
    found = body.get("id") if isinstance(body, dict) else None
    return found if isinstance(found, str) and found else None
