"""Finds and loads device profiles."""

from __future__ import annotations

import difflib
import sys
import tomllib
from pathlib import Path

from pydantic import ValidationError

from drivers.modbus.profile import Profile
from gateway.ports import ConfigError

CHECKOUT_FOLDER = Path(__file__).parents[2] / "config" / "profiles"
INSTALLED_FOLDER = Path(sys.prefix) / "share" / "shelfgate" / "config" / "profiles"


def find_folder(wanted: Path | None = None) -> Path:
    """Return the folder of profiles: the one named in the settings, else ours."""
    if wanted is not None:
        if not wanted.is_dir():
            raise ConfigError(f"profiles_folder: {wanted} is no folder")
        return wanted
    for folder in (CHECKOUT_FOLDER, INSTALLED_FOLDER):
        if folder.is_dir():
            return folder
    raise ConfigError(f"no device profiles at {CHECKOUT_FOLDER} nor at {INSTALLED_FOLDER}")


def load_profile(name: str, folder: Path) -> Profile:
    """Load one profile by its id; ConfigError names file, key and expectation."""
    path = folder / f"{name}.toml"
    known = sorted(file.stem for file in folder.glob("*.toml"))
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
        raise ConfigError(f"profile {name!r}: no {path}; {hint}")
    try:
        profile = Profile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "profile"
        raise ConfigError(f"{path}: {place}: {first['msg']}") from error
    if profile.id != name:
        raise ConfigError(f"{path}: id: expected {name!r}, like the file's name")
    return profile
