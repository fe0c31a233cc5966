"""The figures of a model on the Hub, read from its header; the catalogue's estimate where that cannot be."""

from __future__ import annotations

import os

from snug.commands.command import Context
from snug.commands.kept_token import kept_token
from snug.commands.planned_memory import Header
from snug.core.catalogue import CatalogueEntry, facts_of, load_catalogue
from snug.core.errors import UserError
from snug.core.model_facts import ModelFacts
from snug.core.other_engines import format_words
from snug.core.quantisation import file_type_named
from snug.paths import resources_folder
from snug.worker import protocol

PUBLIC_HUB = "https://huggingface.co"
REMOTE_LIMIT_S = 60.0


def remote_facts(repo: str, wanted: str, file_type: str, context: Context) -> tuple[ModelFacts, Header | None]:
    """The figures of a repository's file: the one called `wanted` (a file name or a type), else of `file_type`; and its
    header, where it was kept.

    A model of the catalogue is answered from its figures where the Hub cannot be reached or holds no GGUF.
    """
    entry = _catalogue_entry(repo)
    try:
        access = hub_access(context)
        child = context.child()
        page = child.request(protocol.ReadModelPage(access=access, repo=repo), timeout=REMOTE_LIMIT_S)
        if not isinstance(page, protocol.ModelPage):
            raise UserError("The model's page could not be read.", "Try it again.", kind="cancelled")
        choice = pick_choice(page, wanted, file_type)
        request = protocol.InspectRemote(
            access=access,
            repo=page.repo,
            revision=page.revision,
            files=list(choice.files),
            keep_in=str(context.paths.headers),
        )
        answer = child.request(request, timeout=REMOTE_LIMIT_S)
    except UserError as error:
        if entry is None or wanted.lower().endswith(".gguf") or error.bad_input:
            raise
        context.note(f"{error} Answering from the catalogue's figures.")
        return facts_of(entry, wanted or file_type), None
    if not isinstance(answer, protocol.RemoteInspected):
        raise UserError("The file's header could not be read.", "Try it again.", kind="cancelled")
    if not answer.headers:
        return answer.facts, None
    (path, size), *others = answer.headers
    return answer.facts, Header(path, size, tuple(others))


def pick_choice(page: protocol.ModelPage, wanted: str, file_type: str) -> protocol.FileChoice:
    """The file of a page that a person means. Raises UserError that lists what there is."""
    whole = [choice for choice in page.choices if choice.complete]
    if wanted:
        name = wanted.casefold()
        matches = [
            choice
            for choice in whole
            if choice.file_type.casefold() == name or any(file.name.casefold() == name for file in choice.files)
        ]
    else:
        kind = file_type_named(file_type)
        matches = [choice for choice in whole if choice.file_type.upper() == file_type.upper()]
        matches = matches or [choice for choice in whole if kind and file_type_named(choice.file_type) == kind]
        matches = matches or (whole if len(whole) == 1 else [])
    if matches:
        return matches[0]
    there = ", ".join(choice.file_type or choice.title for choice in whole[:20])
    raise UserError(
        f"{page.repo} has no {wanted or file_type} file." if there else f"{page.repo} has no file for this engine.",
        f"There are: {there}." if there else page_words(page) or "Look for a repository whose name ends in GGUF.",
        kind="no-such-file",
    )


def page_words(page: protocol.ModelPage) -> str:
    """What a page without GGUF holds and what to do about it; "" where that is not known."""
    return format_words(
        page.other_format,
        page.can_convert,
        page.weights_bytes,
        page.largest_file_bytes,
        page.model.parameters,
        page.gguf_instead,
    )


def hub_access(context: Context) -> protocol.HubAccess:
    """How this person reaches the Hub: settings first, then HF_ENDPOINT; HF_TOKEN, else the token in the keyring."""
    endpoint = proxy = ""
    token = os.environ.get("HF_TOKEN", "")
    offline = False
    if context.paths.database.exists():
        settings = context.open_store().settings
        endpoint, proxy = str(settings.get("network.endpoint")), str(settings.get("network.proxy"))
        offline = bool(settings.get("network.offline"))
        token = token or kept_token(settings)
    return protocol.HubAccess(
        endpoint=endpoint or os.environ.get("HF_ENDPOINT", "") or PUBLIC_HUB,
        token=token,
        proxy=proxy,
        offline=offline,
    )


def _catalogue_entry(repo: str) -> CatalogueEntry | None:
    catalogue = load_catalogue(resources_folder() / "catalogue" / "models.json")
    name = repo.casefold()
    for entry in catalogue:
        if name in (entry.repo.casefold(), *(item.casefold() for item in entry.gguf_repos)):
            return entry
    return None
