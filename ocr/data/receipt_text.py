"""What a synthetic receipt says: shop, items, prices that add up, payment, date."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Choice = TypeVar("Choice")

_SHOPS = (
    "CORNER MARKET", "BLUE HERON CAFE", "MILLSTONE BAKERY", "HARBOUR GROCERS", "GREEN LEAF FOODS",
    "NORTHSIDE PHARMACY", "PAPER & PEN", "SUNRISE DINER", "OLD TOWN HARDWARE", "LOTUS KITCHEN",
    "FERRY LANE BOOKS", "CITY FRESH MART", "KOPI HOUSE", "MAPLE STREET DELI", "THE SPICE ROOM",
)  # fmt: skip
_COMPANIES = ("Retail Ltd", "Trading Sdn Bhd", "Foods Inc.", "Brothers & Sons", "Supply Co.")
_STREETS = ("High Street", "Station Road", "Mill Lane", "Jalan Besar", "Park Avenue", "Quay Road")
_TOWNS = ("Ashford", "Port Ellis", "Kuala Baru", "Westbridge", "Springvale", "Lakeside")
_ITEMS = (
    "Cappuccino", "Flat white", "Iced tea", "Green tea", "Orange juice", "Mineral water",
    "Croissant", "Rye bread", "Bagel", "Cheese toast", "Club sandwich", "Fried rice", "Noodle soup",
    "Chicken curry", "Garden salad", "Fish & chips", "Milk 1L", "Eggs x12", "Butter",
    "Bananas", "Apples 1kg", "Tomatoes", "Olive oil", "Basmati rice", "Pasta", "Dark chocolate",
    "Toothpaste", "Hand soap", "Batteries AA", "Notebook A5", "Gel pen", "Masking tape", "LED bulb",
    "Wood screws", "Paint brush", "Gift card", "Paracetamol", "Plasters", "Umbrella", "Tote bag",
)  # fmt: skip
_CURRENCIES = ("", "", "$", "RM", "EUR ")
_TAXES = (("GST", 6), ("VAT", 20), ("SALES TAX", 8), ("SST", 10))
_METHODS = ("VISA", "MASTERCARD", "DEBIT", "E-WALLET")
_CLOSINGS = (
    "THANK YOU", "Please come again", "Have a nice day!", "Goods sold are not returnable",
    "Keep this receipt", "Follow us @receipts", "www.example.com",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ReceiptLine:
    """One printed line: text at the left, the centre and the right of the paper.

    `scale` is the size of its font relative to the receipt's; `barcode` draws bars instead.
    """

    left: str = ""
    center: str = ""
    right: str = ""
    scale: float = 1.0
    bold: bool = False
    barcode: bool = False


def compose_receipt(
    rng: np.random.Generator, n_items: int, n_columns: int
) -> tuple[ReceiptLine, ...]:
    """Return the lines of a receipt for paper of `n_columns` characters."""
    rule = ReceiptLine(center=_pick(rng, "-=*") * n_columns)
    currency = _pick(rng, _CURRENCIES)
    items, subtotal_cents = _compose_items(rng, n_items, n_columns)
    lines = [*_compose_head(rng), rule, *items, rule]
    lines += _compose_totals(rng, subtotal_cents, n_items, currency)
    lines.append(rule)
    closings = rng.choice(len(_CLOSINGS), size=int(rng.integers(1, 3)), replace=False)
    lines += [ReceiptLine(center=_CLOSINGS[index]) for index in closings]
    if rng.random() < 0.5:
        lines += [ReceiptLine(barcode=True, scale=2.5), ReceiptLine(center=_digits(rng, 12))]
    return tuple(lines)


def format_cents(cents: int) -> str:
    """Return an amount as it is printed, such as 1,204.50."""
    return f"{cents // 100:,}.{cents % 100:02d}"


def _compose_head(rng: np.random.Generator) -> list[ReceiptLine]:
    number = int(rng.integers(1, 240))
    lines = [
        ReceiptLine(center=_pick(rng, _SHOPS), scale=_pick(rng, (1.2, 1.35, 1.5)), bold=True),
        ReceiptLine(center=f"{number} {_pick(rng, _STREETS)}"),
        ReceiptLine(center=f"{_digits(rng, 5)} {_pick(rng, _TOWNS)}"),
    ]
    if rng.random() < 0.4:
        lines.insert(1, ReceiptLine(center=f"{_pick(rng, _TOWNS)} {_pick(rng, _COMPANIES)}"))
    if rng.random() < 0.6:
        lines.append(ReceiptLine(center=f"Tel: {_digits(rng, 3)}-{_digits(rng, 7)}"))
    if rng.random() < 0.5:
        lines.append(ReceiptLine(center=f"Tax ID {_digits(rng, 9)}"))
    day, month, year = (int(rng.integers(*span)) for span in ((1, 29), (1, 13), (2016, 2026)))
    date = _pick(
        rng,
        (f"{day:02d}/{month:02d}/{year}", f"{year}-{month:02d}-{day:02d}", f"{day}.{month}.{year}"),
    )
    time = f"{int(rng.integers(7, 23)):02d}:{int(rng.integers(60)):02d}"
    lines.append(ReceiptLine(left=f"Date: {date}", right=time))
    lines.append(
        ReceiptLine(left=f"Receipt #{_digits(rng, 6)}", right=f"Till {rng.integers(1, 9)}")
    )
    return lines


def _compose_items(
    rng: np.random.Generator, n_items: int, n_columns: int
) -> tuple[list[ReceiptLine], int]:
    upper, counted = rng.random() < 0.5, rng.random() < 0.5
    lines: list[ReceiptLine] = []
    total_cents = 0
    for index in rng.choice(len(_ITEMS), size=n_items, replace=n_items > len(_ITEMS)):
        quantity = int(rng.integers(1, 4))
        # Prices end in 0 or 5, as most do.
        price_cents = 5 * int(rng.integers(20, 800))
        name = _ITEMS[index].upper() if upper else _ITEMS[index]
        amount = format_cents(quantity * price_cents)
        total_cents += quantity * price_cents
        if counted:
            lines.append(ReceiptLine(left=f"{quantity} {name}"[: n_columns - 9], right=amount))
        else:
            lines.append(ReceiptLine(left=name[: n_columns - 9], right=amount))
            if quantity > 1:
                lines.append(ReceiptLine(left=f"  {quantity} x {format_cents(price_cents)}"))
    return lines, total_cents


def _compose_totals(
    rng: np.random.Generator, subtotal_cents: int, n_items: int, currency: str
) -> list[ReceiptLine]:
    tax, percent = _pick(rng, _TAXES)
    tax_cents = round(subtotal_cents * percent / 100)
    total_cents = subtotal_cents + tax_cents
    lines = [
        ReceiptLine(left="Subtotal", right=format_cents(subtotal_cents)),
        ReceiptLine(left=f"{tax} {percent}%", right=format_cents(tax_cents)),
        ReceiptLine(
            left="TOTAL", right=f"{currency}{format_cents(total_cents)}", scale=1.25, bold=True
        ),
    ]
    if rng.random() < 0.5:
        paid_cents = -(-total_cents // 1000) * 1000
        lines.append(ReceiptLine(left="Cash", right=format_cents(paid_cents)))
        lines.append(ReceiptLine(left="Change", right=format_cents(paid_cents - total_cents)))
    else:
        method = f"{_pick(rng, _METHODS)} ****{_digits(rng, 4)}"
        lines.append(ReceiptLine(left=method, right=format_cents(total_cents)))
    if rng.random() < 0.5:
        lines.append(ReceiptLine(left=f"Items: {n_items}"))
    return lines


def _pick(rng: np.random.Generator, choices: Sequence[Choice]) -> Choice:
    return choices[int(rng.integers(len(choices)))]


def _digits(rng: np.random.Generator, count: int) -> str:
    return "".join(str(digit) for digit in rng.integers(10, size=count))
