//! The reading of a path that is not checked: a path of some form, whatever was sent.

use super::checked::end_of_path;
use super::encoding::{hex_pair, push_encoded, push_raw};

/// The path of a target as the URL standard's path state reads it, in canonical form.
pub(super) fn resolve(target: &str) -> String {
    let path = target.get(..end_of_path(target)).unwrap_or_default();
    let path: String = path
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .collect();
    let path = path.strip_prefix(['/', '\\']).unwrap_or(&path);
    let mut segments: Vec<String> = Vec::new();
    let mut raw_segments = path.split(['/', '\\']).peekable();
    while let Some(raw) = raw_segments.next() {
        let segment = lenient(raw);
        match segment.as_str() {
            "." | ".." => {
                if segment == ".." {
                    segments.pop();
                }
                if raw_segments.peek().is_none() {
                    segments.push(String::new());
                }
            }
            _ => segments.push(segment),
        }
    }
    let mut resolved = String::with_capacity(path.len().saturating_add(16));
    for segment in &segments {
        resolved.push('/');
        resolved.push_str(segment);
    }
    resolved
}

/// One segment in canonical form; a `%` that encodes nothing is text and becomes `%25`.
fn lenient(segment: &str) -> String {
    let mut canonical = String::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            push_raw(&mut canonical, byte);
            continue;
        }
        let mut ahead = bytes.clone();
        if let Some(value) = hex_pair(ahead.next(), ahead.next()) {
            push_encoded(&mut canonical, value);
            bytes = ahead;
        } else {
            canonical.push_str("%25");
        }
    }
    canonical
}
