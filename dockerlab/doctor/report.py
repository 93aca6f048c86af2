"""How the findings are told: as lines, or as JSON.

    {"version": 1, "ok": BOOLEAN, "findings": [{"name", "state", "value", "fix"}, …]}

`state` is `ok`, `warning` or `fault`; `ok` is false if any is a fault. Names stay as they are in
every language and version; `value` and `fix` are for people, in the language of the reader.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from dockerlab.doctor.finding import FAULT, OK, WARNING, Finding, State
from dockerlab.i18n import _, digits

VERSION = 1
MARKS: dict[State, str] = {OK: "✓", WARNING: "!", FAULT: "✗"}


def is_ready(findings: Sequence[Finding]) -> bool:
    """Whether a class can begin."""
    return all(one.state != FAULT for one in findings)


def to_json(findings: Sequence[Finding]) -> str:
    """The stable form."""
    found = [one.to_json() for one in findings]
    told = {"version": VERSION, "ok": is_ready(findings), "findings": found}
    return json.dumps(told, ensure_ascii=False, indent=1)


def line(finding: Finding) -> str:
    """What a finding says, and below it what to do."""
    words = {OK: _("ok"), WARNING: _("look"), FAULT: _("fault")}
    mark = f"{MARKS[finding.state]} {words[finding.state]}"
    below = f"\n    → {finding.fix}" if finding.fix else ""
    return f"{mark} · {finding.label}: {finding.value}{below}"


def summary(findings: Sequence[Finding]) -> str:
    """All of it in a sentence."""
    faults = sum(one.state == FAULT for one in findings)
    warnings = sum(one.state == WARNING for one in findings)
    if faults:
        said = _("Not ready for a class yet. Faults: {faults}, to be looked at: {warnings}.")
    elif warnings:
        said = _("Ready for a class. To be looked at: {warnings}.")
    else:
        said = _("Ready for a class.")
    return said.format(faults=digits(faults), warnings=digits(warnings))
