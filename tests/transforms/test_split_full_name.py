"""Tests of the transform that splits a full name at its first space."""

import pytest

from transforms.split_full_name import FullName, SplitName, split_full_name


@pytest.mark.parametrize(
    ("full_name", "first", "last"),
    [
        ("Ada Lovelace", "Ada", "Lovelace"),
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("Cher", "Cher", ""),
        ("  Grace   Hopper ", "Grace", "Hopper"),
        ("", "", ""),
        ("   ", "", ""),
        ("Zoë Äß-Müller", "Zoë", "Äß-Müller"),
    ],
)
def test_splits_at_the_first_space(full_name: str, first: str, last: str) -> None:
    """Everything after the first space is the last name, and spaces around a name do not count."""
    assert split_full_name(FullName(full_name=full_name)) == SplitName(first_name=first, last_name=last)
