"""The script that makes a shell complete commands, episodes, series, keys and options."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")
_NO_BLANK = "    [[ ${#COMPREPLY[@]} == 1 && $COMPREPLY == *= ]] && compopt -o nospace\n"
"""A value follows ``title=`` at once."""


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion_(context: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL.

    \b
    bash    eval "$(produce completion bash)"          in ~/.bashrc
    zsh     eval "$(produce completion zsh)"           in ~/.zshrc, after compinit
    fish    produce completion fish > ~/.config/fish/completions/produce.fish
    """
    from click.shell_completion import ShellComplete, get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    # bash's own class would start bash to ask for its version: the words it needs are known to every bash since 4.4.
    script = ShellComplete.source(found(context.find_root().command, {}, "produce", "_PRODUCE_COMPLETE"))
    click.echo(script.replace("    return 0\n", f"{_NO_BLANK}    return 0\n", 1) if shell == "bash" else script)
