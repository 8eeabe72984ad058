//! JSON of a few fields, read and written without `serde`: what that generates for a type, or for a
//! value of any form, is many times larger (docs/module-size.md).
//!
//! Reading follows RFC 8259, and refuses what programs read in more than one way: a name that stands
//! twice in an object. It is bounded: in depth by `DEEPEST`, in names by `MOST_NAMES`.

/// How deep lists and objects stand in each other.
const DEEPEST: usize = 16;
/// How many names an object has.
const MOST_NAMES: usize = 256;

/// What stands in a document.
#[derive(Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; known if it is a whole one from 0 that has 64 bits, and written without an exponent.
    Number(Option<u64>),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object, in the order of its names.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a document that is one object.
    #[must_use]
    pub fn object(text: &str) -> Option<Vec<(String, Self)>> {
        let mut reader = Reader { rest: text };
        let Self::Object(fields) = reader.value(DEEPEST)? else {
            return None;
        };
        reader.skip_blanks();
        reader.rest.is_empty().then_some(fields)
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// What an object has under a name.
#[must_use]
pub fn field<'a>(fields: &'a [(String, Json)], name: &str) -> Option<&'a Json> {
    let field = fields.iter().find(|(own, _)| own == name);
    field.map(|(_, value)| value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Option<Json> {
        self.skip_blanks();
        if self.takes("\"") {
            return self.text().map(Json::Text);
        }
        if self.takes("{") {
            return self.fields(depth.checked_sub(1)?).map(Json::Object);
        }
        if self.takes("[") {
            return self.items(depth.checked_sub(1)?).map(Json::List);
        }
        for (word, value) in [
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
            ("null", Json::Null),
        ] {
            if self.takes(word) {
                return Some(value);
            }
        }
        self.number()
    }

    fn fields(&mut self, depth: usize) -> Option<Vec<(String, Json)>> {
        let mut fields: Vec<(String, Json)> = Vec::new();
        if self.ends("}") {
            return Some(fields);
        }
        loop {
            self.skip_blanks();
            self.must("\"")?;
            let name = self.text()?;
            if fields.len() == MOST_NAMES || field(&fields, &name).is_some() {
                return None;
            }
            self.skip_blanks();
            self.must(":")?;
            let value = self.value(depth)?;
            fields.push((name, value));
            if self.ends("}") {
                return Some(fields);
            }
            self.must(",")?;
        }
    }

    fn items(&mut self, depth: usize) -> Option<Vec<Json>> {
        let mut items = Vec::new();
        if self.ends("]") {
            return Some(items);
        }
        loop {
            items.push(self.value(depth)?);
            if self.ends("]") {
                return Some(items);
            }
            self.must(",")?;
        }
    }

    /// Behind the opening quote.
    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let end = self
                .rest
                .find(|one| matches!(one, '"' | '\\' | '\0'..'\x20'))?;
            let (plain, rest) = self.rest.split_at_checked(end)?;
            text.push_str(plain);
            self.rest = rest;
            if self.takes("\"") {
                return Some(text);
            }
            self.must("\\")?;
            text.push(self.escaped()?);
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let mut rest = self.rest.chars();
        let sign = rest.next()?;
        self.rest = rest.as_str();
        Some(match sign {
            '"' | '\\' | '/' => sign,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            _ => return None,
        })
    }

    fn unicode(&mut self) -> Option<char> {
        let first = self.unit()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first.into());
        }
        self.must("\\u")?;
        let both = [first, self.unit()?];
        char::decode_utf16(both).next()?.ok()
    }

    fn unit(&mut self) -> Option<u16> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
    }

    fn number(&mut self) -> Option<Json> {
        let belongs = |one| matches!(one, '0'..='9' | '+' | '-' | '.' | 'e' | 'E');
        let end = self.rest.find(|one| !belongs(one));
        let (number, rest) = self.rest.split_at_checked(end.unwrap_or(self.rest.len()))?;
        self.rest = rest;
        // A whole number may be written with a fraction of zeros.
        let whole = match number.split_once('.') {
            Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
            _ => number,
        };
        is_number(number).then(|| Json::Number(whole.parse().ok()))
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn ends(&mut self, sign: &str) -> bool {
        self.skip_blanks();
        self.takes(sign)
    }

    fn must(&mut self, text: &str) -> Option<()> {
        self.takes(text).then_some(())
    }

    fn takes(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

/// RFC 8259 section 6.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (
            number,
            exponent.strip_prefix(['+', '-']).unwrap_or(exponent),
        ),
        None => (text, "0"),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let no_zero_first = whole == "0" || !whole.starts_with('0');
    [whole, fraction, exponent].into_iter().all(digits) && no_zero_first
}

/// An object that is being written, name by name. Names need no escaping.
#[derive(Debug)]
pub struct Object(String);

impl Default for Object {
    fn default() -> Self {
        Self("{".to_owned())
    }
}

impl Object {
    /// One that is likely to become so long, in bytes.
    #[must_use]
    pub fn of(length: usize) -> Self {
        let mut text = String::with_capacity(length);
        text.push('{');
        Self(text)
    }

    /// Adds what is JSON already.
    pub fn raw(&mut self, name: &str, json: &str) {
        let comma = if self.0.len() > 1 { "," } else { "" };
        for part in [comma, "\"", name, "\":", json] {
            self.0.push_str(part);
        }
    }

    /// Adds a text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.raw(name, "");
        quote(&mut self.0, text);
    }

    /// Adds a number.
    pub fn number(&mut self, name: &str, number: u64) {
        self.raw(name, &number.to_string());
    }

    /// Adds a list of texts.
    pub fn texts(&mut self, name: &str, texts: impl Iterator<Item = String>) {
        self.raw(name, "[");
        for (number, text) in texts.enumerate() {
            if number > 0 {
                self.0.push(',');
            }
            quote(&mut self.0, &text);
        }
        self.0.push(']');
    }

    /// The whole object.
    #[must_use]
    pub fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Appends a text as JSON.
pub fn quote(to: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    to.push('"');
    // Nearly all texts need no escape.
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        to.push_str(text);
        to.push('"');
        return;
    }
    for one in text.chars() {
        match one {
            '"' | '\\' => to.extend(['\\', one]),
            '\0'..'\x20' => {
                let code = one as usize;
                let digit =
                    |nibble: usize| HEX.get(nibble & 15).map_or('0', |byte| char::from(*byte));
                to.push_str("\\u00");
                to.extend([digit(code >> 4), digit(code)]);
            }
            _ => to.push(one),
        }
    }
    to.push('"');
}

#[cfg(test)]
mod tests;
