//! Numbers that somebody typed. What the standard library takes beyond digits, as `+1` and `007`, is more likely a mistake
//! than meant, and the next program may take it for something else.

use std::str::FromStr;

/// A decimal number without blanks, a plus sign or leading zeros; a minus sign where the type has one.
pub fn plain<T: FromStr>(text: &str) -> Option<T> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if is_plain && text != "-0" { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_number_is_digits() {
        assert_eq!((plain("0"), plain("10"), plain("4294967295")), (Some(0_u32), Some(10), Some(u32::MAX)));
        assert_eq!(plain("-1"), Some(-1_i64));
        for odd in ["", "+1", " 1", "1 ", "01", "00", "-0", "-01", "--1", "0x1", "1e3", "1_0", "١", "4294967296", "-1"]
        {
            assert_eq!(plain::<u32>(odd), None, "{odd}");
        }
    }
}
