"""Columns of files that say which tags are of an item: values parted by spaces, or lists."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from gateway.epc import gtin14


def _words(value: Any) -> Any:
    return value.split() if isinstance(value, str) else value


Gtin = Annotated[str, AfterValidator(gtin14)]
CompanyPrefix = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,12}$")]
Gtins = Annotated[tuple[Gtin, ...], BeforeValidator(_words)]
CompanyPrefixes = Annotated[tuple[CompanyPrefix, ...], BeforeValidator(_words)]
