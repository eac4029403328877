"""Made-up unified social credit codes with right check digits (GB 32100)."""

from stdnum.cn import uscc as standard


def uscc(number: int) -> str:
    """The code of the enterprise of that number; Taiyuan, registered by the market regulator."""
    body = f"91140100{number:09d}"
    return body + standard.calc_check_digit(body)
