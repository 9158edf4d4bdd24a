"""Amounts in Vietnamese words, as financial documents of the state write them."""

from __future__ import annotations

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")


def dong_in_words(amount: int) -> str:
    """Write an amount of đồng in words.

    Parameters
    ----------
    amount : int
        0 to below 10^18, in đồng.

    Examples
    --------
    >>> dong_in_words(1_205_000)
    'Một triệu hai trăm linh năm nghìn đồng'
    >>> dong_in_words(21_015)
    'Hai mươi mốt nghìn không trăm mười lăm đồng'
    """
    if not 0 <= amount < 10**18:
        raise ValueError(f"amount must lie between 0 and 10^18. Got {amount}.")
    text = " ".join(_words(amount) or ["không"]) + " đồng"
    return text[0].upper() + text[1:]


def _words(amount: int, *, is_first: bool = True) -> list[str]:
    """Write an amount in groups of three digits; what is above a thousand million is itself such an amount."""
    high, low = divmod(amount, 10**9)
    words = [*_words(high, is_first=is_first), "tỷ"] if high else []
    is_first = is_first and not high
    for power, name in ((10**6, "triệu"), (10**3, "nghìn"), (1, "")):
        group = low // power % 1000
        if group:
            words.append(_three(group, is_first=is_first))
            words += [name] if name else []
        is_first = is_first and not group
    return words


def _three(group: int, *, is_first: bool) -> str:
    """Write up to three digits; after a higher group the hundreds are always said."""
    hundreds, rest = divmod(group, 100)
    tens, ones = divmod(rest, 10)
    words = []
    if hundreds or not is_first:
        words.append(f"{DIGITS[hundreds]} trăm")
    if tens == 0:
        if ones:
            words.append(f"linh {DIGITS[ones]}" if words else DIGITS[ones])
        return " ".join(words)
    words.append("mười" if tens == 1 else f"{DIGITS[tens]} mươi")
    if ones == 1 and tens > 1:
        words.append("mốt")
    elif ones == 5:
        words.append("lăm")
    elif ones:
        words.append(DIGITS[ones])
    return " ".join(words)
