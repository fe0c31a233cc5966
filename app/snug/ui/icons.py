"""Lucide icons in any colour and size, as an image provider: `image://icon/NAME/RRGGBB`."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPixmap
from PySide6.QtQuick import QQuickImageProvider

DEFAULT_SIZE = 24


class IconProvider(QQuickImageProvider):
    """Draws an SVG of the icon folder with its `currentColor` replaced; keeps what it has drawn."""

    def __init__(self, folder: Path) -> None:
        super().__init__(QQuickImageProvider.ImageType.Pixmap)
        self._folder = folder
        self._drawn: dict[tuple[str, int, int], QPixmap] = {}

    def requestPixmap(self, address: str, size: QSize, requested_size: QSize) -> QPixmap:
        width = requested_size.width() if requested_size.width() > 0 else DEFAULT_SIZE
        height = requested_size.height() if requested_size.height() > 0 else width
        key = (address, width, height)
        if key not in self._drawn:
            self._drawn[key] = self._draw(address, width, height)
        pixmap = self._drawn[key]
        size.setWidth(pixmap.width())
        size.setHeight(pixmap.height())
        return pixmap

    def _draw(self, address: str, width: int, height: int) -> QPixmap:
        from PySide6.QtSvg import QSvgRenderer  # kept out of the first import: only drawing needs it

        name, _, colour = address.partition("/")
        source = (self._folder / f"{name}.svg").read_text(encoding="utf-8")
        renderer = QSvgRenderer(QByteArray(source.replace("currentColor", f"#{colour or '000000'}").encode()))
        image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        return QPixmap.fromImage(image)
