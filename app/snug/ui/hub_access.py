"""How this person reaches the Hub: settings, environment and token, as the children's messages carry them."""

from __future__ import annotations

import os

from snug.store import Settings
from snug.worker.protocol import HubAccess

PUBLIC_HUB = "https://huggingface.co"


def hub_access(settings: Settings, token: str = "") -> HubAccess:
    """The access that every request to the Hub carries; a setting wins over the environment."""
    return HubAccess(
        endpoint=str(settings.get("network.endpoint")) or os.environ.get("HF_ENDPOINT", "") or PUBLIC_HUB,
        token=token or os.environ.get("HF_TOKEN", ""),
        proxy=str(settings.get("network.proxy")),
        offline=bool(settings.get("network.offline")),
    )
