//! The SQLite database and the alarm of one Durable Object.
//!
//! Bindings of our own instead of those of `worker`: its cursor throws through imports that are
//! declared without `catch`, which ends the instance of the module, and it has no
//! `transactionSync`. Everything here is synchronous, so that nothing can come between the
//! statements of a change, and the runtime commits what one turn of its loop has written as a
//! whole, the alarm included.

mod migrate;
mod row;

use std::cell::Cell;

use js_sys::{Array, Promise};
use keyward_core::time::Millis;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use worker::State;

pub use self::row::{Row, Value};

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

    #[wasm_bindgen(method, catch, js_name = deleteAll)]
    fn delete_all(this: &RawStorage) -> Result<Promise, JsValue>;

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
pub enum StorageError {
    /// The runtime refused or failed; its own text is dropped, it may quote values.
    #[error("the object's storage failed")]
    Runtime,
    /// A row is not what this version writes.
    #[error("a row of the object's storage cannot be read by this version")]
    Row,
    /// The change was refused after some of it had been written: it is taken back.
    #[error("the change was refused")]
    Refused,
}

/// The storage of one object.
pub struct Storage {
    raw: RawStorage,
    /// When the alarm is known to ring; None when that is not known.
    alarm: Cell<Option<Millis>>,
}

impl Storage {
    /// The storage of the object with this state; None where the runtime offers none.
    pub fn of(state: &State) -> Option<Self> {
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
    pub fn rows(&self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Row>, StorageError> {
        let bound: Array = values.iter().map(JsValue::from).collect();
        let rows = self
            .raw
            .sql()
            .and_then(|sql| sql.exec(statement, &bound))
            .and_then(|cursor| cursor.raw())
            .and_then(|rows| rows.to_array())
            .map_err(|_| StorageError::Runtime)?;
        Ok(rows
            .iter()
            .map(|row| Row::of(row.unchecked_into()))
            .collect())
    }

    /// Runs one statement and returns its first row, if it has one.
    ///
    /// # Errors
    /// As [`Storage::rows`].
    pub fn row(&self, statement: &str, values: &[Value<'_>]) -> Result<Option<Row>, StorageError> {
        Ok(self.rows(statement, values)?.into_iter().next())
    }

    /// Runs one statement whose rows are of no interest.
    ///
    /// # Errors
    /// As [`Storage::rows`].
    pub fn run(&self, statement: &str, values: &[Value<'_>]) -> Result<(), StorageError> {
        self.rows(statement, values).map(drop)
    }

    /// Runs `change` as a whole: when it fails, nothing of it stays.
    ///
    /// # Errors
    /// Those of `change`, and [`StorageError::Runtime`] when it cannot be committed.
    pub fn transaction<T>(
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
    pub fn wake_at(&self, time: Millis) -> Result<(), StorageError> {
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

    /// Deletes everything, the tables and the alarm among it.
    ///
    /// # Errors
    /// [`StorageError::Runtime`].
    pub async fn delete_all(&self) -> Result<(), StorageError> {
        self.alarm.set(None);
        let deleted = self.raw.delete_all().map_err(|_| StorageError::Runtime)?;
        JsFuture::from(deleted)
            .await
            .map(drop)
            .map_err(|_| StorageError::Runtime)
    }

    /// The alarm has rung: none is set any more.
    pub fn alarm_rang(&self) {
        self.alarm.set(None);
    }
}
