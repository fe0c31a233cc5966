"""What a model's licence allows, in plain words. A guide for choosing, not legal advice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Licence:
    """`words` is the short form for a card; `explanation` one sentence more; `group` is for filters."""

    key: str
    name: str
    words: str
    explanation: str
    group: str


FREE = "free"
CONDITIONS = "conditions"
NON_COMMERCIAL = "non_commercial"
UNKNOWN = "unknown"

_FREE_WORDS = "Free to use, also at work"
_CONDITIONS_WORDS = "Free with conditions"
_PRIVATE_WORDS = "Free for private use and research, not for business"

LICENCES: tuple[Licence, ...] = (
    Licence("apache-2.0", "Apache 2.0", _FREE_WORDS, "You may use, change and share it; keep the licence text.", FREE),
    Licence("mit", "MIT", _FREE_WORDS, "You may use, change and share it; keep the licence text.", FREE),
    Licence("bsd-3-clause", "BSD", _FREE_WORDS, "You may use, change and share it; keep the licence text.", FREE),
    Licence("cc0-1.0", "CC0", _FREE_WORDS, "No conditions at all.", FREE),
    Licence("cc-by-4.0", "CC BY 4.0", _FREE_WORDS, "Name the makers when you share it.", FREE),
    Licence(
        "cc-by-sa-4.0", "CC BY-SA 4.0", _CONDITIONS_WORDS, "What you build on it carries this licence.", CONDITIONS
    ),
    Licence("openmdw-1.0", "OpenMDW", _FREE_WORDS, "An open licence for models and their data.", FREE),
    Licence("openmdw-1.1", "OpenMDW", _FREE_WORDS, "An open licence for models and their data.", FREE),
    Licence("gemma", "Gemma terms", _CONDITIONS_WORDS, "Google's list of forbidden uses applies.", CONDITIONS),
    Licence("llama2", "Llama 2", _CONDITIONS_WORDS, "Meta's rules apply; very large companies must ask.", CONDITIONS),
    Licence("llama3", "Llama 3", _CONDITIONS_WORDS, "Meta's rules apply; very large companies must ask.", CONDITIONS),
    Licence(
        "llama3.1", "Llama 3.1", _CONDITIONS_WORDS, "Meta's rules apply; very large companies must ask.", CONDITIONS
    ),
    Licence(
        "llama3.2", "Llama 3.2", _CONDITIONS_WORDS, "Meta's rules apply; very large companies must ask.", CONDITIONS
    ),
    Licence(
        "llama3.3", "Llama 3.3", _CONDITIONS_WORDS, "Meta's rules apply; very large companies must ask.", CONDITIONS
    ),
    Licence("llama4", "Llama 4", _CONDITIONS_WORDS, "Meta's rules apply; very large companies must ask.", CONDITIONS),
    Licence(
        "lfm1.0", "LFM Open", _CONDITIONS_WORDS, "Free until a company earns 10 million dollars a year.", CONDITIONS
    ),
    Licence(
        "nvidia-open-model-license", "NVIDIA Open Model", _CONDITIONS_WORDS, "NVIDIA's conditions apply.", CONDITIONS
    ),
    Licence(
        "nvidia-nemotron-open-model-license",
        "NVIDIA Nemotron Open Model",
        _CONDITIONS_WORDS,
        "NVIDIA's conditions apply.",
        CONDITIONS,
    ),
    Licence(
        "health-ai-developer-foundations",
        "Health AI Developer Foundations",
        _CONDITIONS_WORDS,
        "Google's terms for health models apply; it is no medical device.",
        CONDITIONS,
    ),
    Licence("openrail", "OpenRAIL", _CONDITIONS_WORDS, "A list of forbidden uses applies.", CONDITIONS),
    Licence("bigscience-openrail-m", "OpenRAIL-M", _CONDITIONS_WORDS, "A list of forbidden uses applies.", CONDITIONS),
    Licence("bigcode-openrail-m", "OpenRAIL-M", _CONDITIONS_WORDS, "A list of forbidden uses applies.", CONDITIONS),
    Licence("cc-by-nc-4.0", "CC BY-NC 4.0", _PRIVATE_WORDS, "Not for business; name the makers.", NON_COMMERCIAL),
    Licence("cc-by-nc-sa-4.0", "CC BY-NC-SA 4.0", _PRIVATE_WORDS, "Not for business; same licence.", NON_COMMERCIAL),
    Licence("cc-by-nc-nd-4.0", "CC BY-NC-ND 4.0", _PRIVATE_WORDS, "Not for business; no changes.", NON_COMMERCIAL),
    Licence("mnpl-0.1", "Mistral non-production", _PRIVATE_WORDS, "For research and trials only.", NON_COMMERCIAL),
    Licence("mistral-ai-research-licence", "Mistral research", _PRIVATE_WORDS, "For research only.", NON_COMMERCIAL),
)

_BY_KEY = {licence.key: licence for licence in LICENCES}


def licence_of(key: str) -> Licence:
    """The licence with the Hub's short name `key`; one that Snug does not know says so."""
    wanted = key.strip().lower().removeprefix("license:").replace(" ", "-")
    known = _BY_KEY.get(wanted)
    if known is not None:
        return known
    if wanted in ("", "unknown"):
        return Licence("", "not stated", "Licence not stated", "The makers do not say what is allowed.", UNKNOWN)
    explanation = "Snug does not know this licence: read it on the model's page before using the model at work."
    return Licence(wanted, key.strip(), "Own licence: read it first", explanation, UNKNOWN)


def licence_words(key: str) -> str:
    """The card's words for the Hub's short name `key`: "Free to use, also at work"."""
    return licence_of(key).words
