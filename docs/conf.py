"""How Sphinx reads the documents; `python -m tools.docs` gathers them and calls it."""

project = "Umwelt"
author = "the authors of Umwelt"
copyright = "the authors of Umwelt, Apache-2.0"

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["**/.*"]
nitpicky = True

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

html_theme = "furo"
html_title = "Umwelt"
html_static_path = ["site/static"]
html_css_files = ["umwelt.css"]
html_extra_path = ["atlas.html"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"top_of_page_buttons": [], "navigation_with_keys": True}
pygments_style = "default"
pygments_dark_style = "github-dark"
