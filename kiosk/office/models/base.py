"""What several tables share: rows that are written once, and numbers given out in commit order."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import models, transaction
from django.db.models import F


class WrittenOnce(TypeError):
    """Somebody tried to change or delete what must stay as it was received."""


Row_co = TypeVar("Row_co", bound=models.Model, covariant=True)


class WriteOnceQuerySet(models.QuerySet[Row_co]):
    def update(self, **fields: Any) -> NoReturn:
        raise WrittenOnce(f"{self.model.__name__} is written once")

    def delete(self) -> NoReturn:
        raise WrittenOnce(f"{self.model.__name__} is written once")


class WriteOnce(models.Model):
    objects = WriteOnceQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        # A plain save() on an existing primary key would overwrite silently.
        if not self._state.adding:
            raise WrittenOnce(f"{type(self).__name__} is written once")
        super().save(*args, **(kwargs | {"force_insert": True}))

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise WrittenOnce(f"{type(self).__name__} is written once")


class Counter(models.Model):
    """A running number. Its row stays locked until the taker commits, so numbers appear in commit order:
    whoever reads up to n has seen everything up to n."""

    name = models.CharField(max_length=20, primary_key=True)
    value = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    @classmethod
    def take(cls, name: str, count: int = 1) -> int:
        """The first of `count` fresh numbers, from 1. Must run inside a transaction."""
        if not transaction.get_connection().in_atomic_block:
            raise transaction.TransactionManagementError("a number is taken inside the transaction that uses it")
        if not cls.objects.filter(pk=name).update(value=F("value") + count):
            cls.objects.get_or_create(pk=name)
            cls.objects.filter(pk=name).update(value=F("value") + count)
        return cls.objects.get(pk=name).value - count + 1

    @classmethod
    def current(cls, name: str) -> int:
        row = cls.objects.filter(pk=name).first()
        return row.value if row else 0
