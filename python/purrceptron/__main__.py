"""``python -m purrceptron``: the command line."""

from purrceptron._app import main

if __name__ == "__main__":
    raise SystemExit(main())
