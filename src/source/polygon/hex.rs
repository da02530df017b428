//! Hex as JSON-RPC writes it, read straight from the JSON text.
//!
//! A value comes with its quotes (`"0x1f"`), as it stands in the body. An escaped character is not a hex digit, so no
//! unescaping is needed to refuse it.

use alloy_primitives::hex;

/// The longest `data` that is read: a fill has 224 bytes, and nothing here may grow with what a node sends.
pub(super) const MAX_DATA: usize = 64 * 1024;

/// A byte string of exactly `N` bytes.
pub(super) fn fixed<const N: usize>(json: &str) -> Result<[u8; N], String> {
    let digits = digits(json)?;
    if digits.len() != N * 2 {
        return Err(format!("has {} hex digits, not {}", digits.len(), N * 2));
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| "is not hex".to_owned())?;
    Ok(bytes)
}

/// A byte string of any length up to [`MAX_DATA`].
pub(super) fn bytes(json: &str) -> Result<Vec<u8>, String> {
    let digits = digits(json)?;
    if digits.len() > MAX_DATA * 2 {
        return Err(format!("is longer than {MAX_DATA} bytes"));
    }
    // The decoder would skip a second prefix.
    if digits.starts_with("0x") {
        return Err("is not hex".to_owned());
    }
    hex::decode(digits).map_err(|_| "is not hex".to_owned())
}

/// A number of up to 64 bits.
pub(super) fn quantity(json: &str) -> Result<u64, String> {
    let digits = digits(json)?;
    if digits.is_empty() || digits.len() > 16 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("is not a hex number of up to 64 bits".to_owned());
    }
    u64::from_str_radix(digits, 16).map_err(|_| "is not a hex number of up to 64 bits".to_owned())
}

/// A result that is one number.
pub(super) fn quantity_of(json: &[u8]) -> Result<u64, String> {
    quantity(&String::from_utf8_lossy(json))
}

/// What stands behind the `0x` of a JSON string.
fn digits(json: &str) -> Result<&str, String> {
    let text = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or("is not a string")?;
    text.strip_prefix("0x").ok_or_else(|| "does not begin with 0x".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_any_case() {
        assert_eq!(fixed::<2>(r#""0xAbcD""#), Ok([0xab, 0xcd]));
        assert_eq!(bytes(r#""0x""#), Ok(vec![]));
        assert_eq!(bytes(r#""0x00fF""#), Ok(vec![0, 255]));
        assert_eq!(quantity(r#""0x0""#), Ok(0));
        assert_eq!(quantity(r#""0xFFffffffffffffff""#), Ok(u64::MAX));
    }

    #[test]
    fn refuses_the_rest() {
        for json in ["", "\"", "12", "null", "[]", r#""""#, r#""12""#, r#""0X12""#, r#""0xg1""#, r#""0x0x""#] {
            assert!(fixed::<1>(json).is_err(), "{json}");
            assert!(bytes(json).is_err(), "{json}");
            assert!(quantity(json).is_err(), "{json}");
        }
        assert!(fixed::<2>(r#""0x00""#).is_err());
        assert!(fixed::<2>(r#""0x0x00""#).is_err());
        assert!(bytes(r#""0x0x00""#).is_err());
        assert!(bytes(r#""0x0""#).is_err(), "half a byte");
        assert!(bytes(&format!("\"0x{}\"", "00".repeat(MAX_DATA + 1))).is_err());
        for json in [r#""0x""#, r#""0x+1""#, r#""0x10000000000000000""#] {
            assert!(quantity(json).is_err(), "{json}");
        }
    }
}
