"""The bundled fonts: Inter for everything, JetBrains Mono for code."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication

FILES = ("Inter-Regular.otf", "Inter-SemiBold.otf")
CODE_FILES = ("JetBrainsMono-Regular.ttf", "JetBrainsMono-SemiBold.ttf")


def use_bundled_fonts(app: QGuiApplication, folder: Path) -> None:
    """Make Inter the application's font; the system's own font stays where a file cannot be read."""
    families = [_add(folder / name) for name in FILES]
    for name in CODE_FILES:
        _add(folder / name)
    if all(families):
        font = QFont(families[0])
        font.setPixelSize(15)
        app.setFont(font)


def _add(path: Path) -> str:
    number = QFontDatabase.addApplicationFont(str(path))
    families = QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
    return families[0] if families else ""
