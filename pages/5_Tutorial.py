"""Tutorial: the guided tour in eight steps, from the model to the tools of today."""

from view.shared.page import errors_shown, start_page
from view.tutorial.place import place
from view.tutorial.slide import show_page, show_slide
from view.tutorial.stepper import code_is_open, show_stepper
from view.tutorial.steps import STEPS


def main() -> None:
    here = place()
    start_page("Tutorial", menu=not here.presenting)
    step = STEPS[here.step - 1]
    title = f"{here.step}. {step.title}"
    show_stepper(here, title)
    if here.presenting:
        show_slide(step, code=code_is_open())
    else:
        show_page(title, step)


with errors_shown():
    main()
