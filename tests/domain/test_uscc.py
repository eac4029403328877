"""Our check digit of the unified social credit code against the library's."""

from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import uscc

from domain.identifiers import uscc_check_digit

BODIES = st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17)


@settings(max_examples=300, deadline=None)
@given(BODIES)
def test_the_check_digit_is_the_one_of_stdnum(body: str) -> None:
    assert uscc_check_digit(body) == uscc.calc_check_digit(body)
