"""The formula of each step, and the lines of torch that compute it."""

import streamlit as st

from view.how.asked import Asked

# On two lines where one is wider than a phone.
FORMULAS = (
    r"q = \mathrm{round}\left(\frac{w}{s}\right), \quad s = \frac{\max |w|}{127.5}",
    r"\begin{gathered} q = \mathrm{round}\left(\frac{x}{s}\right) + z \\"
    r" s = \frac{\max x - \min x}{%d}, \quad z = \mathrm{round}\left(\frac{-\min x}{s}\right)"
    r" \end{gathered}",
    r"y = \Big(\sum_i q^w_i q^x_i - z \sum_i q^w_i\Big) \, s_w \, s_x + b",
    r"p_i = \frac{e^{y_i}}{\sum_j e^{y_j}}",
    r"\begin{gathered} q = \mathrm{round}\left(\frac{w}{s}\right), \quad"
    r" s = \frac{\max |w|}{2^{b-1} - \frac12} \\ -2^{b-1} \le q < 2^{b-1} \end{gathered}",
)


def show_lines(asked: Asked, step: int, bits: int = 4) -> None:
    """Show a step's formula and code, which goes on from those of the steps before."""
    formula = FORMULAS[step - 1]
    st.latex(formula % asked.in_numbers().grid.highest if "%d" in formula else formula)
    lines = asked.lines(bits)
    with st.expander("The lines that compute it", icon=":material/code:"):
        st.code(lines[step - 1], language="python")
        if step > 1:
            st.caption("It goes on from the lines of the steps before.")
