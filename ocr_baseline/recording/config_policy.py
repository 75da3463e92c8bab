"""How much of a run's configuration leaves the process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ocr_baseline.model.privacy import config_hash, redact

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class ConfigPolicy:
    """How much of a run's configuration its records and report hold.

    `shown_keys` are dotted paths of entries that look like secrets and aren't.
    """

    include: bool = True
    shown_keys: tuple[str, ...] = ()

    def kept(self, config: Mapping[str, object]) -> tuple[dict[str, Any] | None, str | None]:
        """Return the configuration, secrets redacted, and its hash; both None where there is none.

        The configuration is None where the policy leaves it out; two runs still compare by its
        hash.
        """
        redacted = redact(config, allowed=self.shown_keys)
        if not redacted:
            return None, None
        return redacted if self.include else None, config_hash(redacted)
