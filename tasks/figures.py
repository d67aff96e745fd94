"""Figures as people read them: the losses of rare events are small."""


def figure(value: float | None, sign: str = "") -> str:
    """With four decimals, or three significant digits below a hundredth; nothing for None.

    `sign` is "+" where it is to be said of what is above zero, too.
    """
    if value is None:
        return ""
    small = 0 < abs(value) < 0.01
    return format(value, f"{sign}#.3g" if small else f"{sign}.4f")
