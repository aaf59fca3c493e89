import pytest

from gateway.config import Config, DialectSettings, ProjectSettings, ServerSettings, StorageSettings
from gateway.ingest.clients.address_policy import IpPolicy


def test_sizes_are_also_in_bytes_and_times_in_seconds() -> None:
    server = ServerSettings(unfinished_megabytes=1.5)
    storage = StorageSettings(
        queue_megabytes=1.5,
        dedupe_days=2,
        keep_events_days=3,
        keep_raw_days=4,
        rejected_megabytes=2,
        rejected_days=0.5,
    )
    assert (server.unfinished_bytes, storage.queue_bytes, storage.rejected_bytes) == (1_572_864, 1_572_864, 2_097_152)
    windows = (storage.dedupe_window, storage.keep_events, storage.keep_raw, storage.rejected_window)
    assert windows == (172_800.0, 259_200.0, 345_600.0, 43_200.0)


def test_a_dialect_is_served_at_the_root_with_its_own_limit_unless_set_otherwise() -> None:
    config = Config(
        dialects={
            "acme": DialectSettings(enabled=False, switches={"strict": True, "lenient": False}),
            "zeta": DialectSettings(root=False, body_limit_bytes=10),
        }
    )
    names = ("acme", "zeta", "other")
    assert [config.enabled(name) for name in names] == [False, True, True]
    assert [config.root(name) for name in names] == [True, False, True]
    assert [config.body_limit(name) for name in names] == [None, 10, None]
    assert config.switches == {"acme": {"strict"}, "zeta": frozenset()}
    assert config.root_order == ("databuddy", "appizer", "tranthor", "browsee")


def test_each_project_has_a_size_for_its_quarantine() -> None:
    config = Config(projects={"shop": ProjectSettings(quarantine_megabytes=0.5)})
    assert (config.quarantine_bytes("shop"), config.quarantine_bytes("blog")) == (1 << 19, 1 << 28)


def test_a_project_keeps_events_for_its_own_time_or_for_that_of_the_store() -> None:
    projects = {"shop": ProjectSettings(keep_events_days=2), "blog": ProjectSettings(keep_events_days=0)}
    config = Config(storage=StorageSettings(keep_events_days=30), projects=projects)
    times = [config.keep_events_of(name) for name in ("shop", "blog", "other")]
    assert times == [2 * 86_400.0, 0.0, 30 * 86_400.0]


def test_projects_that_filter_bots_are_named() -> None:
    config = Config(projects={"shop": ProjectSettings(filter_bots=True), "blog": ProjectSettings()})
    assert config.filter_bots == {"shop"}


def test_a_project_keeps_addresses_as_they_were_sent_unless_it_says_otherwise() -> None:
    config = Config(
        projects={
            "shop": ProjectSettings(client_ip=IpPolicy.TRUNCATE),
            "blog": ProjectSettings(client_ip=IpPolicy.DROP),
        }
    )
    shop, blog, other = (config.keep_ip(project) for project in ("shop", "blog", "other"))
    assert shop is not None
    assert blog is not None
    assert (shop("203.0.113.9"), blog("203.0.113.9"), other) == ("203.0.113.0", None, None)


@pytest.mark.parametrize(
    ("policies", "left"),
    [
        ([IpPolicy.TRUNCATE, IpPolicy.KEEP], "203.0.113.0"),
        ([IpPolicy.DROP, IpPolicy.TRUNCATE], None),
        ([IpPolicy.KEEP], "203.0.113.9"),
        ([], "203.0.113.9"),
    ],
)
def test_of_a_stranger_is_kept_what_the_strictest_policy_leaves(policies: list[IpPolicy], left: str | None) -> None:
    projects = {str(number): ProjectSettings(client_ip=policy) for number, policy in enumerate(policies)}
    keep = Config(projects=projects).keep_ip(None)
    assert ("203.0.113.9" if keep is None else keep("203.0.113.9")) == left
