//! The signature of a message: `v1,` and the base64 of HMAC-SHA-256 over
//! `<webhook-id>.<webhook-timestamp>.<body>` (Standard Webhooks, "Signature scheme").

use base64ct::{Base64, Encoding as _};
use zeroize::Zeroizing;

use crate::mac::{keyed, mac};

/// The bytes of a secret; the specification wants 24 to 64.
pub const SECRET_BYTES: usize = 32;
const PREFIX: &str = "whsec_";

/// A secret as its receiver writes it: `whsec_` and base64.
#[must_use]
pub fn written(secret: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(Base64::encode_string(secret));
    let mut text = String::with_capacity(PREFIX.len() + encoded.len());
    text.push_str(PREFIX);
    text.push_str(&encoded);
    Zeroizing::new(text)
}

/// The value of `webhook-signature`: a signature with each secret, the newest first. `at_s` is the
/// time of this attempt in seconds, the value of `webhook-timestamp`.
#[must_use]
pub fn header<S: AsRef<[u8]>>(secrets: &[S], id: &str, at_s: u64, body: &str) -> String {
    let at = at_s.to_string();
    let mut value = String::new();
    for secret in secrets {
        let parts = [id, ".", &at, ".", body].map(str::as_bytes);
        let signature = mac(&keyed(secret.as_ref()), &parts);
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str("v1,");
        value.push_str(&Base64::encode_string(&signature));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_vector_of_the_official_libraries() {
        // From the tests that the reference libraries share.
        let secret = Base64::decode_vec("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(*written(&secret), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let value = header(
            &[&secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(value, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_secret_signs() {
        let both = header(&[[1; 32], [2; 32]], "msg_1", 1, "{}");
        let each = [[1; 32], [2; 32]].map(|secret| header(&[secret], "msg_1", 1, "{}"));
        assert_eq!(both, each.join(" "));
    }
}
