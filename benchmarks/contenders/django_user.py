"""A user, as a Django application has it; imported once Django is set up."""

from __future__ import annotations

from django.db import models


class BenchUser(models.Model):  # type: ignore[misc, unused-ignore]  # Django brings no types
    """A row of the table that others have made."""

    id = models.BigIntegerField(primary_key=True)
    number = models.IntegerField()
    email = models.CharField(max_length=100)
    full_name = models.CharField(max_length=200)
    bio = models.TextField()
    skills = models.JSONField(null=True)
    first_name = models.CharField(max_length=200, null=True)
    last_name = models.CharField(max_length=200, null=True)

    class Meta:
        """Whose it is."""

        app_label = "bench"
        managed = False
        db_table = "bench_users"

    def split(self) -> None:
        """Everything after the first space is the last name."""
        self.first_name, _, self.last_name = self.full_name.partition(" ")
