"""Numbers as pages write them."""

from backend.dashboard.templatetags.dashboard import number, signed


def test_zero_has_no_sign_whatever_was_written_before() -> None:
    assert signed(-0.04) == "0.0"
    assert [number(0.0), number(-0.0), number(-0.04)] == ["0.0"] * 3
    assert [signed(0.04), signed(1.25), signed(-1.26)] == ["0.0", "+1.2", "−1.3"]
