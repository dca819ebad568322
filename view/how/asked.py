"""What How explains: a text, one of its words, a matrix and a row of it."""

from dataclasses import dataclass

from view.how import numbers
from view.shared import server
from wlm.catalog.registry import find_model
from wlm.explaining.inputs import InputGrid, highest_level
from wlm.explaining.snippets import lines_of
from wlm.explaining.word import WordAt
from wlm.inspecting.parts import matrix_label
from wlm.inspecting.weight_error import Histogram
from wlm.paths import shown_path
from wlm.sampling.candidates import Candidate


@dataclass(frozen=True)
class Asked:
    """A model, the words that it reads and the place of one, from 0; a matrix by its name in the
    fp32 state_dict, a row of it, and whether each row has a scale of its own."""

    model: str
    words: tuple[str, ...]
    at: int
    matrix: str
    row: int
    by_row: bool

    @property
    def word(self) -> str:
        """The word that was read last."""
        return self.words[self.at]

    @property
    def name(self) -> str:
        """What the matrix is called."""
        return matrix_label(self.matrix)

    def label(self, row: int) -> str:
        """Return what a row of the matrix stands for."""
        return numbers.label_of(self.model, self.matrix, row)

    def in_numbers(self) -> WordAt:
        """Return what the row makes of the matrix' input at the word."""
        return numbers.word_of(self.model, self.words, self.at, self.matrix, self.row, self.by_row)

    def ranges(self) -> list[tuple[float, float]]:
        """Return the range of the matrix' input at each word."""
        variant = numbers.variant_of(self.by_row)
        return numbers.reading_of(self.model, variant, self.words).ranges(self.matrix)

    def static(self) -> numbers.Static:
        """Return what static quantization would have fixed."""
        return numbers.static_of(self.model)

    def static_grid(self) -> InputGrid:
        """Return the grid that static quantization would have fixed for the matrix' input."""
        return self.static().grids[self.matrix]

    def histogram(self) -> Histogram:
        """Return the histogram of the matrix over its grid."""
        return numbers.histogram_of(self.model, self.matrix, self.by_row)

    def next_words(self) -> list[Candidate]:
        """Return the likeliest next words under fp32 and int8."""
        return numbers.likely(self.model, self.words, self.at, self.by_row)

    def fewer(self, bits: int) -> numbers.Fewer:
        """Return what so many bits make of the model."""
        return numbers.fewer(self.model, self.words, self.at, self.matrix, self.by_row, bits)

    def lines(self, bits: int) -> tuple[str, ...]:
        """Return the code of the five steps."""
        return lines_of(
            shown_path(find_model(self.model)),
            self.words[: self.at + 1],
            self.matrix,
            self.row,
            by_row=self.by_row,
            bits=bits,
            highest=highest_level(),
            likely=min(10, server.config_of(self.model).ntoken),
        )
