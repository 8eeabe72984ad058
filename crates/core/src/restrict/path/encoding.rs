//! Percent-encoding in paths: what stands raw in the canonical form, and what does not.

/// Writes a byte that stood there raw.
pub(super) fn push_raw(canonical: &mut String, byte: u8) {
    if is_plain(byte) || byte == b';' {
        canonical.push(char::from(byte));
    } else {
        push_hex(canonical, byte);
    }
}

/// Writes a byte that stood there percent-encoded.
pub(super) fn push_encoded(canonical: &mut String, byte: u8) {
    if is_unreserved(byte) {
        canonical.push(char::from(byte));
    } else {
        push_hex(canonical, byte);
    }
}

/// Writes a byte percent-encoded.
pub(in crate::restrict) fn push_hex(canonical: &mut String, byte: u8) {
    canonical.push('%');
    for digit in [byte >> 4, byte & 0xF] {
        canonical.extend(char::from_digit(u32::from(digit), 16).map(|c| c.to_ascii_uppercase()));
    }
}

pub(super) fn hex_pair(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high?)? << 4 | digit(low?)?).ok()
}

/// RFC 3986 section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Bytes that stand for themselves in a canonical path: the slash, `pchar` of RFC 3986 without `%`
/// and `;`, and what the URL standard leaves alone beyond that.
pub(super) fn is_plain(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'/' | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b'='
                | b':'
                | b'@'
                | b'['
                | b']'
                | b'|'
        )
}
