"""Figures as people say them: sizes, speeds, pages, durations and verdicts."""

from __future__ import annotations

from snug.core.fit import Fit, SpeedRange, Verdict

TOKENS_PER_WORD = 4 / 3
"""English prose: about three words to four tokens, the usual rule of thumb for today's vocabularies."""
TOKENS_PER_PAGE = 500
"""A page of text, about 375 words."""

SLOW_WORDS_PER_S = 2.0
"""Half the pace of slow silent reading, about four words a second (see `recommend`)."""

VERDICT_TEXTS = {Verdict.FITS_WELL: "Fits well", Verdict.TIGHT: "Tight", Verdict.TOO_BIG: "Too big"}
_SOLD_GIB = (1, 2, 3, 4, 6, 8, 10, 11, 12, 16, 18, 20, 24, 32, 36, 40, 48, 64, 80, 96, 128, 192, 256, 384, 512, 768,
             1024)  # fmt: skip
_SIZE_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


def size_text(size_bytes: float) -> str:
    """The size in decimal units with about two figures: "3.1 GB", "480 MB", "12 bytes"."""
    value = max(0.0, float(size_bytes))
    unit = 0
    while value >= 999.5 and unit < len(_SIZE_UNITS) - 1:
        value /= 1000
        unit += 1
    if unit == 0:
        return f"{round(value)} {'byte' if round(value) == 1 else 'bytes'}"
    return f"{value:.1f} {_SIZE_UNITS[unit]}" if value < 9.95 else f"{round(value)} {_SIZE_UNITS[unit]}"


def sold_text(size_bytes: float) -> str:
    """Memory as it is sold, in binary units under their usual names: 16 x 2^30 bytes are "16 GB", 31.3 GiB "32 GB".

    For totals of main and graphics memory alone, of which a system and a driver keep a little: a size that lies up to
    6 % below one that is sold is shown as that; other sizes keep about two figures.
    """
    gib = max(0.0, float(size_bytes)) / 2**30
    if gib < 0.95:
        return f"{round(gib * 1024)} MB"
    for size in _SOLD_GIB:
        if 0.94 * size <= gib <= 1.005 * size:
            return f"{size} GB"
    return f"{gib:.1f} GB" if gib < 9.95 else f"{round(gib)} GB"


def free_of_text(free: float, total: float) -> str:
    """What is free of a memory, the total as it is sold: "12 GB of 16 GB".

    Free memory is counted in powers of ten, as files and models are. Where that figure would exceed the name of the
    size, because hardly anything is in use, it is "nearly all of 16 GB".
    """
    sold = sold_text(total)
    return f"{size_text(free)} of {sold}" if free / 1e9 <= total / 2**30 else f"nearly all of {sold}"


def rate_text(bytes_per_s: float) -> str:
    """A transfer rate: "12 MB a second"."""
    return f"{size_text(bytes_per_s)} a second"


def words_per_second(tokens_per_s: float) -> float:
    """Words a second that so many tokens a second make."""
    return tokens_per_s / TOKENS_PER_WORD


def words_per_second_text(speed: SpeedRange | None) -> str:
    """The middle of a speed range in words: "about 14 words a second"."""
    if speed is None:
        return "speed not known yet"
    words = words_per_second(speed.mid)
    if words < 0.5:
        return f"about {_whole(60 * words)} words a minute"
    if words < 9.5:
        number = f"{words:.1f}".removesuffix(".0")
        return "about 1 word a second" if number == "1" else f"about {number} words a second"
    return f"about {_whole(words)} words a second"


def words_range_text(speed: SpeedRange | None) -> str:
    """Both ends of a speed range in words: "9 to 16 words a second"."""
    if speed is None:
        return "speed not known yet"
    low, high = (_short(words_per_second(end)) for end in (speed.low, speed.high))
    return f"{low} words a second" if low == high else f"{low} to {high} words a second"


def pages_text(tokens: int) -> str:
    """How much a context of that many tokens holds: "about 60 pages"."""
    pages = tokens / TOKENS_PER_PAGE
    if pages < 0.75:
        return "less than a page"
    return "about 1 page" if round(pages) == 1 else f"about {_whole(pages)} pages"


def duration_text(seconds: float) -> str:
    """A length of time: "a moment", "about 40 seconds", "about 6 minutes", "about 3 hours", "about 2 days"."""
    if seconds < 1.5:
        return "a moment"
    for limit, size, one, many in (
        (55, 1, "second", "seconds"),
        (55 * 60, 60, "minute", "minutes"),
        (36 * 3600, 3600, "hour", "hours"),
        (float("inf"), 86400, "day", "days"),
    ):
        if seconds < limit:
            count = max(1, round(seconds / size))
            if size == 1 and count > 10:
                count = 5 * round(count / 5)
            return f"about {'an' if one == 'hour' else 'a'} {one}" if count == 1 else f"about {count} {many}"
    raise AssertionError("the last limit is infinite")


def verdict_text(fit: Fit) -> str:
    """The answer's words: "Fits well", "Tight", "Too big"; "Fits, but slow" where there is room but no pace."""
    return "Fits, but slow" if is_slow(fit) else VERDICT_TEXTS[fit.verdict]


def is_slow(fit: Fit) -> bool:
    """Whether there is room for the model, but it would write slower than anyone reads."""
    pace = None if fit.speed is None else words_per_second(fit.speed.mid)
    return fit.verdict is Verdict.FITS_WELL and pace is not None and pace < SLOW_WORDS_PER_S


def parameters_text(parameters: int) -> str:
    """A model's size as its makers write it: "7.6B", "360M"."""
    for size, letter in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K")):
        if parameters >= 0.9995 * size:
            value = parameters / size
            return f"{value:.1f}".removesuffix(".0") + letter if value < 9.95 else f"{round(value)}{letter}"
    return str(parameters)


def count_text(number: int) -> str:
    """A large number in words: "4 billion", "1.2 billion", "7 million"."""
    for size, word in ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (10**3, "thousand")):
        if number >= 0.9995 * size:
            value = number / size
            return f"{value:.1f} {word}".replace(".0 ", " ") if value < 9.95 else f"{round(value)} {word}"
    return str(number)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if value < 9.95 else str(_whole(value))


def _whole(value: float) -> int:
    """Rounded to two figures above one hundred, so that an estimate does not look exact."""
    whole = round(value)
    if whole < 100:
        return whole
    step = int(10 ** (len(str(whole)) - 2))
    return step * round(whole / step)
