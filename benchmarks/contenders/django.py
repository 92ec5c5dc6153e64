"""Django: objects by pages and bulk_update, and the tasks of django-maintenance-tasks."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from sqlalchemy import make_url

from benchmarks.contender import NotAvailable, Target, Work

PAGE = 1_000

_ENGINES = {"postgresql": "postgresql", "sqlite": "sqlite3", "mariadb": "mysql"}
_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
_INSTANT = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}


def names_by_bulk_update(target: Target) -> Work:
    """Split names: pages by key, and a bulk_update a page."""
    _set_up(target, _APPS)
    from benchmarks.contenders.django_user import BenchUser  # noqa: PLC0415  # once Django is set up

    def work() -> None:
        last = 0
        while page := list(BenchUser.objects.filter(pk__gt=last).order_by("pk")[:PAGE]):
            for user in page:
                user.split()
            BenchUser.objects.bulk_update(page, ["first_name", "last_name"])
            last = page[-1].pk

    return work


def names_by_task(target: Target) -> Work:
    """Split names: a task that saves each row, as its documentation has it."""
    if find_spec("maintenance_tasks") is None:
        raise NotAvailable("django-maintenance-tasks is not installed; it needs Python 3.12 and Django 6")
    _set_up(target, [*_APPS, "maintenance_tasks"])
    from django.core.management import call_command  # noqa: PLC0415
    from maintenance_tasks import MaintenanceTask, runner  # noqa: PLC0415

    from benchmarks.contenders.django_user import BenchUser  # noqa: PLC0415

    call_command("migrate", verbosity=0)

    class SplitNames(MaintenanceTask):  # type: ignore[misc, unused-ignore]  # it brings no types
        batch_size = PAGE

        def collection(self) -> Any:
            return BenchUser.objects.filter(first_name=None)

        def process(self, user: BenchUser) -> None:
            user.split()
            user.save(update_fields=["first_name", "last_name"])

    def work() -> None:
        started = runner.start(SplitNames.name)
        started.refresh_from_db()
        assert started.status == "succeeded", started.error_message

    return work


def _set_up(target: Target, apps: list[str]) -> None:
    if find_spec("django") is None:
        raise NotAvailable("Django is not installed")
    import django  # noqa: PLC0415  # an extra
    from django.conf import settings  # noqa: PLC0415

    if target.database == "mariadb" and find_spec("MySQLdb") is None:
        import pymysql  # noqa: PLC0415

        pymysql.install_as_MySQLdb()
    settings.configure(DATABASES={"default": _database(target)}, INSTALLED_APPS=apps, TASKS=_INSTANT, USE_TZ=True)
    django.setup()


def _database(target: Target) -> dict[str, Any]:
    url = make_url(target.url)
    return {
        "ENGINE": f"django.db.backends.{_ENGINES[target.database]}",
        "NAME": url.database,
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "HOST": url.query.get("unix_socket") or url.query.get("host") or url.host or "",
        "PORT": url.port or "",
    }
