"""How int8 works, in the numbers of one word: a weight, an input, their sum, and fewer bits."""
