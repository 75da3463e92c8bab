from __future__ import annotations

from ocr_baseline.reports.text.screen import grid, printed
from ocr_baseline.reports.text.tables import Name, Strong, Table

TABLE = Table(
    headers=("Line", "Change"),
    rows=[(Name("a|b\n# c"), Strong("+9.2%")), ("2 more lines", "-1 s")],
    align="lr",
)


def test_a_table_is_the_same_in_markdown_and_on_a_screen() -> None:
    assert TABLE.markdown().splitlines() == [
        "| Line         |    Change |",
        "| ------------ | --------: |",
        "| `a\\|b # c`   | **+9.2%** |",
        "| 2 more lines |      -1 s |",
    ]
    assert printed([grid(TABLE)], width=80, color=False).splitlines() == [
        "line          change",
        "a|b # c        +9.2%",
        "2 more lines    -1 s",
    ]
