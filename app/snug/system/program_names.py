"""Names of programs as people say them, from the names of their processes."""

from __future__ import annotations

import re

from snug.core.machine_words import OWN_NAME

# Programs whose other processes are helpers of theirs, whatever these are called.
_WITH_HELPERS = {
    "firefox": "Firefox", "firefox-bin": "Firefox", "firefox-esr": "Firefox", "geckomain": "Firefox",
    "librewolf": "LibreWolf", "thunderbird": "Thunderbird", "thunderbird-bin": "Thunderbird",
    "chrome": "Google Chrome", "google-chrome": "Google Chrome", "google chrome": "Google Chrome",
    "chromium": "Chromium", "chromium-browser": "Chromium", "brave": "Brave", "brave-browser": "Brave",
    "brave browser": "Brave", "msedge": "Microsoft Edge", "microsoft-edge": "Microsoft Edge",
    "microsoft edge": "Microsoft Edge", "opera": "Opera", "vivaldi": "Vivaldi", "vivaldi-bin": "Vivaldi",
    "safari": "Safari", "arc": "Arc", "zen": "Zen", "epiphany": "Web",
    "code": "Visual Studio Code", "code-oss": "Visual Studio Code", "visual studio code": "Visual Studio Code",
    "codium": "VSCodium", "cursor": "Cursor", "zed": "Zed", "zed-editor": "Zed",
    "slack": "Slack", "discord": "Discord", "signal-desktop": "Signal", "signal": "Signal", "teams": "Microsoft Teams",
    "ms-teams": "Microsoft Teams", "teams-for-linux": "Microsoft Teams", "spotify": "Spotify", "steam": "Steam",
    "steamwebhelper": "Steam", "obsidian": "Obsidian", "notion": "Notion", "telegram-desktop": "Telegram",
    "element-desktop": "Element", "zoom": "Zoom", "ollama": "Ollama", "lm-studio": "LM Studio",
    "lm studio": "LM Studio", "jan": "Jan", "idea": "IntelliJ IDEA", "pycharm": "PyCharm", "clion": "CLion",
    "studio64": "Android Studio", "devenv": "Visual Studio", "xcode": "Xcode", "postgres": "PostgreSQL",
}  # fmt: skip

_NAMES = {
    **_WITH_HELPERS,
    "snug": OWN_NAME,
    "web content": "Firefox", "isolated web co": "Firefox", "webextensions": "Firefox", "privileged cont": "Firefox",
    "com.apple.webkit.webcontent": "Safari", "com.apple.webkit.gpu": "Safari", "com.apple.webkit.networking": "Safari",
    "gnome-shell": "The desktop (GNOME)", "plasmashell": "The desktop (Plasma)", "kwin_wayland": "The desktop (Plasma)",
    "kwin_x11": "The desktop (Plasma)", "xorg": "The display (X.Org)", "xwayland": "The display (Xwayland)",
    "cinnamon": "The desktop (Cinnamon)", "dwm": "The Windows desktop", "explorer": "Windows Explorer",
    "windowserver": "The Mac's display", "finder": "Finder", "mds_stores": "Spotlight", "mds": "Spotlight",
    "nautilus": "Files", "dolphin": "Dolphin", "gnome-software": "Software", "packagekitd": "Software updates",
    "soffice.bin": "LibreOffice", "soffice": "LibreOffice", "winword": "Microsoft Word", "excel": "Microsoft Excel",
    "powerpnt": "Microsoft PowerPoint", "outlook": "Microsoft Outlook", "olk": "Microsoft Outlook",
    "gimp": "GIMP", "gimp-2.10": "GIMP", "blender": "Blender", "photoshop": "Photoshop", "krita": "Krita",
    "obs": "OBS Studio", "obs64": "OBS Studio", "vlc": "VLC", "mpv": "mpv", "resolve": "DaVinci Resolve",
    "java": "A Java program", "node": "A Node.js program", "python": "A Python program", "python3": "A Python program",
    "pythonw": "A Python program", "dotnet": "A .NET program", "ruby": "A Ruby program",
    "llama-server": "llama.cpp's server", "llama-cli": "llama.cpp", "koboldcpp": "KoboldCpp", "vllm": "vLLM",
    "mysqld": "MySQL", "mariadbd": "MariaDB", "mongod": "MongoDB", "redis-server": "Redis",
    "qemu-system-x86": "A virtual machine (QEMU)", "qemu-system-x86_64": "A virtual machine (QEMU)",
    "qemu-kvm": "A virtual machine (QEMU)", "virtualboxvm": "A virtual machine (VirtualBox)",
    "vmware-vmx": "A virtual machine (VMware)", "vmmem": "Linux on Windows (WSL)", "vmmemwsl": "Linux on Windows (WSL)",
    "com.apple.virtualization.virtualmachine": "A virtual machine", "dockerd": "Docker", "containerd": "Docker",
    "com.docker.backend": "Docker", "msmpeng": "Windows Security", "clamd": "ClamAV", "memory compression":
    "Windows' compressed memory", "memcompression": "Windows' compressed memory", "searchhost": "Windows Search",
    "searchapp": "Windows Search", "startmenuexperiencehost": "The Start menu", "system": "Windows", "csrss": "Windows",
    "shellexperiencehost": "The Windows desktop", "msedgewebview2": "Microsoft Edge WebView2",
    "systemd-journal": "The system's log", "tracker-miner-f": "File search", "localsearch-3": "File search",
    "baloo_file": "File search",
}  # fmt: skip

_TERMINALS = frozenset((
    "terminal", "gnome-terminal", "konsole", "kitty", "alacritty", "ptyxis", "console", "kgx", "wezterm", "foot",
    "ghostty", "xterm", "tilix", "terminator", "xfce4-terminal", "lxterminal", "yakuake", "tmux", "zellij", "warp",
))  # fmt: skip
_VERSIONED = re.compile(r"^(python|ruby|java|node)[\d.]+$")
_PROGRAM_ENDING = re.compile(r"\.(?:exe|app|appimage)$", re.IGNORECASE)
# Helpers of macOS' and Electron's applications carry the application's name in front.
_HELPER = re.compile(r"\s+(?:Helper|Web Content|Networking|Graphics and Media)\b.*$")


def program_name(process: str) -> str:
    """The program's name for people: "Isolated Web Co" is "Firefox"; an unknown process keeps its own name."""
    plain = _plain(process)
    key = plain.lower()
    return _NAMES.get(key) or _NAMES.get(_VERSIONED.sub(r"\1", key)) or plain


def application_name(identifier: str) -> str:
    """The program's name from a desktop's identifier: "org.mozilla.firefox" is "Firefox", "com.spotify.Client"
    "Spotify". A terminal has none, since what runs in it is another program."""
    parts = [part for part in identifier.split(".") if part]
    if any(part.lower() in _TERMINALS for part in parts):
        return ""
    for part in reversed(parts):
        if _plain(part).lower() in _NAMES:
            return program_name(part)
    telling = [part for part in parts if part.lower() not in ("client", "app", "desktop", "application")]
    return program_name((telling or parts or [""])[-1])


def starts_helpers(process: str) -> bool:
    """Whether the processes that this one starts are parts of the same program."""
    return _plain(process).lower() in _WITH_HELPERS


def _plain(process: str) -> str:
    """The process's name without its folder, ending, and what marks a helper."""
    name = re.split(r"[\\/]", process)[-1] if re.match(r"^(?:/|[A-Za-z]:\\)", process) else process
    return _HELPER.sub("", _PROGRAM_ENDING.sub("", name)).strip(" ()[]")
