//! Replaces how the generated bindings copy a text into the module.
//!
//! They go through it letter by letter in JavaScript as long as it is ASCII. The runtime's own
//! encoder takes less than half the time for a request's head.

use anyhow::{Result, ensure};

/// From the first letter to where the text is known to have others than ASCII.
const LETTERS: &str = "
    const mem = getUint8ArrayMemory0();

    let offset = 0;

    for (; offset < len; offset++) {
        const code = arg.charCodeAt(offset);
        if (code > 0x7F) break;
        mem[ptr + offset] = code;
    }
    if (offset !== len) {
        if (offset !== 0) {
            arg = arg.slice(offset);
        }
";

/// The memory that was taken is enough for ASCII. What has not gone into it is left to the rest of
/// the function, which takes as much as any text can need.
const ENCODED: &str = "
    const encoded = cachedTextEncoder.encodeInto(arg, getUint8ArrayMemory0().subarray(ptr, ptr + len));
    let offset = encoded.written;
    if (encoded.read !== arg.length) {
        arg = arg.slice(encoded.read);
";

/// The bindings with texts copied by the runtime's encoder.
pub(crate) fn encode_at_once(glue: &str) -> Result<String> {
    ensure!(
        glue.matches(LETTERS).count() == 1,
        "the generated bindings do not copy texts in the known way"
    );
    Ok(glue.replace(LETTERS, ENCODED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_copied_at_once() {
        let glue = format!("let ptr;\n{LETTERS}        ptr = realloc(ptr);\n    }}\n");
        let encoded = encode_at_once(&glue).unwrap();
        assert!(encoded.contains("encodeInto") && !encoded.contains("charCodeAt"));
        assert!(encoded.ends_with("        ptr = realloc(ptr);\n    }\n"));
    }

    #[test]
    fn bindings_of_another_shape_are_refused() {
        assert!(encode_at_once("").is_err());
        assert!(encode_at_once(&LETTERS.replace("0x7F", "0x7f")).is_err());
    }
}
