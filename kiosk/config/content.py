"""What the office's content package changes in this terminal's own configuration."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from kiosk.config import ConfigError, KioskConfig
from kiosk.content.settings import RAISED_ONLY, Settings


def with_content(config: KioskConfig, settings: Settings) -> KioskConfig:
    """The configuration with the package's settings in force. Raises ConfigError, one line per value not allowed."""
    sections: dict[str, Any] = {}
    faults: list[str] = []
    for name, values in settings.items():
        section = getattr(config, name)
        wanted = {key: _merged(f"{name}.{key}", getattr(section, key), value) for key, value in values.items()}
        try:
            own = {key: getattr(section, key) for key in type(section).model_fields}
            sections[name] = type(section).model_validate(own | wanted)
        except ValidationError as error:
            faults += [f"{name}.{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
    if faults:
        raise ConfigError("\n".join(faults))
    return config.model_copy(update=sections)


def _merged(key: str, own: Any, told: Any) -> Any:
    return max(own, told) if key in RAISED_ONLY else told
