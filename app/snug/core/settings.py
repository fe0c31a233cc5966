"""Every setting, declared: key, kind, default, bounds and the words that the Settings screen shows."""

from __future__ import annotations

from dataclasses import dataclass

from snug.core.errors import UserError

KINDS = ("choice", "bool", "int", "float", "text", "folder", "secret")
SettingValue = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer of a "choice" setting: the stored value and its words."""

    value: str
    title: str


@dataclass(frozen=True, slots=True)
class Setting:
    """A declared setting. `minimum` and `maximum` bound numbers and the length of texts.

    `section` groups the Settings screen; a hidden setting is kept by Snug itself and has no place there.
    A "secret" is never written to the database: it goes to the system's keyring.
    """

    key: str
    kind: str
    default: SettingValue
    title: str = ""
    explanation: str = ""
    section: str = ""
    choices: tuple[Choice, ...] = ()
    minimum: float = 0
    maximum: float = 4096
    is_hidden: bool = False


APPEARANCE = "Appearance"
CHAT = "Chat"
DOWNLOADS = "Downloads"
NETWORK = "Network"
PRIVACY = "Privacy"
SECTIONS = (APPEARANCE, CHAT, DOWNLOADS, NETWORK, PRIVACY)

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "appearance.theme", "choice", "system", "Colours", "Light, dark, or the same as the rest of this computer.",
        APPEARANCE, (Choice("system", "Same as the system"), Choice("light", "Light"), Choice("dark", "Dark")),
    ),
    Setting(
        "appearance.text_size", "int", 100, "Text size", "In per cent of the normal size.",
        APPEARANCE, minimum=75, maximum=200,
    ),
    Setting(
        "appearance.reduced_motion", "bool", False, "Less motion", "Screens and rings change without animation.",
        APPEARANCE,
    ),
    Setting(
        "chat.system_prompt", "text", "", "Standing instruction",
        "Told to the model at the start of every conversation, for example \"Answer briefly\".", CHAT, maximum=20_000,
    ),
    Setting(
        "chat.temperature", "float", 0.7, "Variety",
        "Low numbers give steady answers, high ones more surprising answers. 0 always takes the likeliest word.",
        CHAT, maximum=2,
    ),
    Setting(
        "chat.top_p", "float", 0.95, "Choice of words",
        "Leaves out unlikely words. 1 allows all of them; smaller numbers keep the answer closer to the expected.",
        CHAT, minimum=0.05, maximum=1,
    ),
    Setting(
        "chat.context", "int", 0, "Length of memory",
        "How much of a conversation the model keeps in mind, in tokens (about three quarters of a word each). "
        "0 lets Snug choose what fits this computer.",
        CHAT, maximum=16_777_216,
    ),
    Setting(
        "chat.threads", "int", 0, "Processor cores", "How many cores a model may use. 0 lets Snug choose.",
        CHAT, maximum=1024,
    ),
    Setting(
        "downloads.folder", "folder", "", "Folder for models",
        "Where new models are kept. Empty means Snug's own folder. Models that you already have stay where they are.",
        DOWNLOADS,
    ),
    Setting(
        "downloads.speed_limit", "int", 0, "Speed limit",
        "The most that all downloads together may take, in kilobytes a second. 0 is no limit. "
        "A change counts for downloads that start or continue after it.",
        DOWNLOADS, maximum=100_000_000,
    ),
    Setting(
        "downloads.parallel", "int", 1, "Downloads at a time", "The others wait in the queue.",
        DOWNLOADS, minimum=1, maximum=4,
    ),
    Setting(
        "network.offline", "bool", False, "Stay offline", "Snug makes no connection at all while this is on.", NETWORK,
    ),
    Setting(
        "network.endpoint", "text", "", "Address of Hugging Face",
        "Another server that speaks like huggingface.co, for example a mirror in your organisation. "
        "Empty means huggingface.co.",
        NETWORK, maximum=2000,
    ),
    Setting(
        "network.proxy", "text", "", "Proxy",
        "The address of your network's proxy, for example http://proxy.example:3128. Empty means as the system says.",
        NETWORK, maximum=2000,
    ),
    Setting(
        "network.token", "secret", "", "Access token of Hugging Face",
        "Needed only for models whose makers ask for an account. Kept in this computer's keyring.", NETWORK,
        maximum=500,
    ),
    Setting(
        "privacy.bin_days", "int", 30, "Days in the bin",
        "A deleted conversation can be brought back for this many days.", PRIVACY, minimum=1, maximum=365,
    ),
    Setting("network.token_kept", "bool", False, is_hidden=True),
    Setting("convert.source", "text", "", is_hidden=True),
    Setting("convert.unfinished", "text", "", is_hidden=True),
    Setting("convert.weighing", "text", "", is_hidden=True),
    Setting("convert.text", "text", "", is_hidden=True),
    Setting("convert.thorough", "bool", False, is_hidden=True),
    Setting("whatif.machine", "text", "", is_hidden=True, maximum=200),
    Setting("whatif.memory", "text", "", is_hidden=True, maximum=200),
    Setting("whatif.cards", "text", "", is_hidden=True, maximum=200),
    Setting("whatif.bandwidth", "text", "", is_hidden=True, maximum=200),
    Setting("calculator.parameters", "int", 0, is_hidden=True, maximum=2**53),
    Setting("calculator.context", "int", 0, is_hidden=True, maximum=2**53),
    Setting("calculator.type", "text", "", is_hidden=True, maximum=20),
    Setting("calculator.kv", "text", "", is_hidden=True, maximum=20),
    Setting("window.last_chat", "int", 0, is_hidden=True, maximum=2**53),
    Setting("window.last_model", "int", 0, is_hidden=True, maximum=2**53),
)  # fmt: skip

SETTINGS_BY_KEY = {setting.key: setting for setting in SETTINGS}


def setting(key: str) -> Setting:
    """The declaration of `key`. Raises UserError (bad_input) for a key that no setting has."""
    found = SETTINGS_BY_KEY.get(key)
    if found is None:
        raise UserError(f"There is no setting {key!r}.", "", kind="bad-setting", bad_input=True)
    return found


def checked_value(declared: Setting, value: object) -> SettingValue:
    """`value` as this setting keeps it. Raises UserError (bad_input) that says what it must be."""
    if declared.kind == "bool":
        if isinstance(value, bool):
            return value
        raise _bad(declared, "must be on or off")
    if declared.kind in ("int", "float"):
        return _checked_number(declared, value)
    if not isinstance(value, str):
        raise _bad(declared, "must be a text")
    if declared.kind == "choice":
        if value in [choice.value for choice in declared.choices]:
            return value
        raise _bad(declared, f"must be one of {', '.join(choice.value for choice in declared.choices)}")
    if len(value) > declared.maximum:
        raise _bad(declared, f"must have at most {declared.maximum:,.0f} characters")
    allowed = "\n\t" if declared.kind == "text" and declared.maximum > 2000 else ""
    if any(not _is_fit_to_keep(character, allowed) for character in value):
        raise _bad(declared, "has characters that cannot be kept")
    return value


def _checked_number(declared: Setting, value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise _bad(declared, "must be a number")
    if not declared.minimum <= value <= declared.maximum:
        raise _bad(declared, f"must be between {declared.minimum:,.10g} and {declared.maximum:,.10g}")
    if declared.kind == "int" and value != int(value):
        raise _bad(declared, "must be a whole number")
    return int(value) if declared.kind == "int" else float(value)


def _is_fit_to_keep(character: str, allowed: str) -> bool:
    return character in allowed or (ord(character) >= 32 and not 0xD800 <= ord(character) <= 0xDFFF)


def _bad(declared: Setting, what: str) -> UserError:
    name = f"“{declared.title}”" if declared.title else declared.key
    return UserError(f"The setting {name} {what}.", "", kind="bad-setting", bad_input=True)
