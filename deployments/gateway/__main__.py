"""``python -m deployments.gateway serve`` and ``python -m deployments.gateway secret NAME``."""

import argparse
import getpass
import sys

from deployments.gateway.people import SERVICE, SecretHash
from gatewright.core.errors import GatewrightError, SpecError
from gatewright.services.store import valid_name

__all__ = ["main"]

SHORTEST = 12


def main() -> int:
    """Exit codes: 0 ended, 1 refused."""
    arguments = _arguments()
    try:
        if arguments.command == "secret":
            print(_line(arguments.name))
        else:
            from deployments.gateway.serving import serve

            serve(arguments.host, arguments.port)
    except GatewrightError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _line(name: str) -> str:
    """The line for the credential file; the secret itself is asked for, and kept nowhere."""
    if valid_name(name) == SERVICE:
        raise SpecError(f"`{SERVICE}` is no person.", where=name, remedy="name somebody of the roster.")
    secret = getpass.getpass(f"Secret of {name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not (secret.isascii() and secret.isprintable()) or secret != secret.strip() or len(secret) < SHORTEST:
        raise SpecError(
            f"a secret has at least {SHORTEST} visible ASCII characters.", where=name, remedy="choose another one."
        )
    return f"{name}: {SecretHash.of(secret)}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deployments.gateway", description="Prefect's server, with logins.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve Prefect's API and UI behind logins")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=4200)
    secret = commands.add_parser("secret", help="make a person's line of the credential file")
    secret.add_argument("name", help="the person's id in the roster")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
