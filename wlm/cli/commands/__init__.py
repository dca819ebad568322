"""The commands: one file each, with its help, EXAMPLES, `add_options(parser)` and `run(options)`.

A command imports its packages only when it runs, so that help is fast.
"""
