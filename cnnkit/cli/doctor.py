"""`cnnkit doctor`."""

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb


@click.command("doctor", cls=Verb)
@_options.json_option
def doctor_command(as_json: bool) -> None:
    """Look at this machine: versions, providers that really open a session, cores, conflicts.

    Each problem comes with its mend. Exit code 1 when something keeps cnnkit from working.
    """
    from cnnkit import doctor

    found = doctor.diagnose()
    if as_json:
        _output.emit_json(found.to_dict())
    else:
        _output.say(f"cnnkit {found.cnnkit}, Python {found.python}, {found.platform}")
        _output.say(f"cores: {found.cores} ({found.cores_reason}); that many workers with one thread each by default")
        _output.table(["package", "version"], [[name, version or "-"] for name, version in found.versions.items()])
        rows = [[check.name, "yes" if check.opens else "no", check.detail] for check in found.providers]
        _output.table(["provider", "opens", "detail"], rows)
        for finding in found.findings:
            _output.say(f"{finding.level}: {finding.what}\n  mend: {finding.mend}")
        if not found.findings:
            _output.say("Nothing wrong was found.")
    if not found:
        raise click.exceptions.Exit(1)
