"""Models: the models and texts of this server, their origin, and how to get more."""

import streamlit as st

from view.models.fetches import background, show_fetches
from view.models.items import items_here, show_items
from view.models.uploads import show_uploads
from view.shared.page import errors_shown, start_page
from wlm.hosting import hosting


def main() -> None:
    start_page("Models")
    st.title("Which models and texts can I use?")
    st.markdown(
        "Every page can use the models and texts below. Download more, or upload your own. The app "
        "checks weights against the hash on their card before it uses them."
    )
    running = background().running  # read before the lists, which then include its files
    models, texts = items_here(background().ended)
    show_items("Models", models)
    show_items("Texts", texts)
    st.header("Download more")
    show_fetches(running)
    show_uploads()
    if not hosting().public:
        st.caption(
            "On your own machine, the lists can also include your own folders of models and texts, "
            "without limits. The section “Your own folders” of the documentation shows how."
        )


with errors_shown():
    main()
