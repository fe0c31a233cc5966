"""Search on the Hub: words, filters, or a pasted link."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, get_args

from snug.core.errors import UserError
from snug.hub.library import open_api
from snug.hub.names import read_wanted
from snug.hub.other_formats import label_of
from snug.hub.patience import DEFAULT_PATIENCE, Patience
from snug.hub.remote import Access, Model, count_of, text_of

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import ModelInfo

Sort = Literal["downloads", "likes", "last_modified", "trending_score", "created_at"]

_EXPAND: list[Any] = [
    "downloads", "likes", "lastModified", "gated", "pipeline_tag", "tags", "gguf", "safetensors", "library_name",
    "config",
]  # fmt: skip
_TASKS = {"chat": "text-generation", "vision": "image-text-to-text", "embedding": "feature-extraction"}
_TASK_TAGS = {"code": "code"}
_MOST_RESULTS = 200


def search(
    access: Access,
    text: str,
    *,
    task: str = "",
    licence: str = "",
    sort: str = "downloads",
    limit: int = 30,
    gguf_only: bool = True,
    patience: Patience = DEFAULT_PATIENCE,
) -> list[Model]:
    """Up to `limit` models for `text`, which may also be a link or OWNER/NAME. Raises UserError."""
    with open_api(access, patience) as api:
        wanted = read_wanted(text, access.endpoint)
        if wanted:
            exact = _exact(api, wanted.repo)
            if exact:
                return [exact]
        tags = ["gguf"] if gguf_only else []
        tags += [f"license:{licence}"] if licence else []
        tags += [_TASK_TAGS[task]] if task in _TASK_TAGS else []
        found = api.list_models(
            search=_words(wanted.repo if wanted else text),
            filter=tags or None,
            pipeline_tag=_TASKS.get(task),
            sort=sort if sort in get_args(Sort) else "downloads",  # type: ignore[arg-type]
            limit=max(1, min(limit, _MOST_RESULTS)),
            expand=_EXPAND,
        )
        return [model for model in map(model_of, islice(found, _MOST_RESULTS)) if model.repo]


def model_of(info: ModelInfo) -> Model:
    """A search result from what the library read; whatever has a wrong type counts as not said."""
    repo = text_of(info.id, 200)
    author, _, name = repo.rpartition("/")
    tags = [tag for tag in map(text_of, _list(info.tags)) if tag][:100]
    gguf = info.gguf if isinstance(info.gguf, dict) else {}
    library = text_of(info.library_name)
    has_gguf = bool(gguf) or "gguf" in tags
    modified: Any = info.last_modified
    return Model(
        repo=repo,
        author=author,
        name=name,
        downloads=count_of(info.downloads),
        likes=count_of(info.likes),
        updated=modified.date().isoformat() if hasattr(modified, "date") else "",
        licence=licence_of(info, tags),
        gated=bool(info.gated),
        task=text_of(info.pipeline_tag),
        parameters=count_of(gguf.get("total")) or _safetensors_total(info),
        architecture=text_of(gguf.get("architecture")),
        context=count_of(gguf.get("context_length")),
        has_gguf=has_gguf,
        file_format="GGUF" if has_gguf else label_of(config_of(info), [*tags, library]),
        tags=tags,
    )


def config_of(info: ModelInfo) -> dict[str, Any]:
    """What the Hub read from the repository's config.json; empty where it read nothing."""
    return info.config if isinstance(info.config, dict) else {}


def gguf_of(api: HfApi, base: str, own: str) -> str:
    """The most fetched repository with GGUF files made from `base`, which is not `own`; "" where there is none."""
    if not base:
        return ""
    try:
        for tag in (f"base_model:quantized:{base}", f"base_model:{base}"):
            found = api.list_models(filter=["gguf", tag], sort="downloads", limit=2)
            for info in islice(found, 2):
                repo = text_of(info.id, 200)
                if repo and repo != own:
                    return repo
    except UserError:
        return ""  # the page is worth showing without this
    return ""


def licence_of(info: ModelInfo, tags: list[str]) -> str:
    """The licence's short name as the Hub knows it."""
    for tag in tags:
        if tag.startswith("license:"):
            return tag.removeprefix("license:")
    card: Any = info.card_data
    return text_of(card.get("license")) if hasattr(card, "get") else ""


def _exact(api: HfApi, repo: str) -> Model | None:
    """The one repository that was named, or None where it is not there."""
    try:
        return model_of(api.model_info(repo, expand=_EXPAND))
    except UserError as error:
        if error.kind == "gone":
            return None
        raise


def _words(text: str) -> str:
    return " ".join(text.replace("/", " ").split())[:200]


def _safetensors_total(info: ModelInfo) -> int:
    return count_of(getattr(info.safetensors, "total", 0))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
