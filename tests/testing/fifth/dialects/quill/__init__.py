"""Quill: a made-up vendor, a fifth of the gateway's own dialects in a test. The Dialect value, and nothing else."""

from dialects.quill.credentials import API_KEY, HEADER
from dialects.quill.description import ERROR
from dialects.quill.errors import refuse
from dialects.quill.routes import ROUTES
from dialects.quill.translate import NAME

from gateway.dialect import Dialect

dialect = Dialect(
    name=NAME,
    title="Quill",
    schemas="jsonschemas.quill",
    prefixes=("/quill-api/",),
    kinds=(API_KEY,),
    routes=ROUTES,
    refuse=refuse,
    error=ERROR,
    headers=(HEADER,),
    setting='quill.init({url: "{url}", key: "{value}"})',
    curl="curl -sS {url}/quill-api/notes -H 'X-Quill-Key: {value}' -H 'Content-Type: application/json'"
    """ -d '{"what": "read", "who": "u-1"}'""",
)
