//! OpenRosa as a client: lists forms of any server, and posts submissions to it.
//!
//! It believes nothing that could be a network's login page, follows no redirect to another host, sends a password
//! to nobody in the clear, and puts no address into a message, for the address of ODK Central may be a secret.
//! Decides nothing: [`plan`] says what answers mean. Begin at [`Server`].

pub mod list;
pub mod plan;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use http_auth::{PasswordClient, PasswordParams};
use jiff::SignedDuration;
use md5::{Digest as _, Md5};
use reqwest::header::{AUTHORIZATION, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::multipart::{Form, Part};
use reqwest::{Method, Response, StatusCode, Url};
use zeroize::Zeroizing;

use super::http::{self, HttpError};
use super::plan::read_retry_after;
use crate::clock::Clock;
use crate::domain::openrosa::{Enclosed, INSTANCE_PART, Parcel};
use crate::domain::redacted::Redacted;
use crate::domain::seal::hex;
use list::{FormEntry, MediaFile, read_forms, read_manifest};
use plan::{LENGTH_DEFAULT, Posted, Trouble};

/// Long enough for a slow mobile line, short enough that a dead one shows.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Files travel too, and servers index before they answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// Longest list, form or file that is read.
const READ_MAX: usize = 16 * 1024 * 1024;
const VERSION: &str = "x-openrosa-version";
const LENGTH: &str = "x-openrosa-accept-content-length";
const RECEIPT: &str = "x-ventanilla-receipt";

/// Why there is no line to a server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is none.
    #[error("The address of the server is none; write it as https://…, without /formList or /submission")]
    Address,
    /// Passwords and answers would be open to everybody on the way.
    #[error("What citizens said goes over https only; write the address of the server with https://")]
    InTheClear,
    /// No client can be made.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// Where a server is and as whom we come.
#[derive(Clone, Debug)]
pub struct Access {
    /// Address before `/formList` and `/submission`.
    pub url: Redacted<String>,
    /// User and password, where it asks for them.
    pub user: Option<(String, Redacted<String>)>,
    /// Its private authority, PEM; without it, those of the system.
    pub authority: Option<Vec<u8>>,
    /// Where a single submission can be read, with `{form}` and `{id}`; without it, where ODK Central has it.
    pub lookup: Option<Redacted<String>>,
}

/// A line to one OpenRosa server.
pub struct Server {
    http: reqwest::Client,
    base: Url,
    user: Option<(String, Redacted<String>)>,
    lookup: Option<Redacted<String>>,
    /// How it wants to be told who we are; known after its first refusal.
    challenge: Mutex<Option<PasswordClient>>,
    clock: Clock,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server(***)")
    }
}

/// What a server that takes submissions said.
#[derive(Clone, Debug)]
pub struct Ready {
    url: Url,
    /// Longest request that it takes, in bytes.
    pub length: usize,
}

impl Server {
    /// A line that was not tried yet.
    ///
    /// # Errors
    /// When the address is none, or not in secret.
    pub fn new(access: Access, clock: Clock) -> Result<Self, ServerError> {
        let mut base: Url = access.url.reveal().parse().map_err(|_| ServerError::Address)?;
        let alone = matches!(base.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        match base.scheme() {
            "https" => {}
            "http" if alone => {}
            "http" => return Err(ServerError::InTheClear),
            _ => return Err(ServerError::Address),
        }
        base.set_query(None);
        base.set_fragment(None);
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        let http = http::builder(access.authority.as_deref())?
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(HttpError::Build)?;
        let lookup = access.lookup.or_else(|| lookup_of_central(&base));
        Ok(Self {
            http,
            base,
            user: access.user,
            lookup,
            challenge: Mutex::new(None),
            clock,
        })
    }

    /// The forms it takes submissions of.
    ///
    /// # Errors
    /// Says what is wrong with the line or the server.
    pub async fn forms(&self) -> Result<Vec<FormEntry>, Trouble> {
        let text = self.text(self.under("formList")).await?;
        read_forms(&text).ok_or_else(|| Trouble::foreign("no_form_list"))
    }

    /// The XML of a form, checked against the digest of the list.
    ///
    /// # Errors
    /// Says what is wrong with the line or the server.
    pub async fn form(&self, entry: &FormEntry) -> Result<String, Trouble> {
        let text = self.text(self.here(&entry.download)?).await?;
        if is_of(text.as_bytes(), &entry.hash) {
            Ok(text)
        } else {
            Err(Trouble::foreign("other_form"))
        }
    }

    /// The files of a form.
    ///
    /// # Errors
    /// Says what is wrong with the line or the server.
    pub async fn media(&self, entry: &FormEntry) -> Result<Vec<MediaFile>, Trouble> {
        let Some(manifest) = &entry.manifest else {
            return Ok(Vec::new());
        };
        let text = self.text(self.here(manifest)?).await?;
        read_manifest(&text).ok_or_else(|| Trouble::foreign("no_manifest"))
    }

    /// One of those files, checked against the digest of the list.
    ///
    /// # Errors
    /// Says what is wrong with the line or the server.
    pub async fn file(&self, file: &MediaFile) -> Result<Vec<u8>, Trouble> {
        let bytes = self.bytes(self.here(&file.download)?).await?;
        if is_of(&bytes, &file.hash) {
            Ok(bytes)
        } else {
            Err(Trouble::foreign("other_file"))
        }
    }

    /// Asks whether submissions are taken, and where.
    ///
    /// # Errors
    /// Says what is wrong: anything but 204 is not an OpenRosa server that is ready.
    pub async fn ready(&self) -> Result<Ready, Trouble> {
        let mut url = self.under("submission");
        let mut answer = self.send(Method::HEAD, &url, || None).await?;
        if answer.status().is_redirection() {
            let to = header(&answer, LOCATION.as_str()).and_then(|to| url.join(to).ok());
            let to = to.filter(|to| to.host_str() == url.host_str() && !is_downgrade(&url, to));
            url = to.ok_or_else(|| Trouble::foreign("redirected_elsewhere"))?;
            answer = self.send(Method::HEAD, &url, || None).await?;
        }
        match answer.status() {
            StatusCode::NO_CONTENT => {}
            status if status.is_success() || status.is_redirection() => {
                return Err(Trouble::foreign(format!("status_{}", status.as_u16())));
            }
            status => return Err(Trouble::status(status.as_u16(), self.asked(&answer))),
        }
        let length = header(&answer, LENGTH).and_then(|text| text.trim().parse().ok());
        Ok(Ready {
            url,
            length: length.filter(|length| *length > 0).unwrap_or(LENGTH_DEFAULT),
        })
    }

    /// Posts the instance with some of its files; `more` says that others follow.
    pub async fn post(&self, ready: &Ready, parcel: &Parcel, files: &[&Enclosed], more: bool) -> Posted {
        let made = || {
            let mut form = Form::new().part(INSTANCE_PART, part("submission.xml", "text/xml", &parcel.xml));
            for file in files {
                form = form.part(file.name.clone(), part(&file.name, &file.media_type, &file.bytes));
            }
            if more {
                form = form.text("*isIncomplete*", "yes");
            }
            Some(form)
        };
        let answer = match self.send(Method::POST, &ready.url, made).await {
            Ok(answer) => answer,
            Err(trouble) => {
                let why = if trouble.why == "timeout" {
                    "timeout"
                } else {
                    "no_answer"
                };
                return Posted::Nothing { why };
            }
        };
        let (status, retry_after) = (answer.status().as_u16(), self.asked(&answer));
        let receipt = header(&answer, RECEIPT).map(ToOwned::to_owned);
        // An answer that was cut is none: the server may have said the rest to nobody.
        match read_whole(answer).await {
            Ok(_) => Posted::Answer {
                status,
                retry_after,
                receipt,
            },
            Err(_) => Posted::Nothing { why: "cut" },
        }
    }

    /// The instance that the server keeps under an id; nothing where it keeps none.
    ///
    /// # Errors
    /// Says what is wrong with the line, or that the server cannot be asked.
    pub async fn look_up(&self, parcel: &Parcel) -> Result<Option<Zeroizing<Vec<u8>>>, Trouble> {
        let template = self
            .lookup
            .as_ref()
            .ok_or_else(|| Trouble::foreign("cannot_be_asked"))?;
        let url = template
            .reveal()
            .replace("{form}", &encoded(&parcel.form_id))
            .replace("{id}", &encoded(&parcel.instance_id));
        let url = self.here(&url)?;
        let answer = self.send(Method::GET, &url, || None).await?;
        match answer.status() {
            StatusCode::OK => read_whole(answer).await.map(|bytes| Some(Zeroizing::new(bytes))),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            status => Err(Trouble::status(status.as_u16(), self.asked(&answer))),
        }
    }

    /// Whether a submission that may be there can be asked for.
    pub fn can_look_up(&self) -> bool {
        self.lookup.is_some()
    }

    fn under(&self, name: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{name}", self.base.path().trim_end_matches('/')));
        url
    }

    /// An address of a list, at the host that we know: servers behind a proxy name another one.
    fn here(&self, address: &str) -> Result<Url, Trouble> {
        let meant = self
            .base
            .join(address)
            .map_err(|_| Trouble::foreign("bad_address"))?;
        let mut url = self.base.clone();
        url.set_path(meant.path());
        url.set_query(meant.query());
        Ok(url)
    }

    async fn text(&self, url: Url) -> Result<String, Trouble> {
        let bytes = self.bytes(url).await?;
        String::from_utf8(bytes).map_err(|_| Trouble::foreign("no_text"))
    }

    async fn bytes(&self, url: Url) -> Result<Vec<u8>, Trouble> {
        let answer = self.send(Method::GET, &url, || None).await?;
        match answer.status() {
            StatusCode::OK => read_whole(answer).await,
            status => Err(Trouble::status(status.as_u16(), self.asked(&answer))),
        }
    }

    /// Sends a request and answers the server's question who we are, once.
    async fn send(
        &self,
        method: Method,
        url: &Url,
        body: impl Fn() -> Option<Form>,
    ) -> Result<Response, Trouble> {
        let first = self.send_once(&method, url, body()).await?;
        if first.status() != StatusCode::UNAUTHORIZED || self.user.is_none() {
            return Ok(first);
        }
        let asked: Vec<&str> = first
            .headers()
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        let Ok(challenge) = PasswordClient::try_from(asked.join(", ").as_str()) else {
            return Ok(first);
        };
        *self.challenge.lock().unwrap_or_else(PoisonError::into_inner) = Some(challenge);
        self.send_once(&method, url, body()).await
    }

    async fn send_once(&self, method: &Method, url: &Url, body: Option<Form>) -> Result<Response, Trouble> {
        let mut request = self
            .http
            .request(method.clone(), url.clone())
            .header(VERSION, "1.0")
            // The specification asks for it.
            .header(
                "date",
                self.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            );
        if let Some(value) = self.credentials(method, url) {
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(form) = body {
            request = request.multipart(form);
        }
        request.send().await.map_err(|error| nothing(&error))
    }

    fn asked(&self, answer: &Response) -> Option<SignedDuration> {
        header(answer, RETRY_AFTER.as_str()).and_then(|value| read_retry_after(value, self.clock.now()))
    }

    fn credentials(&self, method: &Method, url: &Url) -> Option<String> {
        let (user, password) = self.user.as_ref()?;
        let mut challenge = self.challenge.lock().unwrap_or_else(PoisonError::into_inner);
        let uri = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        challenge
            .as_mut()?
            .respond(&PasswordParams {
                username: user,
                password: password.reveal(),
                uri: &uri,
                method: method.as_str(),
                body: None,
            })
            .ok()
    }
}

/// ODK Central keeps single submissions beside the project that they are posted to.
fn lookup_of_central(base: &Url) -> Option<Redacted<String>> {
    let path = base.path();
    let project = path.rsplit_once("/projects/")?.1;
    let is_project = path.starts_with("/v1/") && !project.is_empty() && !project.contains('/');
    // The token of an app user is only good for handing in.
    let with_password = !path.starts_with("/v1/key/");
    (is_project && with_password)
        .then(|| Redacted::new(format!("{path}/forms/{{form}}/submissions/{{id}}.xml")))
}

fn part(name: &str, kind: &str, bytes: &[u8]) -> Part {
    let made = || Part::bytes(bytes.to_vec()).file_name(name.to_owned());
    // A kind that is none, as a collector may have said, must not keep the file back.
    made().mime_str(kind).unwrap_or_else(|_| made())
}

fn is_downgrade(from: &Url, to: &Url) -> bool {
    from.scheme() == "https" && to.scheme() != "https"
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b':' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn is_of(bytes: &[u8], hash: &str) -> bool {
    // Other digests than MD5 are not in the specification; TLS answers for those.
    hash.strip_prefix("md5:")
        .is_none_or(|wanted| hex(&Md5::digest(bytes)).eq_ignore_ascii_case(wanted))
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name).and_then(|value| value.to_str().ok())
}

async fn read_whole(mut answer: Response) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| nothing(&error))? {
        if body.len() + chunk.len() > READ_MAX {
            return Err(Trouble::foreign("too_long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn nothing(error: &reqwest::Error) -> Trouble {
    Trouble::nothing(if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "no_connection"
    } else {
        "cut"
    })
}
