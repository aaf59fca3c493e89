"""Two small pictures as SVG, by hand: not worth a plotting library. Pure."""

from collections.abc import Sequence
from html import escape

import attrs

from tests.bench.goals import Goal

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 340, 70, 24, 54, 48
BLUE, GREY, RULE, TEXT, RED = "#1f6fb2", "#9db4c8", "#dddddd", "#333333", "#c0392b"
NAMES, ROW, MOST = 400, 24, 2.5  # the bars: width of the names, height of a row, longest bar in promises


@attrs.frozen
class Line:
    """A name and its points; one that is `faint` is drawn behind, as dots."""

    name: str
    points: Sequence[tuple[float, float]]
    is_faint: bool = False


def growth(title: str, lines: Sequence[Line]) -> str:
    """Return lines over stored events, both axes from zero."""
    everything = [point for line in lines for point in line.points]
    right, top = max(x for x, _ in everything), _round_up(max(y for _, y in everything))

    def x(value: float) -> float:
        return LEFT + value / right * (WIDTH - RIGHT - LEFT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP)

    parts = [_text(LEFT, 22, title, size=15)]
    for tick in [top * part / 4 for part in range(5)]:
        parts.append(f'<path d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}" stroke="{RULE}"/>')
        parts.append(_text(LEFT - 8, y(tick) + 4, f"{tick:,.0f}", "end"))
    step = _round_step(right / 8)
    for tick in [step * part for part in range(int(right / step) + 1)]:
        parts.append(_text(x(tick), HEIGHT - BOTTOM + 18, f"{tick / 1e6:g}", "middle"))
    parts.append(_text(LEFT + (WIDTH - RIGHT - LEFT) / 2, HEIGHT - 10, "million events stored", "middle"))
    for line in lines:
        places = [(x(across), y(up)) for across, up in line.points]
        if line.is_faint:
            parts += [f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="1.8" fill="{GREY}"/>' for cx, cy in places]
        else:
            path = " ".join([f"{px:.1f},{py:.1f}" for px, py in places])
            parts.append(f'<polyline points="{path}" fill="none" stroke="{BLUE}" stroke-width="2"/>')
    parts += _legend(lines)
    return _svg(HEIGHT, parts)


def bars(goals: Sequence[Goal]) -> str:
    """Return how far each promise is kept: 1 is the least that was promised, and longer is always better."""
    promised = [goal for goal in goals if goal.least is not None]
    bottom = TOP + ROW * len(promised)

    def x(value: float) -> float:
        return NAMES + min(value, MOST) / MOST * (WIDTH - RIGHT - 40 - NAMES)

    parts = [_text(12, 22, "Measured over what was promised (longer is better)", size=15)]
    for row, goal in enumerate(promised):
        middle = TOP + ROW * row + ROW / 2
        reached = kept(goal, goal.measured.middle)
        parts.append(_text(NAMES - 10, middle + 4, goal.text, "end"))
        colour = GREY if not goal.certain else BLUE if goal.is_met else RED
        parts.append(
            f'<rect x="{NAMES}" y="{middle - 7:.1f}" width="{x(reached) - NAMES:.1f}" height="14" fill="{colour}"/>'
        )
        parts.append(_text(WIDTH - 12, middle + 4, f"{reached:.2f}", "end"))
        if goal.aim is not None:
            parts.append(
                f'<path d="M{x(kept(goal, goal.aim)):.1f} {middle - 10:.1f}v20" stroke="{TEXT}" stroke-width="2"/>'
            )
    parts.append(f'<path d="M{x(1):.1f} {TOP - 6}V{bottom + 4}" stroke="{TEXT}" stroke-dasharray="4 3"/>')
    parts.append(_text(x(1), TOP - 10, "at least", "middle"))
    parts.append(_text(12, bottom + 20, "A short upright line is the aim. Grey: others disturbed the run."))
    return _svg(bottom + 32, parts)


def kept(goal: Goal, value: float) -> float:
    """Return a value in units of the least that was promised, turned round for a ceiling."""
    assert goal.least is not None
    return goal.least / value if goal.is_ceiling else value / goal.least


def _legend(lines: Sequence[Line]) -> list[str]:
    parts: list[str] = []
    across = float(LEFT)
    for line in lines:
        mark = f'<circle cx="{across + 8:.1f}" cy="38" r="3" fill="{GREY}"/>'
        if not line.is_faint:
            mark = f'<path d="M{across:.1f} 38h16" stroke="{BLUE}" stroke-width="2"/>'
        parts += [mark, _text(across + 22, 42, line.name)]
        across += 40 + 6.4 * len(line.name)
    return parts


def _round_up(value: float) -> float:
    """Return the next number above that divides well by four."""
    size = 10.0 ** (len(str(int(value))) - 1)
    return next(size * factor for factor in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 4.8, 6, 8, 10) if size * factor >= value)


def _round_step(value: float) -> float:
    """Return the next number with which one counts: 1, 2 or 5 and noughts."""
    size = 10.0 ** (len(str(int(value))) - 1)
    return next(size * factor for factor in (1, 2, 5, 10) if size * factor >= value)


def _text(x: float, y: float, text: str, anchor: str = "start", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'


def _svg(height: int, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"'
    background = f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
    return "\n".join([f'{head} fill="{TEXT}">', background, *parts, "</svg>", ""])
