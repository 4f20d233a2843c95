//! Whether a code or a signed receipt is ours, and what may be told about it to anybody.

use std::collections::HashMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::CentralApp;
use crate::domain::receipt::{self, Claims, Code, CodeError, TokenError, fingerprint};
use crate::store::StoreError;

/// Questions without an answer that one address may ask in a minute: plenty for a person who mistypes.
const GUESSES_MAX: u32 = 30;
/// Addresses remembered at most.
const ADDRESSES_MAX: usize = 10_000;
/// A code has 8 characters; what is much longer was meant as a signed receipt.
const CODE_TEXT_MAX: usize = 24;

/// Since when and how often each address asked in vain.
pub(super) type Guesses = HashMap<IpAddr, (Timestamp, u32)>;

/// What anybody who holds a receipt may know; nothing personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiptView {
    /// The code on the paper.
    pub code: String,
    /// Id of the procedure.
    pub procedure: String,
    /// Its name.
    pub procedure_name: String,
    /// Name of the office, or its id.
    pub office: String,
    /// When the citizen confirmed it.
    #[serde(with = "crate::domain::ticket::time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub registered_at: Timestamp,
    /// When it arrived here.
    #[serde(with = "crate::domain::ticket::time_text")]
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    /// Beginning of the sealed envelope's hash, to compare with the paper.
    pub fingerprint: String,
    /// `received`: it is kept here. How far it is is told with the last digits only.
    pub status: &'static str,
}

/// Why nothing is told.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// What was typed cannot be a code.
    #[error(transparent)]
    Malformed(#[from] CodeError),
    /// The signed receipt was changed, cut, or signed by a device we do not know.
    #[error(transparent)]
    NotGenuine(#[from] TokenError),
    /// Not here, or not yet.
    #[error("Code {code} is not here; check the letters, or wait until the office has sent it")]
    Unknown {
        /// The code.
        code: Code,
        /// Whether a signature proved that one of our devices issued it.
        genuine: bool,
    },
    /// Asked too often in vain.
    #[error("Too many codes that are not here were tried; wait a minute")]
    TooMany,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CentralApp {
    /// What is known of the code or signed receipt `text`, asked for from `address`; nearly always one submission.
    pub async fn verify(&self, text: &str, address: IpAddr) -> Result<Vec<ReceiptView>, VerifyError> {
        let now = self.clock.now();
        if self.is_closed(address, now) {
            return Err(VerifyError::TooMany);
        }
        let found = self.look_up(text.trim()).await;
        if matches!(
            found,
            Err(VerifyError::Unknown { .. } | VerifyError::NotGenuine(_))
        ) {
            self.count(address, now);
        }
        found
    }

    async fn look_up(&self, text: &str) -> Result<Vec<ReceiptView>, VerifyError> {
        let (code, claims) = if receipt::is_token(text) || text.chars().count() > CODE_TEXT_MAX {
            let keys = self.registry.gate().book().keys();
            let claims: Claims = receipt::verify(text, &keys)?;
            (claims.code, Some(claims))
        } else {
            (text.parse()?, None)
        };
        let rows = self.store.by_code(code).await?;
        let found: Vec<_> = rows
            .iter()
            .filter(|row| claims.as_ref().is_none_or(|claims| claims.is_of(row.hash)))
            .map(|row| ReceiptView {
                code: row.code.to_string(),
                procedure: row.procedure.clone(),
                procedure_name: row.procedure_name.clone(),
                office: self.office_name(&row.office),
                registered_at: row.created_at,
                received_at: row.received_at,
                fingerprint: fingerprint(row.hash),
                status: "received",
            })
            .collect();
        if found.is_empty() {
            let genuine = claims.is_some();
            return Err(VerifyError::Unknown { code, genuine });
        }
        Ok(found)
    }

    pub(super) fn office_name(&self, id: &str) -> String {
        self.config
            .offices
            .get(id)
            .map_or_else(|| id.to_owned(), Clone::clone)
    }

    fn is_closed(&self, address: IpAddr, now: Timestamp) -> bool {
        let guesses = self
            .guesses
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        guesses
            .get(&address)
            .is_some_and(|(since, number)| *number >= GUESSES_MAX && is_recent(*since, now))
    }

    fn count(&self, address: IpAddr, now: Timestamp) {
        let mut guesses = self
            .guesses
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if guesses.len() >= ADDRESSES_MAX {
            guesses.clear();
        }
        let entry = guesses.entry(address).or_insert((now, 0));
        if !is_recent(entry.0, now) {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }
}

fn is_recent(since: Timestamp, now: Timestamp) -> bool {
    now.duration_since(since).abs() < SignedDuration::from_mins(1)
}
