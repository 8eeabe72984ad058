//! The SQLite database and the alarm of one Durable Object.
//!
//! Bindings of our own instead of those of `worker`: its cursor throws through imports that are
//! declared without `catch`, which ends the instance of the module, and it has no
//! `transactionSync`. Everything here is synchronous, so that nothing can come between the
//! statements of a change, and the runtime commits what one turn of its loop has written as a
//! whole, the alarm included.

use std::cell::Cell;

use js_sys::{Array, Promise};
use keyward_core::time::Millis;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use worker::State;

use super::message::Page;

#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    type RawStorage;

    #[wasm_bindgen(method, catch, getter)]
    fn sql(this: &RawStorage) -> Result<RawSql, JsValue>;

    #[wasm_bindgen(method, catch, js_name = transactionSync)]
    fn transaction_sync(
        this: &RawStorage,
        run: &mut dyn FnMut() -> Result<(), JsValue>,
    ) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch, js_name = setAlarm)]
    fn set_alarm(this: &RawStorage, at: f64) -> Result<Promise, JsValue>;

    type RawSql;

    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &RawSql, statement: &str, values: &Array) -> Result<RawCursor, JsValue>;

    type RawCursor;

    #[wasm_bindgen(method, catch)]
    fn raw(this: &RawCursor) -> Result<RawRows, JsValue>;

    type RawRows;

    #[wasm_bindgen(method, catch, js_name = toArray)]
    fn to_array(this: &RawRows) -> Result<Array, JsValue>;
}

/// The storage did not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum StorageError {
    /// The runtime refused or failed; its own text is dropped, it may quote values.
    #[error("the registry's storage failed")]
    Runtime,
    /// A row is not what this version writes.
    #[error("a row of the registry cannot be read by this version")]
    Row,
}

/// A value bound to a statement.
pub(super) enum Value<'a> {
    Text(&'a str),
    Number(u64),
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
pub(super) struct Row(Array);

impl Row {
    /// A text that is never null.
    pub(super) fn text(&self, column: u32) -> Result<String, StorageError> {
        self.0.get(column).as_string().ok_or(StorageError::Row)
    }

    /// A text, or null.
    pub(super) fn optional_text(&self, column: u32) -> Result<Option<String>, StorageError> {
        if self.is_null(column) {
            Ok(None)
        } else {
            self.text(column).map(Some)
        }
    }

    /// A whole number that is never null nor negative.
    pub(super) fn number(&self, column: u32) -> Result<u64, StorageError> {
        let number = self.0.get(column).as_f64().ok_or(StorageError::Row)?;
        if number < 0.0 || number.fract() != 0.0 {
            return Err(StorageError::Row);
        }
        Ok(number as u64)
    }

    /// A point in time.
    pub(super) fn time(&self, column: u32) -> Result<Millis, StorageError> {
        self.number(column).map(Millis)
    }

    /// A point in time, or null.
    pub(super) fn optional_time(&self, column: u32) -> Result<Option<Millis>, StorageError> {
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

impl Page {
    /// The rows to show of a result that was asked for one more than the page holds, and the
    /// position (in this column) from which to go on, when there is more.
    pub(super) fn cut<'a>(
        &self,
        rows: &'a [Row],
        position: u32,
    ) -> Result<(&'a [Row], Option<u64>), StorageError> {
        let Some((shown, [_, ..])) = rows.split_at_checked(self.limit as usize) else {
            return Ok((rows, None));
        };
        let next = shown.last().map(|row| row.number(position)).transpose()?;
        Ok((shown, next))
    }
}

/// The storage of one object.
pub(super) struct Storage {
    raw: RawStorage,
    /// When the alarm is known to ring; None when that is not known.
    alarm: Cell<Option<Millis>>,
}

impl Storage {
    /// The storage of the object with this state; None where the runtime offers none.
    pub(super) fn of(state: &State) -> Option<Self> {
        let raw = state.as_raw().storage().ok()?.unchecked_into();
        Some(Self {
            raw,
            alarm: Cell::new(None),
        })
    }

    /// Runs one statement and returns its rows.
    ///
    /// # Errors
    /// [`StorageError::Runtime`], also for a violated constraint.
    pub(super) fn rows(
        &self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StorageError> {
        let bound: Array = values.iter().map(JsValue::from).collect();
        let rows = self
            .raw
            .sql()
            .and_then(|sql| sql.exec(statement, &bound))
            .and_then(|cursor| cursor.raw())
            .and_then(|rows| rows.to_array())
            .map_err(|_| StorageError::Runtime)?;
        Ok(rows.iter().map(|row| Row(row.unchecked_into())).collect())
    }

    /// Runs one statement and returns its first row, if it has one.
    ///
    /// # Errors
    /// As [`Storage::rows`].
    pub(super) fn row(
        &self,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, StorageError> {
        Ok(self.rows(statement, values)?.into_iter().next())
    }

    /// Runs one statement whose rows are of no interest.
    ///
    /// # Errors
    /// As [`Storage::rows`].
    pub(super) fn run(&self, statement: &str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.rows(statement, values).map(drop)
    }

    /// Runs `change` as a whole: when it fails, nothing of it stays.
    ///
    /// # Errors
    /// Those of `change`, and [`StorageError::Runtime`] when it cannot be committed.
    pub(super) fn transaction<T>(
        &self,
        change: impl FnOnce() -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut change = Some(change);
        let mut outcome = Err(StorageError::Runtime);
        let committed = self.raw.transaction_sync(&mut || {
            if let Some(change) = change.take() {
                outcome = change();
            }
            outcome.as_ref().map(drop).map_err(|_| JsValue::NULL)
        });
        if committed.is_err() {
            // Whether an alarm that was set in there still stands is not known.
            self.alarm.set(None);
            return Err(outcome.err().unwrap_or(StorageError::Runtime));
        }
        outcome
    }

    /// Makes sure that the alarm rings at `time` or earlier.
    ///
    /// # Errors
    /// [`StorageError::Runtime`].
    pub(super) fn wake_at(&self, time: Millis) -> Result<(), StorageError> {
        if self.alarm.get().is_some_and(|set| set <= time) {
            return Ok(());
        }
        // The promise only reports what the runtime's output gate enforces anyway: unless the
        // alarm is stored with the rest, nothing leaves the object.
        let _ = self
            .raw
            .set_alarm(time.0 as f64)
            .map_err(|_| StorageError::Runtime)?;
        self.alarm.set(Some(time));
        Ok(())
    }

    /// The alarm has rung: none is set any more.
    pub(super) fn alarm_rang(&self) {
        self.alarm.set(None);
    }
}
