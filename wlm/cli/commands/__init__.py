"""The commands: one file each, with its help, EXAMPLES, `add_options(parser)` and `run(options)`.

Each imports what it runs only when it runs, so that help comes at once.
"""
