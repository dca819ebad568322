"""The words of the tiny model, and a line of its text."""

WORDS = (
    "<eos> <unk> the a of and in river bridge stone = , . @-@ @,@ was built over old town".split()
)
LINE = " the old bridge over the river was built of stone , in the town . \n"
