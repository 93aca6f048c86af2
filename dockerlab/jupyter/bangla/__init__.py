"""JupyterLab in Bangla: a language pack, which it finds by an entry point of this name."""
