"""The table of Quill's endpoints."""

from dialects.quill import description, parse, render, translate

from gateway.dialect import Route

ROUTES = (
    Route(
        "notes",
        ("/quill-api/notes",),
        parse.notes,
        translate.notes,
        render.notes,
        schemas=("note",),
        description=description.NOTES,
    ),
)
