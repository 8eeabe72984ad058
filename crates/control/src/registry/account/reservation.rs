//! Names that belong to one project of the account: digests of secrets (`d:<digest>`) and ids of
//! keys (`k:<key id>`). They are never released, so that no second project can ever come to a
//! secret that another one has had.

use keyward_core::refusal::Refusal;
use keyward_edge::storage::{Storage, StorageError};

use super::projects;
use super::stop::Stop;
use crate::registry::message::Reply;

/// Reserves all of the names, or none when another project holds one of them. An import brings
/// thousands: they are one value of one statement. A dry run only says whether they could be.
pub(super) fn reserve(
    storage: &Storage,
    project: &str,
    names: &[String],
    dry_run: bool,
) -> Result<Reply, Stop> {
    if !projects::exists(storage, project)? {
        return Err(Refusal::ProjectUnknown.into());
    }
    let names = serde_json::to_string(names).map_err(|_| StorageError::Row)?;
    let taken = storage.rows(
        "SELECT name FROM reservation
         WHERE name IN (SELECT value FROM json_each(?1)) AND project <> ?2",
        &[(&names).into(), project.into()],
    )?;
    if !taken.is_empty() {
        let names = taken.iter().map(|row| row.text(0));
        let names = names.collect::<Result<_, _>>()?;
        return Ok(Reply::Taken { names });
    }
    if dry_run {
        return Ok(Reply::Done);
    }
    storage.run(
        "INSERT OR IGNORE INTO reservation (name, project) SELECT value, ?2 FROM json_each(?1)",
        &[(&names).into(), project.into()],
    )?;
    Ok(Reply::Done)
}

/// A project has none of the first version any more that are yet to be reserved.
pub(super) fn all_reserved(storage: &Storage, project: &str) -> Result<Reply, Stop> {
    storage.run(
        "UPDATE project SET unreserved = 0 WHERE id = ?1",
        &[project.into()],
    )?;
    Ok(Reply::Done)
}

/// The project that holds a name.
pub(super) fn locate(storage: &Storage, name: &str) -> Result<Reply, Stop> {
    let row = storage.row(
        "SELECT project FROM reservation WHERE name = ?1",
        &[name.into()],
    )?;
    // Who asks holds a secret: that it is of no project must say no more than that it is invalid.
    let id = row.ok_or(Refusal::KeyInvalid)?.text(0)?;
    Ok(Reply::Project { id })
}
