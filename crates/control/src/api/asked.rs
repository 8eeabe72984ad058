//! A request that its caller may make, read: what it is meant for and what it says.

use std::net::IpAddr;

use keyward_api::json;
use keyward_api::operation::{Body as Expected, Method, Op};
use keyward_api::query::Query;
use keyward_api::route::Segments;
use keyward_core::refusal::Refusal;
use keyward_core::spec::FieldError;
use serde_json::{Map, Value};
use worker::web_sys;

use super::Known;
use super::answer::Refused;
use super::body::Body;
use super::caller::Caller;
use super::headers::{idempotency_key, if_match};
use super::idempotency::{self, Repetition};
use super::leaks;
use crate::registry::client;
use crate::registry::message::{
    AccountCommand, Call, Idempotency, IfMatch, Page, ProjectCommand, Reply,
};

/// A request that its caller may make.
pub(super) struct Asked<'a> {
    pub(super) known: Known<'a>,
    pub(super) segments: Segments<'a>,
    pub(super) caller: Caller,
    pub(super) query: Query,
    pub(super) if_match: IfMatch,
    pub(super) repetition: Option<Repetition>,
    /// As it was sent.
    pub(super) body: Vec<u8>,
    ip: Option<IpAddr>,
}

impl<'a> Asked<'a> {
    /// Reads query, headers and body.
    ///
    /// # Errors
    /// What the operation says of them.
    pub(super) async fn read(
        known: Known<'a>,
        request: &web_sys::Request,
        body: &Body,
        (path, query): (&str, &str),
        segments: Segments<'a>,
        caller: Caller,
        ip: Option<IpAddr>,
    ) -> Result<Self, Refused> {
        let operation = known.operation;
        let parsed = Query::parse(query, operation.query)
            .map_err(|errors| Refused::fields(Refusal::QueryInvalid, errors))?;
        let if_match = if_match(request, operation)?;
        let key = idempotency_key(request, operation)?;
        let body = match operation.method {
            Method::Get => Vec::new(),
            _ => body.expected(request, operation.body).await?,
        };
        if operation.op == Op::GithubLeaks {
            leaks::verify_github(known.env, request, &body).await?;
        }
        let repetition = key.map(|key| {
            let method = operation.method.as_str();
            idempotency::repetition(caller.name(), &key, [method, path, query], &body)
        });
        Ok(Self {
            known,
            segments,
            caller,
            query: parsed,
            if_match,
            repetition,
            body,
            ip,
        })
    }

    /// The body as strict JSON; one that may be left out is then an object without fields.
    ///
    /// # Errors
    /// [`Refusal::BodyInvalid`].
    pub(super) fn json(&self) -> Result<Value, Refused> {
        let expected = self.known.operation.body;
        if self.body.is_empty() && expected.is_optional() {
            return Ok(Value::Object(Map::new()));
        }
        let value = json::parse(&self.body)
            .map_err(|detail| Refused::field(Refusal::BodyInvalid, "body", detail))?;
        let fieldless = matches!(expected, Expected::None | Expected::Nothing);
        if fieldless && value.as_object().is_none_or(|fields| !fields.is_empty()) {
            let detail = "this operation takes no fields";
            return Err(Refused::field(Refusal::BodyInvalid, "body", detail));
        }
        Ok(value)
    }

    /// The body's fields, as `read` understands them.
    ///
    /// # Errors
    /// As [`Self::json`], and what the operation says of wrong fields.
    pub(super) fn fields<T>(
        &self,
        read: impl FnOnce(&Value) -> Result<T, Vec<FieldError>>,
    ) -> Result<T, Refused> {
        read(&self.json()?).map_err(|errors| self.wrong_fields(errors))
    }

    /// Fields are wrong.
    pub(super) fn wrong_fields(&self, errors: Vec<FieldError>) -> Refused {
        let refusal = self.known.operation.body.refusal();
        Refused::fields(refusal.unwrap_or(Refusal::RequestInvalid), errors)
    }

    /// The segment of the path with this name.
    pub(super) fn segment(&self, name: &str) -> String {
        self.segments.named(name).unwrap_or_default().to_owned()
    }

    /// The page of a list that is asked for.
    pub(super) fn page(&self) -> Page {
        Page {
            limit: self.query.limit(),
            from: self.query.cursor(),
        }
    }

    /// Asks the account registry to do what the request is for.
    ///
    /// # Errors
    /// [`Refusal::RegistryUnavailable`].
    pub(super) async fn account(&self, command: AccountCommand) -> Result<Reply, Refused> {
        self.account_sealed(command, None).await
    }

    /// The same, with the sealed secret that the answer shows.
    ///
    /// # Errors
    /// [`Refusal::RegistryUnavailable`].
    pub(super) async fn account_sealed(
        &self,
        command: AccountCommand,
        sealed: Option<String>,
    ) -> Result<Reply, Refused> {
        let call = self.call(command, self.repetition(sealed));
        Ok(client::account(self.known.env, &call).await?)
    }

    /// Asks the registry of the path's project to do what the request is for.
    ///
    /// # Errors
    /// [`Refusal::ProjectUnknown`], [`Refusal::RegistryUnavailable`].
    pub(super) async fn project(&self, command: ProjectCommand) -> Result<Reply, Refused> {
        self.project_sealed(command, None).await
    }

    /// The same, with the sealed secret that the answer shows.
    ///
    /// # Errors
    /// As [`Self::project`].
    pub(super) async fn project_sealed(
        &self,
        command: ProjectCommand,
        sealed: Option<String>,
    ) -> Result<Reply, Refused> {
        let call = self.call(command, self.repetition(sealed));
        self.ask_project(&self.segment("project"), call).await
    }

    /// Asks the account registry on the way to what the request is for.
    ///
    /// # Errors
    /// [`Refusal::RegistryUnavailable`].
    pub(super) async fn consult_account(&self, command: AccountCommand) -> Result<Reply, Refused> {
        Ok(client::account(self.known.env, &self.call(command, None)).await?)
    }

    /// Asks the registry of a project on the way to what the request is for.
    ///
    /// # Errors
    /// As [`Self::project`].
    pub(super) async fn consult_project(
        &self,
        id: &str,
        command: ProjectCommand,
    ) -> Result<Reply, Refused> {
        self.ask_project(id, self.call(command, None)).await
    }

    /// Asks the registry of this project to do what the request is for.
    ///
    /// # Errors
    /// As [`Self::project`].
    pub(super) async fn project_named(
        &self,
        id: &str,
        command: ProjectCommand,
    ) -> Result<Reply, Refused> {
        self.ask_project(id, self.call(command, self.repetition(None)))
            .await
    }

    async fn ask_project(&self, id: &str, call: Call<ProjectCommand>) -> Result<Reply, Refused> {
        match client::project(self.known.env, id, &call).await? {
            Reply::Unfounded => Err(Refusal::ProjectUnknown.into()),
            reply => Ok(reply),
        }
    }

    fn call<C>(&self, command: C, idempotency: Option<Idempotency>) -> Call<C> {
        Call {
            by: self.caller.actor(),
            ip: self.ip.map(|ip| ip.to_string()),
            request_id: self.known.request_id.to_owned(),
            idempotency,
            command,
        }
    }

    fn repetition(&self, sealed: Option<String>) -> Option<Idempotency> {
        let repetition = self.repetition.as_ref()?;
        Some(repetition.message(sealed))
    }
}
