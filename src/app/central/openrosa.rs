//! OpenRosa as a server: ODK Collect fills in the same forms and hands them in here.
//!
//! What arrives is sealed before it is kept, as a kiosk would have done it, and is held against its form later like
//! everything else, with its files. The same instance again gets the same answer, another one under its id is refused
//! with 409; a malformed one, one without an id, and one that names other files than came with it are refused before
//! anything is kept. Nothing waits here in the clear for more of its files, so all of them come in one request.
//! Begin at [`routes`].

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::CentralApp;
use crate::domain::desk::{DeskRight, may};
use crate::domain::id::SubmissionId;
use crate::domain::openrosa::INSTANCE_PART;
use crate::domain::receipt::Code;
use crate::domain::redacted::Redacted;
use crate::domain::seal::{Recipient, SealError, hex, seal};
use crate::domain::submission::peers::{Arrival, Delivery, TokenHash};
use crate::domain::submission::{Answer, Attachment, Content, Header, Item, Verdict, is_name};
use crate::forms::Form;
use crate::forms::review::answers_of;
use crate::store::{StoreError, desk};

/// Longest request; a sealed form has at most a quarter of it.
const BODY_MAX: usize = 1024 * 1024;
/// Most files beside an instance, and longest name of one.
const FILES_MAX: usize = 50;
const NAME_MAX: usize = 120;
/// With this part a telephone says that more files follow.
const INCOMPLETE: &str = "*isIncomplete*";
/// What `x-ventanilla-receipt` says to a 409: it is certainly another one, and nobody has to be asked.
const CONFLICT: HeaderValue = HeaderValue::from_static("conflict");
/// Under this name, as office and device, it is sealed and listed.
pub const DEVICE: &str = "openrosa";
/// What the signature begins with that a sealing's randomness is made of.
const SEED_DOMAIN: &str = "VSP1//openrosa-seed//";
const VERSION: HeaderName = HeaderName::from_static("x-openrosa-version");
const LENGTH: HeaderName = HeaderName::from_static("x-openrosa-accept-content-length");
const RECEIPT: HeaderName = HeaderName::from_static("x-ventanilla-receipt");

/// Why an instance is not kept.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(
        "The user or the password is not known here; use the name and the secret of a token for collectors"
    )]
    Unknown,
    #[error("This token is not for collectors")]
    NotAllowed,
    #[error("The request is not what OpenRosa asks for: {0}")]
    Malformed(&'static str),
    #[error("The form {0} in this version is not here; get the forms again")]
    UnknownForm(String),
    #[error("Another instance has this id; the first one stays")]
    Conflict,
    #[error("The form and its files are larger than what is kept; take smaller photographs")]
    TooLarge,
    #[error("Central has no key to seal to; name municipality_public in its settings")]
    NoKey,
    #[error("Nothing can be kept at the moment; send it again later")]
    Store(#[from] StoreError),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Unknown => StatusCode::UNAUTHORIZED,
            Self::NotAllowed => StatusCode::FORBIDDEN,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::UnknownForm(_) => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoKey | Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        if let Self::Store(problem) = &self {
            tracing::error!(%problem, "an instance could not be kept");
        }
        let mut response = said(status, &self.to_string());
        if status == StatusCode::UNAUTHORIZED {
            let basic = HeaderValue::from_static("Basic realm=\"Ventanilla\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, basic);
        }
        if matches!(self, Self::Conflict) {
            response.headers_mut().insert(RECEIPT, CONFLICT);
        }
        response
    }
}

/// The routes under `/openrosa`.
pub(super) fn routes(central: &Arc<CentralApp>) -> Router {
    Router::new()
        .route("/openrosa/formList", get(list))
        .route("/openrosa/forms/{id}", get(form))
        .route("/openrosa/submission", axum::routing::head(ready).post(take_in))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .with_state(Arc::clone(central))
}

/// Collect speaks Basic: the secret of a token is the password, the user is only a name.
async fn collector(central: &CentralApp, headers: &HeaderMap) -> Result<(), Refused> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let secret = value
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|text| BASE64_STANDARD.decode(text.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|pair| pair.split_once(':').map(|(_, secret)| TokenHash::of(secret)))
        .ok_or(Refused::Unknown)?;
    let token = central.store.look(move |sql| desk::token_of(sql, secret)).await?;
    let token = token.ok_or(Refused::Unknown)?;
    if may(token.role, DeskRight::Submit) {
        Ok(())
    } else {
        Err(Refused::NotAllowed)
    }
}

type App = State<Arc<CentralApp>>;

async fn list(State(app): App, headers: HeaderMap) -> Result<Response, Refused> {
    collector(&app, &headers).await?;
    // Collect needs a whole address; the one people and papers use is the one it reaches.
    let base = app.config.public_url.trim_end_matches('/').to_owned();
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xforms xmlns=\"http://openrosa.org/xforms/xformsList\">\n",
    );
    for form in app.forms().all() {
        let id = form.id();
        text.push_str(&format!(
            "<xform><formID>{}</formID><name>{}</name><version>{}</version><hash>md5:{}</hash>\
             <downloadUrl>{base}/openrosa/forms/{}.xml</downloadUrl></xform>\n",
            escape(id),
            escape(&form.title("es")),
            escape(form.version()),
            hex(&Md5::digest(form.to_xform_xml())),
            escape(id),
        ));
    }
    text.push_str("</xforms>\n");
    Ok(xml(StatusCode::OK, text))
}

async fn form(State(app): App, headers: HeaderMap, Path(id): Path<String>) -> Result<Response, Refused> {
    collector(&app, &headers).await?;
    let id = id.strip_suffix(".xml").unwrap_or(&id);
    let forms = app.forms();
    let form = forms
        .newest(id)
        .ok_or_else(|| Refused::UnknownForm(id.to_owned()))?;
    Ok(xml(StatusCode::OK, form.to_xform_xml()))
}

async fn ready(State(app): App, headers: HeaderMap) -> Result<Response, Refused> {
    collector(&app, &headers).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(LENGTH, HeaderValue::from(BODY_MAX));
    response
        .headers_mut()
        .insert(VERSION, HeaderValue::from_static("1.0"));
    Ok(response)
}

async fn take_in(State(app): App, headers: HeaderMap, mut parts: Multipart) -> Result<Response, Refused> {
    collector(&app, &headers).await?;
    let cut = |_| Refused::Malformed("the parts end too early");
    let (mut instance, mut files) = (None, Vec::new());
    while let Some(part) = parts.next_field().await.map_err(cut)? {
        let name = part.name().unwrap_or_default().to_owned();
        match name.as_str() {
            INSTANCE_PART => instance = Some(part.text().await.map_err(cut)?),
            INCOMPLETE => return Err(Refused::TooLarge),
            _ => {
                let kind = part
                    .content_type()
                    .unwrap_or("application/octet-stream")
                    .to_owned();
                let bytes = Zeroizing::new(part.bytes().await.map_err(cut)?.to_vec());
                files.push(Attachment::of_bytes(name, kind, &bytes));
            }
        }
    }
    let xml = instance.ok_or(Refused::Malformed("the part xml_submission_file is missing"))?;
    let (id, form_id, version) = named(&xml)?;
    fit(&xml, &mut files)?;
    let forms = app.forms();
    let form = forms
        .get(&form_id, &version)
        .ok_or(Refused::UnknownForm(form_id))?;
    let digest = hex(&Sha256::digest(&xml));
    let (code, seq) = app.keep_instance(id, form, xml, files).await?;
    let text = format!("Recibido. Código: {code}");
    let mut response = said(StatusCode::CREATED, &text);
    if let Ok(value) = HeaderValue::from_str(&format!("sha256={digest};seq={seq}")) {
        response.headers_mut().insert(RECEIPT, value);
    }
    Ok(response)
}

/// Puts files in order, and refuses what the instance does not name: it would be kept and never found.
fn fit(xml: &str, files: &mut [Attachment]) -> Result<(), Refused> {
    files.sort_by(|a, b| a.name.cmp(&b.name));
    if files.len() > FILES_MAX {
        return Err(Refused::TooLarge);
    }
    let twice = files.windows(2).any(|two| two[0].name == two[1].name);
    if twice {
        return Err(Refused::Malformed("two files have one name"));
    }
    let document =
        roxmltree::Document::parse(xml).map_err(|_| Refused::Malformed("the instance is no XML"))?;
    let said = |name: &str| {
        document
            .descendants()
            .any(|node| node.is_text() && node.text().map(str::trim) == Some(name))
    };
    let plain = |name: &str| {
        !name.is_empty()
            && name.chars().count() <= NAME_MAX
            && !name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\'))
    };
    if files.iter().any(|file| !plain(&file.name) || !said(&file.name)) {
        return Err(Refused::Malformed("the instance names no such file"));
    }
    Ok(())
}

/// The instance's own id, its form and version.
fn named(xml: &str) -> Result<(SubmissionId, String, String), Refused> {
    let document =
        roxmltree::Document::parse(xml).map_err(|_| Refused::Malformed("the instance is no XML"))?;
    let root = document.root_element();
    let form = root
        .attribute("id")
        .ok_or(Refused::Malformed("the instance names no form"))?;
    let id = document
        .descendants()
        .find(|node| node.tag_name().name() == "instanceID")
        .and_then(|node| node.text())
        .ok_or(Refused::Malformed("the instance has no instanceID"))?;
    let id: Uuid = id
        .trim()
        .trim_start_matches("uuid:")
        .parse()
        .map_err(|_| Refused::Malformed("the instanceID is no UUID"))?;
    if id.is_nil() {
        return Err(Refused::Malformed("the instanceID is no UUID"));
    }
    let version = root.attribute("version").unwrap_or_default();
    Ok((SubmissionId(id), form.to_owned(), version.to_owned()))
}

impl CentralApp {
    /// Seals an instance and keeps it; its code and its place.
    async fn keep_instance(
        &self,
        id: SubmissionId,
        form: &Form,
        xml: String,
        files: Vec<Attachment>,
    ) -> Result<(Code, i64), Refused> {
        let recipient = self.recipient.clone().ok_or(Refused::NoKey)?;
        // Sealed again in the very same way, the same instance is the same item, and another one is a conflict.
        let known = self.store.find(id).await?;
        let created_at = known.map_or_else(|| self.clock.now(), |row| row.created_at);
        let item = self.seal_instance(id, form, (xml, files), created_at, &recipient)?;
        let code = item.header.code;
        let arrival = Arrival {
            deliveries: vec![item],
            last_word: None,
        };
        let (verdicts, _) = self.store.keep(arrival, &self.key, self.clock.now()).await?;
        self.wake.notify_waiters();
        match verdicts.into_iter().next() {
            Some(Verdict::Accepted(ack) | Verdict::Duplicate(ack)) => {
                let seq = ack
                    .read(std::slice::from_ref(&self.receipt_key))
                    .map_or(0, |body| body.server_seq);
                Ok((code, seq))
            }
            Some(Verdict::Conflict) => Err(Refused::Conflict),
            Some(Verdict::Rejected(_) | Verdict::RetryLater) | None => Err(StoreError::Closed.into()),
        }
    }

    fn seal_instance(
        &self,
        id: SubmissionId,
        form: &Form,
        (xml, files): (String, Vec<Attachment>),
        created_at: Timestamp,
        recipient: &Recipient,
    ) -> Result<Delivery, Refused> {
        let secret = self.key.sign(SEED_DOMAIN, id.0.as_bytes());
        let seed: [u8; 32] = Sha256::digest(secret).into();
        let mut bits = [0; 5];
        bits.copy_from_slice(&seed[..5]);
        let procedure = if is_name(form.id()) { form.id() } else { DEVICE };
        let title = form.title("es");
        let answers = answers_of(&xml).unwrap_or_default();
        let answers = answers.into_iter().filter(|(_, value)| !value.is_empty());
        let content = Content {
            v: 1,
            form_id: form.id().to_owned(),
            form_version: form.version().to_owned(),
            procedure_name: title.clone(),
            language: "es".to_owned(),
            answers: answers
                .map(|(path, value)| Answer {
                    name: path.rsplit('/').next().unwrap_or_default().to_owned(),
                    label: path,
                    value: Redacted::new(value),
                    masked: false,
                })
                .collect(),
            instance_xml: Redacted::new(xml),
            result: None,
            consents: vec![],
            attachments: files,
        };
        let header = Header {
            v: 1,
            submission_id: id,
            office: DEVICE.to_owned(),
            device_id: DEVICE.to_owned(),
            device_seq: 1,
            // Each is the first of a life of its own: telephones keep no common count.
            outbox_epoch: id.to_string(),
            form_id: form.id().to_owned(),
            form_version: form.version().to_owned(),
            catalogue: hex(&Sha256::digest(form.to_xform_xml())),
            created_at,
            procedure: procedure.to_owned(),
            procedure_name: title,
            code: Code::from_random(bits),
            queue: None,
            prev_hash: None,
        };
        let to = std::slice::from_ref(recipient);
        let envelope = seal(&content.to_bytes(), &header, to, &seed).map_err(|problem| match problem {
            SealError::TooLarge { .. } => Refused::TooLarge,
            SealError::NoRecipient
            | SealError::BadRecipient { .. }
            | SealError::Malformed
            | SealError::OtherRecipient { .. }
            | SealError::Changed => Refused::NoKey,
        })?;
        Ok(Delivery {
            item: Item::sign(id, envelope, &self.key),
            header,
            sender: DEVICE.to_owned(),
        })
    }
}

fn said(status: StatusCode, text: &str) -> Response {
    let text = format!(
        "<OpenRosaResponse xmlns=\"http://openrosa.org/http/response\"><message>{}</message></OpenRosaResponse>",
        escape(text)
    );
    xml(status, text)
}

fn xml(status: StatusCode, text: String) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/xml; charset=utf-8"),
        ),
        (VERSION, HeaderValue::from_static("1.0")),
    ];
    (status, headers, Body::from(text)).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
