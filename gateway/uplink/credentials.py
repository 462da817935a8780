"""Secrets: files that systemd or a person put there, never values in the configuration."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.ports import ConfigError

SECRET_MAX_BYTES = 64 * 1024
"""A password or a PEM chain is far smaller; anything larger is the wrong file."""

CREDENTIALS_ID = "shelfgate"
"""What the unit's LoadCredential= calls its folder: systemd names each file `shelfgate_NAME`."""


def find(name: str) -> Path:
    """The file of a secret: an absolute path, or a credential in $CREDENTIALS_DIRECTORY."""
    path = Path(name)
    if not path.is_absolute():
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if folder is None:
            raise ConfigError(
                f"credential {name!r}: $CREDENTIALS_DIRECTORY is not set; "
                "use LoadCredential= in the unit, or an absolute path"
            )
        of_unit = Path(folder, f"{CREDENTIALS_ID}_{name}")
        path = of_unit if of_unit.is_file() else Path(folder, name)
    if not path.is_file():
        raise ConfigError(f"credential {name!r}: no file at {path}")
    return path


def read(name: str) -> str:
    """The text of a secret without the line end that editors leave."""
    path = find(name)
    try:
        if path.stat().st_size > SECRET_MAX_BYTES:
            raise ConfigError(f"credential {name!r}: {path} is over {SECRET_MAX_BYTES} bytes")
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"credential {name!r}: {path} cannot be read: {error}") from error
