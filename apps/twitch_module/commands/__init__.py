"""What the operator types: one file per group of commands of `python -m apps.twitch_module.cli`."""
