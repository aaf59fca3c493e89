"""A line plot as SVG, by hand: one small picture is not worth a plotting library. Pure."""

from collections.abc import Sequence

WIDTH, HEIGHT, LEFT, BOTTOM = 720, 300, 80, 40


def line(title: str, across: str, points: Sequence[tuple[float, float]]) -> str:
    """Return the SVG of points over a zero-based vertical axis."""
    right = max(x for x, _ in points)
    top = _round_up(max(y for _, y in points))
    path = " ".join([f"{_x(x, right):.1f},{_y(y, top):.1f}" for x, y in points])
    marks = [_mark(LEFT - 8, _y(top * part / 4, top) + 4, f"{top * part / 4:,.0f}", "end") for part in range(5)]
    marks += [
        _mark(_x(right * part / 4, right), HEIGHT - BOTTOM + 16, f"{right * part / 4:,.0f}", "middle")
        for part in range(5)
    ]
    rules = [
        f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{_y(top * part / 4, top):.1f}" y2="{_y(top * part / 4, top):.1f}" '
        f'stroke="#ddd"/>'
        for part in range(5)
    ]
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        ' font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *rules,
        *marks,
        _mark(LEFT, 20, title, "start"),
        _mark(WIDTH - 20, HEIGHT - 6, across, "end"),
        f'<polyline points="{path}" fill="none" stroke="#2266aa" stroke-width="1.5"/>',
        "</svg>",
        "",
    ])  # fmt: skip


def _x(value: float, right: float) -> float:
    return LEFT + value / right * (WIDTH - 20 - LEFT)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - 36)


def _round_up(value: float) -> float:
    size = float("1" + "0" * (len(str(int(value))) - 1))
    return -(-value // size) * size


def _mark(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
