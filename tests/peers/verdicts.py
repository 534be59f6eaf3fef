"""Who was strictest: a rank for what each proxy let through, a verdict a case, and the page that tells it."""

import collections
import dataclasses

import reasons
from cases import LEGAL, printable

OURS = "rr-lb"

# A request that somebody could read differently: the higher the better.
WRONG, ODD, KEPT, CLOSED, BEGUN, NOTHING = range(6)


@dataclasses.dataclass
class Judged:
    case: object
    cells: dict       # proxy: what it came to, in words
    verdict: str
    unexplained: bool = False
    wrong: bool = False   # rr-lb gave somebody what was not theirs


def whole_requests(observation):
    return [one for one in observation.seen if one.whole]


def rank_request(case, observation):
    if observation.poisoned:
        return WRONG
    whole = whole_requests(observation)
    odd = any(one.oddities for one in whole)
    if case.status:
        final = final_answer(observation)
        served = final is not None and final.status == case.status and not odd
        return WRONG if not served else KEPT if observation.kept else ODD
    if case.kind == LEGAL:
        return WRONG if not whole else ODD if odd else KEPT
    if not whole:
        return BEGUN if observation.seen else NOTHING
    return ODD if odd else KEPT if observation.kept else CLOSED


def final_answer(observation):
    return next((one for one in observation.answers if one.status >= 200), None)


def rank_answer(case, observation):
    if observation.poisoned or observation.leaked:
        return WRONG
    final = final_answer(observation)
    if case.kind == LEGAL:
        return WRONG if final is None or final.status >= 500 or not final.whole else ODD if final.oddities else KEPT
    if final is None or final.status >= 500:
        return NOTHING if final else BEGUN
    if not final.whole:
        return BEGUN
    # An answer that was cut and looks whole, or one that another reader could take for something else.
    return ODD if final.oddities or case.group == "Cut answers" else KEPT


def tell_request(observation):
    statuses = " + ".join(str(one.status or "no HTTP") for one in observation.answers) or "no answer"
    text = f"{statuses}, {'kept' if observation.kept else 'closed'}"
    if not observation.seen:
        return text
    for number, one in enumerate(observation.seen):
        line = one.start if len(one.start) < 48 else one.start[:40] + b"..."
        text += f"{'; then' if number else '; target:'} `{printable(line)}`, {one.framing}"
        text += "" if one.whole else " (begun only)"
        text += f", **odd: {', '.join(sorted(set(one.oddities)))}**" if one.oddities else ""
    return text


def tell_answer(observation):
    parts = []
    for one in observation.answers:
        text = str(one.status or "**no HTTP**")
        if one.status >= 200:
            text += "" if one.whole else " cut"
            text += f" (odd: {', '.join(sorted(set(one.oddities)))})" if one.oddities else ""
        parts.append(text)
    shown = [f"{len(list(same))} x {text}" if len(list(same)) > 1 else text for text, same in grouped(parts)]
    text = " + ".join(shown) or "no answer"
    text += ", kept" if observation.kept else ", closed"
    text += ", **bytes of no answer**" if observation.leaked else ""
    return text + (", **poisoned**" if observation.poisoned else "")


def grouped(parts):
    runs = []
    for one in parts:
        if runs and runs[-1][0] == one:
            runs[-1][1].append(one)
        else:
            runs.append((one, [one]))
    return runs


def compare(case, ranks):
    """(verdict, whether a peer was stricter and nobody knows why that is right)."""
    peers = {name: rank for name, rank in ranks.items() if name != OURS}
    own = ranks.get(OURS)
    if own is None or not peers:
        return "not compared", False
    if all(rank == own for rank in peers.values()):
        return "same", False
    better = sorted(name for name, rank in peers.items() if rank > own)
    reason = reasons.find(case)
    if not better:
        return ("rr-lb serves it" if case.kind == LEGAL else "rr-lb is stricter"), False
    who = " and ".join(better)
    words = f"{who} serve{'s' if len(better) == 1 else ''} it" if case.kind == LEGAL \
        else f"{who} {'is' if len(better) == 1 else 'are'} stricter"
    return f"{words}: {reason or 'no reason is known'}", reason is None


def judge(requests, answers, observed):
    found = []
    for group, rank, tell in ((requests, rank_request, tell_request), (answers, rank_answer, tell_answer)):
        for case in group:
            of_case = {name: observations[case.group, case.name] for name, observations in observed.items()}
            ranks = {name: rank(case, one) for name, one in of_case.items()}
            verdict, unexplained = compare(case, ranks)
            own = of_case.get(OURS)
            wrong = own is not None and (own.poisoned or own.leaked)
            found.append(Judged(case, {name: tell(one) for name, one in of_case.items()}, verdict, unexplained, wrong))
    return found


def short(verdict):
    return verdict.split(":")[0]


HEAD = """# The same bytes through rr-lb and its peers

What rr-lb, nginx and HAProxy let through, case by case: clients that send what two servers could read differently, targets
that send what no client should get. `./peers` writes this page; it starts the three in front of a target that records every
byte, with the same limits of time, connections to the target kept, no second try, and everything else as the programs come.

How to read a line: what the client got, whether its connection took the next request (kept) or not (closed), and what the
target saw. *Odd* is what another reader could take for something else. "begun only": the target saw the beginning of a
request that never ended. In the tables of answers: "cut" is an answer whose end the client can see to be missing.
"""


def page(judged, versions):
    text = HEAD + "\nVersions: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + ".\n\n"
    counts = collections.Counter(short(one.verdict) for one in judged)
    text += "| verdict | cases |\n|---|---|\n" + "".join(f"| {what} | {count} |\n" for what, count in counts.most_common())
    group = None
    names = list(versions)
    for one in judged:
        if one.case.group != group:
            group = one.case.group
            text += f"\n## {group}\n\n| case | {' | '.join(names)} | verdict |\n|{'---|' * (len(names) + 2)}\n"
        cells = [one.case.name, *[one.cells[name] for name in names], one.verdict]
        text += "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
    return text


def conclude(judged):
    """Prints what is not as it should be; the exit status."""
    failures = [f"{one.case.group}, {one.case.name}: {one.verdict}: {one.cells}" for one in judged if one.unexplained]
    failures += [f"{one.case.group}, {one.case.name}: rr-lb gave somebody what was not theirs: {one.cells[OURS]}"
                 for one in judged if one.wrong]
    counts = collections.Counter(short(one.verdict) for one in judged)
    for line in failures:
        print(f"FAILED: {line}")
    print(f"peers: {len(judged)} cases: " + ", ".join(f"{count} {what}" for what, count in counts.most_common())
          + ("; " + str(len(failures)) + " failed" if failures else ""))
    return 1 if failures else 0
