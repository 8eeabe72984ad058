//! Whether a label's punycode (RFC 3492) encodes anything. What it encodes is not needed, only that
//! the URL standard would not fail on it.

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const FIRST_ENCODED: u32 = 0x80;

/// Whether the text after `xn--` decodes to a label with at least one character beyond ASCII.
/// Whether IDNA allows those characters takes tables, which are not here; no table allows control
/// characters.
pub(super) fn decodes(text: &str) -> bool {
    let (basic, encoded) = match text.rsplit_once('-') {
        Some(("", _)) => return false,
        Some(split) => split,
        None => ("", text),
    };
    let length = u32::try_from(basic.len()).unwrap_or(u32::MAX);
    !encoded.is_empty() && decode(length, encoded.bytes()).is_some()
}

/// RFC 3492 section 6.2, without the list of what was decoded.
fn decode(mut length: u32, mut encoded: impl ExactSizeIterator<Item = u8>) -> Option<()> {
    let (mut code_point, mut position, mut bias) = (FIRST_ENCODED, 0_u32, INITIAL_BIAS);
    while encoded.len() > 0 {
        let before = position;
        let (mut weight, mut k) = (1_u32, BASE);
        loop {
            let digit = char::from(encoded.next()?)
                .to_digit(BASE)
                .map(to_punycode)?;
            position = position.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            k = k.checked_add(BASE)?;
        }
        length = length.checked_add(1)?;
        bias = adapt(position - before, length, before == 0);
        code_point = code_point.checked_add(position / length)?;
        char::from_u32(code_point).filter(|c| !c.is_control())?;
        position = (position % length).checked_add(1)?;
    }
    Some(())
}

/// Punycode counts letters before digits, `to_digit` the other way round.
const fn to_punycode(digit: u32) -> u32 {
    if digit < 10 { digit + 26 } else { digit - 10 }
}

const fn adapt(delta: u32, length: u32, first: bool) -> u32 {
    let mut delta = if first { delta / DAMP } else { delta / 2 };
    delta = delta.saturating_add(delta / length);
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}
