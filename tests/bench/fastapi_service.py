"""The baseline that a team would write: FastAPI, pydantic, SQLAlchemy, SQLite (WAL, FULL), deduplicated by id.

It looks each id up and adds what is new, one transaction a request: the ORM's plain idiom. (Written as one bulk
`INSERT ... ON CONFLICT DO NOTHING` it stores batches about five times as fast, single events no faster.)
Run with a database file and a port. Its packages are the extra `bench`; without them it is left out.
"""

# mypy: disable-error-code="import-not-found,misc,untyped-decorator,no-any-return,call-arg"

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel
from sqlalchemy import JSON, Engine, Integer, String, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """The tables."""


class Stored(Base):
    """One event."""

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    message_id: Mapped[str | None] = mapped_column(String, unique=True)
    name: Mapped[str] = mapped_column(String)
    user_id: Mapped[str | None] = mapped_column(String)
    anonymous_id: Mapped[str | None] = mapped_column(String)
    timestamp: Mapped[str | None] = mapped_column(String)
    properties: Mapped[dict[str, Any]] = mapped_column(JSON)


class Sent(BaseModel, extra="allow"):
    """One event as any of the scenarios sends it."""

    eventId: str | None = None  # noqa: N815
    messageId: str | None = None  # noqa: N815
    name: str | None = None
    event: str | None = None
    userId: str | None = None  # noqa: N815
    anonymousId: str | None = None  # noqa: N815
    timestamp: int | str | None = None
    properties: dict[str, Any] = {}


class Batch(BaseModel):
    """What Tranthor's clients send."""

    batch: list[Sent]


def application(engine: Engine) -> FastAPI:
    """Return the service over a database."""
    app = FastAPI()

    def keep(events: list[Sent]) -> None:
        with Session(engine) as session:
            for sent in events:
                message_id = sent.eventId or sent.messageId
                if message_id is not None and session.scalar(select(Stored.id).filter_by(message_id=message_id)):
                    continue
                session.add(
                    Stored(
                        message_id=message_id,
                        name=sent.name or sent.event or "",
                        user_id=sent.userId,
                        anonymous_id=sent.anonymousId,
                        timestamp=None if sent.timestamp is None else str(sent.timestamp),
                        properties={**sent.properties, **(sent.model_extra or {})},
                    )
                )
            session.commit()

    @app.get("/-/ready")
    def ready() -> str:
        return "ready"

    @app.post("/track")
    @app.post("/api/v1/track")
    def track(sent: Sent) -> dict[str, object]:
        keep([sent])
        return {"status": "success", "type": "custom_event", "count": 1}

    @app.post("/batch")
    def flat(batch: list[Sent]) -> dict[str, object]:
        keep(batch)
        return {"status": "success", "batch": True, "processed": len(batch)}

    @app.post("/api/public/apps/batch", status_code=204)
    def wrapped(batch: Batch) -> Response:
        keep(batch.batch)
        return Response(status_code=204)

    return app


def main() -> None:
    """Serve until SIGTERM."""
    engine = create_engine(f"sqlite:///{sys.argv[1]}")

    @event.listens_for(engine, "connect")
    def _durable(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA busy_timeout=30000")

    Base.metadata.create_all(engine)
    uvicorn.run(
        application(engine),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        access_log=False,
        log_level="warning",
        timeout_keep_alive=300,  # on a slow machine a client waits for its neighbours longer than the usual 5 s
    )


if __name__ == "__main__":
    main()
