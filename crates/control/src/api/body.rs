//! The body of a request, bounded.

use std::cell::RefCell;

use js_sys::{Promise, Reflect, Uint8Array};
use keyward_api::operation::Body as Expected;
use keyward_core::refusal::Refusal;
use keyward_edge::timeout;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use worker::web_sys;

use super::access::header;
use super::answer::Refused;

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

    /// The body that an operation reads, of the media type that it reads.
    ///
    /// # Errors
    /// [`Refusal::MediaTypeUnsupported`], and as [`Self::bytes`].
    pub(super) async fn expected(
        &self,
        request: &web_sys::Request,
        expected: Expected,
    ) -> Result<Vec<u8>, Refused> {
        let content_type = header(request, "content-type").unwrap_or_default();
        let is_named = expected.media().is_named_by(&content_type);
        if !is_named && !expected.is_optional() {
            return Err(Refusal::MediaTypeUnsupported.into());
        }
        let bytes = self.bytes(expected.largest()).await?;
        if !is_named && !bytes.is_empty() {
            return Err(Refusal::MediaTypeUnsupported.into());
        }
        Ok(bytes)
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

    /// The body, which is read once.
    ///
    /// # Errors
    /// [`Refusal::BodyTooLarge`], and [`Refusal::BodyInvalid`] when it does not arrive whole.
    async fn bytes(&self, most: usize) -> Result<Vec<u8>, Refused> {
        let mut bytes = Vec::new();
        let Some(reader) = self.reader.take() else {
            return Ok(bytes);
        };
        while let Some(chunk) = chunk(&reader).await.map_err(|_| incomplete())? {
            if bytes.len() + chunk.length() as usize > most {
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
