//! What goes into a statement, and what comes out of it.

use js_sys::Array;
use keyward_core::time::Millis;
use wasm_bindgen::JsValue;

use super::StorageError;

/// A value bound to a statement.
pub enum Value<'a> {
    /// A text.
    Text(&'a str),
    /// A whole number; a flag is 0 or 1, a time its milliseconds.
    Number(u64),
    /// Nothing.
    Null,
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Self::Number(flag.into())
    }
}

impl From<Millis> for Value<'_> {
    fn from(time: Millis) -> Self {
        Self::Number(time.0)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<&Value<'_>> for JsValue {
    fn from(value: &Value<'_>) -> Self {
        match value {
            Value::Text(text) => Self::from_str(text),
            // Times and counters stay far below 2^53.
            Value::Number(number) => Self::from_f64(*number as f64),
            Value::Null => Self::NULL,
        }
    }
}

/// One row of a result, read by position.
pub struct Row(Array);

impl Row {
    /// A row as the cursor's raw form gives it.
    pub(super) fn of(columns: Array) -> Self {
        Self(columns)
    }

    /// A text that is never null.
    ///
    /// # Errors
    /// [`StorageError::Row`] for anything else.
    pub fn text(&self, column: u32) -> Result<String, StorageError> {
        self.0.get(column).as_string().ok_or(StorageError::Row)
    }

    /// A text, or null.
    ///
    /// # Errors
    /// [`StorageError::Row`] for anything else.
    pub fn optional_text(&self, column: u32) -> Result<Option<String>, StorageError> {
        if self.is_null(column) {
            Ok(None)
        } else {
            self.text(column).map(Some)
        }
    }

    /// A whole number that is never null nor negative.
    ///
    /// # Errors
    /// [`StorageError::Row`] for anything else.
    pub fn number(&self, column: u32) -> Result<u64, StorageError> {
        let number = self.0.get(column).as_f64().ok_or(StorageError::Row)?;
        if number < 0.0 || number.fract() != 0.0 {
            return Err(StorageError::Row);
        }
        Ok(number as u64)
    }

    /// A point in time.
    ///
    /// # Errors
    /// [`StorageError::Row`] for anything else.
    pub fn time(&self, column: u32) -> Result<Millis, StorageError> {
        self.number(column).map(Millis)
    }

    /// A point in time, or null.
    ///
    /// # Errors
    /// [`StorageError::Row`] for anything else.
    pub fn optional_time(&self, column: u32) -> Result<Option<Millis>, StorageError> {
        if self.is_null(column) {
            Ok(None)
        } else {
            self.time(column).map(Some)
        }
    }

    fn is_null(&self, column: u32) -> bool {
        self.0.get(column).is_null()
    }
}
