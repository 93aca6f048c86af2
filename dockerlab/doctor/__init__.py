"""What a class needs of this machine: each thing looked at, and what to do where it is missing."""

from __future__ import annotations

from dockerlab.doctor.finding import Finding


def examine() -> list[Finding]:
    """Look at everything; the looks into the network run beside the others."""
    from dockerlab.doctor import engines, folders, machine, network, ports, software

    with network.Looks() as looks:
        found = [
            software.python(),
            software.dockerlab(),
            software.packages(),
            engines.engine(),
            *ports.ports(),
            machine.disk(),
            machine.memory(),
            machine.font(),
            machine.browser(),
            *folders.folders(),
            network.proxy(),
        ]
        answer = looks.answer()
    image = engines.registry_image(online=answer.hub)
    return [*found, image, network.internet(answer), network.clock(answer)]


__all__ = ["Finding", "examine"]
