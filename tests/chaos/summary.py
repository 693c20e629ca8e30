"""What a run says of itself when it is over."""

from operations import LEAST
from oracle import Standing


def summary_of(chaos) -> str:
    """Its figures; the last line is the shortest."""
    world, judge, operations, faults = chaos.world, chaos.judge, chaos.operations, chaos.faults
    recorders, observer = world.recorders, chaos.observer
    records = len(world.github.raw())
    runs = sum(it.standing is Standing.RUNS for it in judge.seen.values())
    peak = max(it.peak for it in recorders) / 1024
    starts, gave_way = (sum(getattr(it, what) for it in recorders) for what in ("starts", "gave_way"))
    rate = operations.done / chaos.lasted
    lines = [
        f"faults: {counted(faults.done)}",
        f"operations: {counted(operations.by_kind)}; {operations.again} times asked again",
        f"cluster: {observer.events:,} events, {observer.lists} lists; revived: {counted(world.revived)};"
        f" pods with the state of another one: {observer.mixed_up}",
        f"GitHub: {judge.requests} requests, {judge.reports:,} reports and {judge.ends:,} ends in them,"
        f" {judge.judged:,} of which could be judged",
        f"recorders: at most {peak:.1f} MiB; started {starts} times, {gave_way} of them after they gave way",
    ]
    if chaos.settled:
        lines.append(f"equal {chaos.settled:.0f} s after the last fault and operation; {runs} containers run")
    if rate < LEAST:
        lines.append(f"fewer than {LEAST:g} operations a second: the machine was too busy")
    if chaos.pace:
        lines.append(f"beyond what one recorder knows of another's requests: {counted(chaos.pace)}")
    if missing := [kind for kind in sorted(faults.kinds) if not faults.done.get(kind)]:
        lines.append(f"nothing was struck by: {', '.join(missing)}")
    lines.append(
        f"chaos: {chaos.lasted / 60:.0f} min, {operations.done:,} operations ({rate:.1f}/s),"
        f" {sum(faults.done.values())} faults, {records} records:"
    )
    return "\n".join(lines)


def counted(counts: "dict[str, int]") -> str:
    return ", ".join(f"{what} {count}" for what, count in sorted(counts.items())) or "none"
