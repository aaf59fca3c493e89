"""Where commands write: standard output, and what `--output` leads to."""
