//! Randomness and authenticated encryption, from the runtime's WebCrypto.

use base64ct::{Base64UrlUnpadded, Encoding};
use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use keyward_core::keyring::{Entry, Keyring};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use zeroize::Zeroizing;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = crypto)]
    static CRYPTO: Crypto;

    type Crypto;

    #[wasm_bindgen(method, catch, js_name = getRandomValues)]
    fn get_random_values(this: &Crypto, into: &mut [u8]) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, getter)]
    fn subtle(this: &Crypto) -> Result<Subtle, JsValue>;

    type Subtle;

    #[wasm_bindgen(method, catch, js_name = importKey)]
    fn import_key(
        this: &Subtle,
        format: &str,
        key: &Uint8Array,
        algorithm: &str,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = importKey)]
    fn import_key_for(
        this: &Subtle,
        format: &str,
        key: &Uint8Array,
        algorithm: &Object,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn verify(
        this: &Subtle,
        algorithm: &Object,
        key: &JsValue,
        signature: &Uint8Array,
        data: &Uint8Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn encrypt(
        this: &Subtle,
        algorithm: &Object,
        key: &JsValue,
        data: &Uint8Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn decrypt(
        this: &Subtle,
        algorithm: &Object,
        key: &JsValue,
        data: &Uint8Array,
    ) -> Result<Promise, JsValue>;
}

/// The runtime's cryptography did not do what was asked. Why is not told: its own error text may
/// hold anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the runtime's cryptography failed")]
pub struct CryptoError;

/// Fills the buffer from the platform's CSPRNG.
///
/// # Errors
/// When there is no randomness, as at start-up. The buffer must then not be used.
pub fn fill_random(buffer: &mut [u8]) -> Result<(), CryptoError> {
    CRYPTO
        .with(|crypto| crypto.get_random_values(buffer))
        .map(drop)
        .map_err(|_| CryptoError)
}

/// Runs `draw` with a source of randomness; what it made is handed out only if every draw worked.
///
/// # Errors
/// As [`fill_random`].
pub fn with_random<T>(draw: impl FnOnce(&mut dyn FnMut(&mut [u8])) -> T) -> Result<T, CryptoError> {
    let mut drawn = Ok(());
    let made = draw(&mut |buffer| drawn = drawn.and_then(|()| fill_random(buffer)));
    drawn.map(|()| made)
}

/// What the seal of a key's derivation key is bound to.
#[must_use]
pub fn derivation_context(project: &str, key_id: &str) -> String {
    format!("keyward/seal/derivation/1\n{project}\n{key_id}")
}

/// What the seal of a webhook's secret is bound to.
#[must_use]
pub fn webhook_context(project: &str, webhook: &str) -> String {
    format!("keyward/seal/webhook/1\n{project}\n{webhook}")
}

/// What the seal of a project's credential is bound to: moved to another project, name or origin it
/// cannot be opened.
#[derive(Clone, Copy, Debug)]
pub struct CredentialContext<'a> {
    /// The project.
    pub project: &'a str,
    /// The credential's name.
    pub name: &'a str,
    /// The only origin that receives it.
    pub origin: &'a str,
    /// Grows with each value.
    pub version: u64,
}

impl CredentialContext<'_> {
    /// `src/vault.mjs` makes the same. None of the parts before the origin can hold a slash.
    fn text(&self) -> String {
        let Self {
            project,
            name,
            origin,
            version,
        } = self;
        format!("keyward/credential/1/{version}/{project}/{name}/{origin}")
    }
}

/// Seals a project's credential for the edge, with AES-256-GCM under the entry's key for that:
/// `1.<version>.<base64url of nonce, ciphertext and tag>`.
///
/// # Errors
/// When WebCrypto fails.
pub async fn seal_credential(
    entry: &Entry,
    context: &CredentialContext<'_>,
    plain: &[u8],
) -> Result<String, CryptoError> {
    let sealed = sealed(entry.credential_key(), &context.text(), plain).await?;
    Ok(format!("1.{}.{sealed}", context.version))
}

/// Opens what [`seal_credential`] made.
///
/// # Errors
/// As [`open`].
pub async fn open_credential(
    entry: &Entry,
    context: &CredentialContext<'_>,
    sealed: &str,
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let prefix = format!("1.{}.", context.version);
    let sealed = sealed.strip_prefix(&prefix).ok_or(CryptoError)?;
    opened(entry.credential_key(), &context.text(), sealed).await
}

/// Seals `plain` with AES-256-GCM under the entry's sealing key, bound to `context`, which has to
/// be presented again to open it: `1.<entry id>.<base64url of nonce, ciphertext and tag>`.
///
/// # Errors
/// When WebCrypto fails.
pub async fn seal(entry: &Entry, context: &str, plain: &[u8]) -> Result<String, CryptoError> {
    let sealed = sealed(&entry.sealing_key(), context, plain).await?;
    Ok(format!("1.{}.{sealed}", entry.id()))
}

async fn sealed(key: &[u8; 32], context: &str, plain: &[u8]) -> Result<String, CryptoError> {
    let mut sealed = vec![0_u8; NONCE_BYTES];
    fill_random(&mut sealed)?;
    let ciphertext = crypt(Direction::Encrypt, key, &sealed, context, plain)
        .await
        .map_err(|_| CryptoError)?;
    sealed.extend_from_slice(&ciphertext);
    Ok(Base64UrlUnpadded::encode_string(&sealed))
}

/// Opens what [`seal`] made for this context, under whichever entry in force it was.
///
/// # Errors
/// When it is not of that form, was made for another context, under another key or by nobody, or
/// when WebCrypto fails.
pub async fn open(
    keyring: &Keyring,
    context: &str,
    sealed: &str,
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let (id, sealed) = sealed
        .strip_prefix("1.")
        .and_then(|rest| rest.split_once('.'))
        .ok_or(CryptoError)?;
    let entry = keyring.entry(id).ok_or(CryptoError)?;
    opened(&entry.sealing_key(), context, sealed).await
}

async fn opened(
    key: &[u8; 32],
    context: &str,
    sealed: &str,
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let sealed = Base64UrlUnpadded::decode_vec(sealed).map_err(|_| CryptoError)?;
    let (nonce, ciphertext) = sealed.split_at_checked(NONCE_BYTES).ok_or(CryptoError)?;
    crypt(Direction::Decrypt, key, nonce, context, ciphertext)
        .await
        .map(Zeroizing::new)
        .map_err(|_| CryptoError)
}

/// Whether `signature`, the 64 bytes of IEEE P1363, is that of this P-256 key over the SHA-256 of
/// `data`. The key is a SubjectPublicKeyInfo in DER.
///
/// # Errors
/// When WebCrypto fails, also for what is no such key.
pub async fn verify_p256(
    key: &[u8],
    signature: &[u8; 64],
    data: &[u8],
) -> Result<bool, CryptoError> {
    verified(key, signature, data)
        .await
        .map_err(|_| CryptoError)
}

async fn verified(key: &[u8], signature: &[u8; 64], data: &[u8]) -> Result<bool, JsValue> {
    let subtle = CRYPTO.with(Crypto::subtle)?;
    let algorithm = Object::new();
    for (name, value) in [
        ("name", "ECDSA"),
        ("namedCurve", "P-256"),
        ("hash", "SHA-256"),
    ] {
        Reflect::set(
            &algorithm,
            &JsValue::from_str(name),
            &JsValue::from_str(value),
        )?;
    }
    let usages = Array::of1(&JsValue::from_str("verify"));
    let import =
        subtle.import_key_for("spki", &Uint8Array::from(key), &algorithm, false, &usages)?;
    let key = JsFuture::from(import).await?;
    let (signature, data) = (
        Uint8Array::from(signature.as_slice()),
        Uint8Array::from(data),
    );
    let verified = JsFuture::from(subtle.verify(&algorithm, &key, &signature, &data)?).await?;
    Ok(verified.is_truthy())
}

/// What AES-GCM wants: 96 bits, here random, under a key that seals far fewer than 2^32 values.
const NONCE_BYTES: usize = 12;

#[derive(Clone, Copy)]
enum Direction {
    Encrypt,
    Decrypt,
}

async fn crypt(
    direction: Direction,
    key: &[u8; 32],
    nonce: &[u8],
    context: &str,
    data: &[u8],
) -> Result<Vec<u8>, JsValue> {
    let subtle = CRYPTO.with(Crypto::subtle)?;
    let usage = match direction {
        Direction::Encrypt => "encrypt",
        Direction::Decrypt => "decrypt",
    };
    let usages = Array::of1(&JsValue::from_str(usage));
    let key = Uint8Array::from(key.as_slice());
    let import = subtle.import_key("raw", &key, "AES-GCM", false, &usages)?;
    let key = JsFuture::from(import).await?;
    let algorithm = Object::new();
    for (name, value) in [
        ("name", JsValue::from_str("AES-GCM")),
        ("iv", Uint8Array::from(nonce).into()),
        (
            "additionalData",
            Uint8Array::from(context.as_bytes()).into(),
        ),
    ] {
        Reflect::set(&algorithm, &JsValue::from_str(name), &value)?;
    }
    let data = Uint8Array::from(data);
    let begun = match direction {
        Direction::Encrypt => subtle.encrypt(&algorithm, &key, &data)?,
        Direction::Decrypt => subtle.decrypt(&algorithm, &key, &data)?,
    };
    let done = JsFuture::from(begun).await?;
    Ok(Uint8Array::new(done.unchecked_ref::<JsValue>()).to_vec())
}
