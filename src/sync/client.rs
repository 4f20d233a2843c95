//! Posts one batch and says what came back; decides nothing.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};

use super::credential::Credential;
use super::http::{self, HttpError};
use super::plan::{Reply, read_answer, read_retry_after};
use super::wire::{ANSWER_MAX, BatchWire, ItemWire, PATH};
use crate::domain::submission::{Acknowledgement, Item};

/// A line to one server.
#[derive(Clone)]
pub struct Client {
    line: Line,
}

#[derive(Clone)]
enum Line {
    Http {
        http: reqwest::Client,
        url: String,
        credential: Credential,
    },
    Made(Carry),
}

/// Carries a request body and brings an answer back, or says in one word why there is none.
pub type Carry = Arc<dyn Fn(Vec<u8>) -> BoxFuture<'static, Result<Carried, &'static str>> + Send + Sync>;

/// An answer as it came, before anything was believed.
#[derive(Clone, Debug)]
pub struct Carried {
    /// HTTP status.
    pub status: u16,
    /// What `Retry-After` says.
    pub retry_after: Option<String>,
    /// The body; nothing where it was longer than [`ANSWER_MAX`].
    pub body: Option<Vec<u8>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.line {
            Line::Http { url, .. } => write!(f, "Client({url})"),
            Line::Made(_) => f.write_str("Client(made)"),
        }
    }
}

/// Long enough for a slow mobile line, short enough that a dead one shows.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

impl Client {
    /// A line to the server at `base` (`https://…`, no path), as the device that this proves.
    ///
    /// With `authority` (PEM) only servers of that private authority are believed.
    ///
    /// # Errors
    /// When the authority is not readable.
    pub fn new(
        base: &str,
        credential: impl Into<Credential>,
        authority: Option<&[u8]>,
    ) -> Result<Self, HttpError> {
        let http = http::builder(authority)?
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(HttpError::Build)?;
        Ok(Self {
            line: Line::Http {
                http,
                url: format!("{}{PATH}", base.trim_end_matches('/')),
                credential: credential.into(),
            },
        })
    }

    /// A line without a network: for simulations.
    pub fn by(carry: Carry) -> Self {
        Self {
            line: Line::Made(carry),
        }
    }

    /// Sends `items` and waits for the whole answer; `last_word` shows the server how far it once was.
    pub async fn post(&self, items: &[Item], last_word: Option<Acknowledgement>, now: Timestamp) -> Reply {
        let batch = BatchWire {
            v: 1,
            last_word,
            items: items.iter().map(ItemWire::from).collect(),
        };
        let body = serde_json::to_vec(&batch).expect("a batch is plain data");
        let carried = match &self.line {
            Line::Http {
                http,
                url,
                credential,
            } => carry(http, url, credential, body).await,
            Line::Made(carry) => carry(body).await,
        };
        match carried {
            Err(why) => Reply::Nothing { why },
            Ok(Carried {
                status: 200, body, ..
            }) => {
                let ids: Vec<_> = items.iter().map(|item| item.id).collect();
                body.map_or(Reply::Foreign, |body| read_answer(&body, &ids))
            }
            Ok(Carried {
                status, retry_after, ..
            }) => Reply::Status {
                status,
                retry_after: retry_after.and_then(|value| read_retry_after(&value, now)),
            },
        }
    }
}

async fn carry(
    http: &reqwest::Client,
    url: &str,
    credential: &Credential,
    body: Vec<u8>,
) -> Result<Carried, &'static str> {
    let request = http
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .body(body);
    let response = credential
        .send(http, request)
        .await
        .map_err(|error| nothing(&error))?;
    let status = response.status().as_u16();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .map(ToOwned::to_owned);
    let body = if status == 200 {
        read_whole(response).await.map_err(|error| nothing(&error))?
    } else {
        None
    };
    Ok(Carried {
        status,
        retry_after,
        body,
    })
}

async fn read_whole(mut response: reqwest::Response) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > ANSWER_MAX {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn nothing(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "no_connection"
    } else {
        "cut"
    }
}
