"""Frames filled with the values in their slots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ibert_builder.templating.frames import Frame, Piece, Placeholder
from ibert_builder.templating.values import CANONICAL, Style


def render_frame(frame: Frame, values: Mapping[str, Any], style: Style = CANONICAL) -> str:
    """Fill a frame's placeholders with values, in the frame's language."""
    if frame.language == "sql":
        frame = frame.lower if style.keywords_lower else frame
        frame = frame.one_line if style.one_line else frame
    if frame.language == "en":
        return frame.render(lambda place: _in_english(place, values, style))
    if not (style.deferred and frame.language == "ibis"):
        return frame.render(lambda place: values[place.slot].render(frame.language, place, style))
    plain = Style(brackets=style.brackets)
    order = iter(range(len(frame.placeholders)))
    return frame.render(
        lambda place: values[place.slot].render(
            "ibis", place, style if next(order) in frame.deferrable else plain
        )
    )


def _in_english(place: Placeholder, values: Mapping[str, Any], style: Style) -> Piece:
    """A value in an English text, which may quote the value's code."""
    quoted = {"code": None, "deferred": "_"}
    if place.spec in quoted:
        return values[place.slot].render(
            "ibis", Placeholder(place.slot, place.part, quoted[place.spec]), style
        )
    return values[place.slot].render("en", place, style)
