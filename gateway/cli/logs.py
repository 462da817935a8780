"""Where the log goes and how it looks: to stderr, for people on a terminal, as JSON otherwise."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, TextIO

import structlog

SHARED: list[Any] = [
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
"""What every line has, ours and that of libraries."""


def set_up_logs(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Set up our own log and that of the libraries, which speaks only when something is wrong."""
    out = sys.stderr if stream is None else stream
    last = _last(out)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(out),
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _last(out: TextIO) -> list[Any]:
    """What makes text of a line."""
    if out.isatty():
        colors = not os.environ.get("NO_COLOR")
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
