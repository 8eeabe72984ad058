//! The body of a request: bounded, and JSON only where JSON is wanted.

use std::cell::RefCell;

use js_sys::{Promise, Reflect, Uint8Array};
use keyward_core::refusal::Refusal;
use keyward_edge::timeout;
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use worker::web_sys;

use super::access::header;
use super::answer::Refused;
use super::json;

/// More than the largest key that can be created.
const LONGEST_BODY: usize = 64 * 1024;
/// So much of an unwanted body is read and thrown away, so that the connection lives on and the
/// client gets to read why it was refused.
const LONGEST_DRAIN: usize = 1024 * 1024;
const DRAIN_PATIENCE_MS: u64 = 2_000;

#[wasm_bindgen]
extern "C" {
    type Stream;

    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn reader(this: &Stream) -> Result<Reader, JsValue>;

    type Reader;

    #[wasm_bindgen(method, catch)]
    fn read(this: &Reader) -> Result<Promise, JsValue>;
}

/// The body, which is read at most once.
pub(super) struct Body {
    reader: RefCell<Option<Reader>>,
}

impl Body {
    /// The body of this request, not yet read.
    pub(super) fn of(request: &web_sys::Request) -> Self {
        let reader = request
            .body()
            .and_then(|body| body.unchecked_ref::<Stream>().reader().ok());
        Self {
            reader: RefCell::new(reader),
        }
    }

    /// The body as strict JSON.
    ///
    /// # Errors
    /// [`Refusal::MediaTypeUnsupported`], [`Refusal::BodyTooLarge`], [`Refusal::BodyInvalid`].
    pub(super) async fn json(&self, request: &web_sys::Request) -> Result<Value, Refused> {
        if !is_json(header(request, "content-type").as_deref()) {
            return Err(Refusal::MediaTypeUnsupported.into());
        }
        json::parse(&self.bytes().await?)
            .map_err(|detail| Refused::field(Refusal::BodyInvalid, "body", detail))
    }

    /// For an endpoint that takes no fields: no body, or an object without any.
    ///
    /// # Errors
    /// As [`Body::json`].
    pub(super) async fn nothing(&self, request: &web_sys::Request) -> Result<(), Refused> {
        let bytes = self.bytes().await?;
        if bytes.is_empty() {
            return Ok(());
        }
        if !is_json(header(request, "content-type").as_deref()) {
            return Err(Refusal::MediaTypeUnsupported.into());
        }
        match json::parse(&bytes) {
            Ok(Value::Object(fields)) if fields.is_empty() => Ok(()),
            _ => Err(Refused::field(
                Refusal::BodyInvalid,
                "body",
                "this endpoint takes no fields",
            )),
        }
    }

    /// Throws away what has not been read, up to a bound.
    pub(super) async fn drain(&self) {
        let Some(reader) = self.reader.take() else {
            return;
        };
        timeout::within(DRAIN_PATIENCE_MS, async {
            let mut drained = 0;
            while drained <= LONGEST_DRAIN {
                match chunk(&reader).await {
                    Ok(Some(chunk)) => drained += chunk.length() as usize,
                    Ok(None) | Err(_) => return,
                }
            }
        })
        .await;
    }

    async fn bytes(&self) -> Result<Vec<u8>, Refused> {
        let mut bytes = Vec::new();
        let Some(reader) = self.reader.take() else {
            return Ok(bytes);
        };
        while let Some(chunk) = chunk(&reader).await.map_err(|_| incomplete())? {
            if bytes.len() + chunk.length() as usize > LONGEST_BODY {
                self.reader.replace(Some(reader));
                return Err(Refusal::BodyTooLarge.into());
            }
            bytes.extend_from_slice(&chunk.to_vec());
        }
        Ok(bytes)
    }
}

fn incomplete() -> Refused {
    Refused::field(
        Refusal::BodyInvalid,
        "body",
        "the body did not arrive whole",
    )
}

/// The next piece; None at the end.
async fn chunk(reader: &Reader) -> Result<Option<Uint8Array>, JsValue> {
    let read = JsFuture::from(reader.read()?).await?;
    if Reflect::get(&read, &JsValue::from_str("done"))?.is_truthy() {
        return Ok(None);
    }
    Reflect::get(&read, &JsValue::from_str("value"))?
        .dyn_into()
        .map(Some)
}

/// `application/json`, with no parameter but `charset=utf-8` (RFC 8259 section 8.1).
fn is_json(content_type: Option<&str>) -> bool {
    let Some(content_type) = content_type else {
        return false;
    };
    let (media_type, parameter) = content_type.split_once(';').unwrap_or((content_type, ""));
    let parameter = parameter.trim().replace('"', "");
    media_type.trim().eq_ignore_ascii_case("application/json")
        && (parameter.is_empty() || parameter.eq_ignore_ascii_case("charset=utf-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_told_by_its_media_type() {
        for text in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
        ] {
            assert!(is_json(Some(text)), "{text}");
        }
        for text in [
            "text/plain",
            "application/json-seq",
            "application/json; charset=latin1",
            "json",
        ] {
            assert!(!is_json(Some(text)), "{text}");
        }
        assert!(!is_json(None));
    }
}
