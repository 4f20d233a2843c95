//! The kiosk's side of drafts: sealed forms that wait at the office for their citizen.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Deserialize;

use super::office::{OfficeClient, OfficeError};
use crate::domain::resume::{DraftId, Keys};

/// What the office says of a try at a draft.
#[derive(Debug, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OpenedWire {
    /// The digits are right.
    Open {
        /// The sealed form, base64.
        sealed: String,
    },
    /// They are wrong.
    Wrong {
        /// Tries left.
        left: u32,
    },
    /// Shut after wrong ones.
    Shut {
        /// Until then.
        #[serde(with = "crate::domain::ticket::time_text")]
        until: Timestamp,
    },
    /// It was used.
    Used,
    /// Its time is over.
    Over,
    /// There is none of this name.
    Unknown,
}

impl OfficeClient {
    /// Hands a sealed draft in and hears until when it is kept; handed in twice, it is kept once.
    ///
    /// # Errors
    /// When the office does not answer or keeps it not.
    pub async fn keep_draft(
        &self,
        keys: &Keys,
        sealed: &[u8],
        replaces: Option<DraftId>,
    ) -> Result<Timestamp, OfficeError> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(with = "crate::domain::ticket::time_text")]
            until: Timestamp,
        }
        let body = serde_json::json!({
            "id": keys.id,
            "proof": crate::domain::seal::hex(&keys.proof.kept()),
            "sealed": BASE64_STANDARD.encode(sealed),
            "replaces": replaces,
        });
        let kept: Wire = self.send_in("/api/v1/drafts", &body).await?;
        Ok(kept.until)
    }

    /// Tries to open a draft.
    ///
    /// # Errors
    /// When the office does not answer.
    pub async fn open_draft(&self, keys: &Keys) -> Result<OpenedWire, OfficeError> {
        let body = serde_json::json!({ "proof": keys.proof.to_text() });
        self.send_in(&format!("/api/v1/drafts/{}/open", keys.id), &body)
            .await
    }

    /// Tells that the form of a draft was sent, so that it is erased.
    ///
    /// # Errors
    /// When the office does not answer.
    pub async fn used_draft(&self, id: DraftId) -> Result<(), OfficeError> {
        self.tell_plain(&format!("/api/v1/drafts/{id}/used")).await
    }
}
