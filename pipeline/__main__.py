"""``python -m pipeline``."""

import sys


def _run() -> None:
    try:
        from pipeline.cli import main  # noqa: PLC0415 - what it needs may not be here, which is then said

        main()
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.partition(".")[0] == "pipeline":
            raise
        sys.exit(
            f"Error: {sys.executable} does not have what this program needs ({missing}). `make demo` installs it into "
            ".venv: then run `. .venv/bin/activate` first, or .venv/bin/python instead of python."
        )


if __name__ == "__main__":
    _run()
