"""Models: which models and texts are here, where they came from, and how to get more."""

import streamlit as st

from view.models.fetches import background, show_fetches
from view.models.items import show_items, what_is_here
from view.models.uploads import show_uploads
from view.shared.page import errors_shown, start_page


def main() -> None:
    start_page("Models")
    st.title("Models and texts")
    st.markdown(
        "What every page can choose from. Weights are checked against the hash on their card "
        "before they are used."
    )
    running = background().running  # asked first: what it fetched is found below
    models, texts = what_is_here(background().ended)
    show_items("Models", models)
    show_items("Texts", texts)
    st.subheader("Get more")
    show_fetches(running)
    show_uploads()
    with st.expander("Folders of your own machine", icon=":material/folder_open:"):
        st.markdown(
            "Start the app with `WLM_MODELS` and `WLM_TEXTS` naming folders: each model folder "
            "(`model.safetensors`, `vocab.txt`, `card.json`), each `.txt` file and each folder "
            "with a `test.txt` in them joins the lists, for everyone and without limits."
        )


with errors_shown():
    main()
