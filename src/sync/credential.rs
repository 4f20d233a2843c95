//! How a device proves itself to the server above: with a token, or with a signature under each request.
//!
//! A signature names the moment by the server's clock. A device whose own clock is wrong is told the server's once,
//! keeps the difference and signs again; so nobody has to set a clock before a kiosk can work.
//! Begin at [`Credential::send`].

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Request, RequestBuilder, Response, StatusCode};

use super::gate::TIME_HEADER;
use crate::clock::{Clock, from_micros, random};
use crate::domain::redacted::Redacted;
use crate::domain::seal::SigningKey;
use crate::domain::submission::request::{Asked, SignedRequest};

/// Proof of who asks; cheap to clone.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A secret that both sides know.
    Token(Redacted<String>),
    /// A key that never leaves the device.
    Device(Arc<DeviceKey>),
}

/// A device's key and what it knows of the server's clock.
#[derive(Debug)]
pub struct DeviceKey {
    id: String,
    key: SigningKey,
    clock: Clock,
    /// The server's clock minus ours, in microseconds.
    offset: AtomicI64,
}

impl From<Redacted<String>> for Credential {
    fn from(token: Redacted<String>) -> Self {
        Self::Token(token)
    }
}

impl From<String> for Credential {
    fn from(token: String) -> Self {
        Self::Token(Redacted::new(token))
    }
}

impl Credential {
    /// The credential of an enrolled device.
    pub fn device(id: &str, key: SigningKey, clock: Clock) -> Self {
        Self::Device(Arc::new(DeviceKey {
            id: id.to_owned(),
            key,
            clock,
            offset: AtomicI64::new(0),
        }))
    }

    /// Proves and sends a request; once again where the server says that our clock is wrong.
    ///
    /// # Errors
    /// As the client.
    pub async fn send(
        &self,
        http: &reqwest::Client,
        request: RequestBuilder,
    ) -> Result<Response, reqwest::Error> {
        let device = match self {
            Self::Token(token) => return request.bearer_auth(token.reveal()).send().await,
            Self::Device(device) => device,
        };
        let mut request = request.build()?;
        let again = request.try_clone();
        device.sign(&mut request);
        let response = http.execute(request).await?;
        let told = (response.status() == StatusCode::UNAUTHORIZED)
            .then(|| response.headers().get(TIME_HEADER)?.to_str().ok()?.parse().ok())
            .flatten();
        match (told, again) {
            (Some(micros), Some(mut again)) => {
                device.learn(from_micros(micros));
                device.sign(&mut again);
                http.execute(again).await
            }
            _ => Ok(response),
        }
    }
}

impl DeviceKey {
    fn learn(&self, server: Timestamp) {
        let offset = server.as_microsecond() - self.clock.now().as_microsecond();
        self.offset.store(offset, Ordering::SeqCst);
    }

    fn sign(&self, request: &mut Request) {
        let now = self.clock.now();
        let at = now
            .checked_add(SignedDuration::from_micros(self.offset.load(Ordering::SeqCst)))
            .unwrap_or(now);
        let target = match request.url().query() {
            Some(query) => format!("{}?{query}", request.url().path()),
            None => request.url().path().to_owned(),
        };
        let body = request
            .body()
            .and_then(|body| body.as_bytes())
            .unwrap_or_default();
        let asked = Asked {
            method: request.method().as_str(),
            target: &target,
            body,
        };
        let signed = SignedRequest::sign(asked, &self.id, &self.key, at, random());
        if let Ok(value) = HeaderValue::from_str(&signed.to_header()) {
            request.headers_mut().insert(AUTHORIZATION, value);
        }
    }
}
