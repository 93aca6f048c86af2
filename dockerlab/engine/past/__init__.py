"""The lab as it was: what a goto, a reset or an undo has put aside, so that it can come back.

In the lab's folder of state:

    past/0007/state.json    what was about to happen, and what ran (records.py)
    past/0007/hosts/        the docker hosts of the embedded engine, moved here whole
    past/0007/config.json   the logins
    past/0007/docker/       what the lab had on a Docker Engine (engine/docker/snapshot.py)
    past/0007/swap/         the same of the state that an undo puts in its place, until that is done
    past/.new/              one that is not whole yet
    past/.gone-0007/        one that is being deleted

Each becomes what it is by one rename, so a program that is killed leaves either the old or the
new; whatever it began is brought to its end by the next one that comes (moving.py).
"""

from dockerlab.engine.past.moving import Past
from dockerlab.engine.past.problems import LabBusy, NothingKept, OtherEngine, Stuck
from dockerlab.engine.past.records import Kept

__all__ = ["Kept", "LabBusy", "NothingKept", "OtherEngine", "Past", "Stuck"]
