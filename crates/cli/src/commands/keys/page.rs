//! Lists in pages.

use clap::Args;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::Failure;
use crate::model::Page;
use crate::output::Output;

/// Which part of a list.
#[derive(Args)]
pub(crate) struct Paging {
    /// How many at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100), value_name = "N")]
    limit: u32,

    /// Go on where a page ended
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,

    /// All pages
    #[arg(long)]
    all: bool,
}

impl Paging {
    /// Fetches and prints; `row` gives the cells under `header`.
    pub(crate) fn print<T: DeserializeOwned>(
        &self,
        client: &Client,
        output: &Output,
        path: &str,
        filters: &[(&str, &str)],
        header: &[&str],
        row: impl Fn(T) -> Vec<String>,
    ) -> Result<(), Failure> {
        let (items, next_cursor) = self.fetch(client, path, filters)?;
        if output.json {
            return output.data(&json!({ "items": items, "next_cursor": next_cursor }).to_string());
        }
        let rows = items
            .into_iter()
            .map(|item| serde_json::from_value(item).map(&row))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| {
                Failure::Failed(format!(
                    "the answer is not what the management API says: {error}"
                ))
            })?;
        output.rows(header, &rows)?;
        if let Some(cursor) = next_cursor {
            output.say(&format!("There are more: --cursor {cursor}, or --all"));
        }
        Ok(())
    }

    fn fetch(
        &self,
        client: &Client,
        path: &str,
        filters: &[(&str, &str)],
    ) -> Result<(Vec<Value>, Option<String>), Failure> {
        let limit = self.limit.to_string();
        let mut items = Vec::new();
        let mut cursor = self.cursor.clone();
        loop {
            let mut query = filters.to_vec();
            query.push(("limit", &limit));
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page: Page<Value> = client.get(path, &query)?.read()?;
            items.extend(page.items);
            if page.next_cursor.is_none() || !self.all {
                return Ok((items, page.next_cursor));
            }
            cursor = page.next_cursor;
        }
    }
}
