"""Which function answers which request; a handler's module is imported when it is first needed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from snug.worker import protocol
from snug.worker.conversion_messages import CompareModels, Convert, DiscardConversion, PreviewConversion
from snug.worker.measure_messages import CollectImportance, MeasureModel
from snug.worker.speed_messages import MeasureSpeed

HANDLERS: dict[type[protocol.Request], str] = {
    protocol.ReadMachine: "machine:read_machine",
    protocol.SelfTest: "selftest:self_test",
    protocol.InspectFile: "files:inspect_file",
    protocol.ScanFolders: "files:scan_folders",
    protocol.AskKeyring: "keyring_access:ask",
    protocol.SearchHub: "hub:search",
    protocol.ReadModelPage: "hub:read_model_page",
    protocol.InspectRemote: "hub:inspect_remote",
    protocol.Download: "download:download",
    protocol.DiscardDownload: "download:discard",
    protocol.LoadModel: "chat:load",
    protocol.Generate: "chat:generate",
    protocol.CountTokens: "chat:count_tokens",
    protocol.UnloadModel: "chat:unload",
    protocol.DryRun: "dry_run:plan",
    PreviewConversion: "conversion:preview",
    MeasureSpeed: "speed:measure_speed",
    MeasureModel: "measure:measure",
    Convert: "conversion:run",
    DiscardConversion: "conversion:discard",
    CompareModels: "comparison:compare",
    CollectImportance: "importance:collect",
}


def find_handler(request: type[protocol.Request]) -> Callable[[Any, Any], protocol.Event]:
    """The handler of a kind of request."""
    module, function = HANDLERS[request].split(":")
    return getattr(importlib.import_module(f"snug.worker.handlers.{module}"), function)  # type: ignore[no-any-return]
