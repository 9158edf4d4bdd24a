"""Amounts in Vietnamese words, as financial documents of the state write them."""

from __future__ import annotations

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
GROUPS = ("", "nghìn", "triệu", "tỷ", "nghìn tỷ", "triệu tỷ")


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
    if amount == 0:
        return "Không đồng"
    groups = []
    while amount:
        amount, group = divmod(amount, 1000)
        groups.append(group)
    words = []
    for place in range(len(groups) - 1, -1, -1):
        if groups[place]:
            words += [_three(groups[place], is_first=place == len(groups) - 1), GROUPS[place]]
    text = " ".join(word for word in words if word) + " đồng"
    return text[0].upper() + text[1:]


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
