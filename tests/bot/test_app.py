"""Starting a whole Lotse."""

import socket

import pytest

from bot.app import require_free


def test_a_port_that_is_taken_is_told_with_the_cure() -> None:
    cure = pytest.raises(OSError, match="choose another with --port")
    with socket.create_server(("127.0.0.1", 0)) as taken, cure:
        require_free("127.0.0.1", taken.getsockname()[1])
