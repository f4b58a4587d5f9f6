"""`python -m ugcl`: the same as the command `ugcl`."""

from ugcl.cli.main import main

if __name__ == "__main__":
    main()
