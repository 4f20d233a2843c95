//! Lets in who a server knows: by token, or by a signature that was not seen before.
//!
//! A signed request counts for five minutes and once. The numbers used are in memory only; after a restart whatever
//! was signed before it is refused, so an overheard request is worth nothing then either.
//! Begin at [`Gate::admit`].

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};

use super::server::{bearer, problem};
use crate::clock::Clock;
use crate::domain::submission::peers::{Peer, PeerBook};
use crate::domain::submission::request::{Asked, SCHEME, SignedRequest};

/// Our clock, in microseconds, told to a device whose signature names a moment too far away.
pub const TIME_HEADER: HeaderName = HeaderName::from_static("ventanilla-time");
/// How far the moment of a signature may be away.
const WINDOW: SignedDuration = SignedDuration::from_mins(5);
/// Numbers remembered at most: forty requests a second for the whole window.
const NONCES_MAX: usize = 12_000;

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Nobody we know, or the signature does not fit.
    Unknown,
    /// A device that was taken out of service.
    Revoked,
    /// The moment is too far away; ours is told.
    WrongTime(Timestamp),
    /// This very request came before.
    Replayed,
}

/// Whom a server knows, and which signatures it saw.
#[derive(Debug)]
pub struct Gate {
    peers: Arc<RwLock<PeerBook>>,
    clock: Clock,
    begun: Timestamp,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    nonces: HashMap<[u8; 16], Timestamp>,
    order: VecDeque<[u8; 16]>,
}

impl Gate {
    /// A gate for those in the book, which may change while it stands.
    pub fn new(peers: Arc<RwLock<PeerBook>>, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            peers,
            begun: clock.now(),
            clock,
            seen: Mutex::default(),
        })
    }

    /// A copy of the book as it is now.
    pub fn book(&self) -> PeerBook {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether the headers carry a signature of ours; then the body must be read before [`Gate::admit`].
    pub fn is_signed(headers: &HeaderMap) -> bool {
        headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with(SCHEME))
    }

    /// Who asks.
    pub fn admit(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Peer, Refused> {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = bearer(headers) {
            let peer = peers.by_token(token).ok_or(Refused::Unknown)?;
            return if peer.revoked {
                Err(Refused::Revoked)
            } else {
                Ok(peer.clone())
            };
        }
        let request = headers
            .get(AUTHORIZATION)
            .and_then(|value| SignedRequest::parse(value.to_str().ok()?))
            .ok_or(Refused::Unknown)?;
        let peer = peers.by_id(&request.device).ok_or(Refused::Unknown)?;
        let asked = Asked {
            method: method.as_str(),
            target: uri.path_and_query().map_or("/", |target| target.as_str()),
            body,
        };
        let by = |key| request.is_by(key, asked);
        let own = peer.key.as_ref().is_some_and(by);
        if !own && !peer.former.iter().any(by) {
            return Err(Refused::Unknown);
        }
        // Proven, so it may be told the truth: out of service, or replaced by another machine.
        if peer.revoked || !own {
            return Err(Refused::Revoked);
        }
        self.once(&request).map(|()| peer.clone())
    }

    fn once(&self, request: &SignedRequest) -> Result<(), Refused> {
        let now = self.clock.now();
        let at = crate::clock::from_micros(request.at);
        let near = |moment: Timestamp| now.duration_since(moment).abs() <= WINDOW;
        if !near(at) || at < self.begun {
            return Err(Refused::WrongTime(now));
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(oldest) = seen.order.front().copied() {
            // One whose moment lies ahead stays until that is out of the window too.
            let over = seen.nonces.get(&oldest).is_none_or(|at| !near(*at));
            if !over && seen.order.len() < NONCES_MAX {
                break;
            }
            if !over {
                // A flood: better to refuse than to forget what may come again.
                return Err(Refused::Replayed);
            }
            seen.order.pop_front();
            seen.nonces.remove(&oldest);
        }
        if seen.nonces.insert(request.nonce, at).is_some() {
            return Err(Refused::Replayed);
        }
        seen.order.push_back(request.nonce);
        Ok(())
    }
}

impl Refused {
    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Revoked => StatusCode::FORBIDDEN,
            Self::Unknown | Self::WrongTime(_) | Self::Replayed => StatusCode::UNAUTHORIZED,
        }
    }

    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "token_refused",
            Self::Revoked => "device_revoked",
            Self::WrongTime(_) => "wrong_time",
            Self::Replayed => "replayed",
        }
    }

    /// What is wrong and the way out.
    pub fn title(self) -> &'static str {
        match self {
            Self::Unknown => {
                "The token or the signature is missing or not known here; send a valid one, or enrol this device again"
            }
            Self::Revoked => {
                "This device was taken out of service; what it holds stays there until it is enrolled again"
            }
            Self::WrongTime(_) => {
                "The signature names a moment too far away; sign with the time of this answer"
            }
            Self::Replayed => "This very request came before; sign each one anew",
        }
    }

    /// Our clock for the header [`TIME_HEADER`], where the device needs it.
    pub fn time(self) -> Option<HeaderValue> {
        match self {
            Self::WrongTime(now) => Some(HeaderValue::from(now.as_microsecond())),
            Self::Unknown | Self::Revoked | Self::Replayed => None,
        }
    }

    /// The answer to it.
    pub fn answer(self) -> Response {
        let mut response = problem(self.status(), &self.code().replace('_', "-"), self.title());
        let headers = response.headers_mut();
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(time) = self.time() {
            headers.insert(TIME_HEADER, time);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::seal::SigningKey;

    struct Stand {
        gate: Arc<Gate>,
        key: SigningKey,
        clock: Clock,
    }

    fn stand(revoked: bool) -> Stand {
        let key = SigningKey::generate(&[6; 32]);
        let clock = Clock::manual("2026-11-24T14:00:00Z".parse().expect("time"));
        let peer = Peer {
            revoked,
            ..Peer::with_key("kiosk-1", "centro", key.verifying())
        };
        let book = Arc::new(RwLock::new(PeerBook::new(vec![peer])));
        let gate = Gate::new(book, clock.clone());
        clock.advance(SignedDuration::from_secs(1));
        Stand { gate, key, clock }
    }

    impl Stand {
        fn header(&self, at: Timestamp, nonce: u8) -> HeaderMap {
            let asked = Asked {
                method: "GET",
                target: "/v1/catalogue?x=1",
                body: b"",
            };
            let signed = SignedRequest::sign(asked, "kiosk-1", &self.key, at, [nonce; 16]);
            let value = HeaderValue::from_str(&signed.to_header()).expect("plain");
            HeaderMap::from_iter([(AUTHORIZATION, value)])
        }

        fn ask(&self, headers: &HeaderMap, target: &str) -> Result<String, Refused> {
            let uri = target.parse().expect("a uri");
            self.gate
                .admit(&Method::GET, &uri, headers, b"")
                .map(|peer| peer.id)
        }
    }

    #[test]
    fn a_signed_request_counts_once_for_itself_and_for_five_minutes() {
        let stand = stand(false);
        let target = "/v1/catalogue?x=1";
        let now = stand.clock.now();
        let headers = stand.header(now, 1);
        assert_eq!(stand.ask(&headers, "/v1/other"), Err(Refused::Unknown));
        assert_eq!(stand.ask(&headers, target).as_deref(), Ok("kiosk-1"));
        assert_eq!(stand.ask(&headers, target), Err(Refused::Replayed));
        let fresh = stand.header(now, 2);
        stand.clock.advance(WINDOW + SignedDuration::from_secs(1));
        assert_eq!(
            stand.ask(&fresh, target),
            Err(Refused::WrongTime(stand.clock.now()))
        );
        assert!(matches!(stand.ask(&headers, target), Err(Refused::WrongTime(_))));
        let ahead = stand.clock.now() + WINDOW - SignedDuration::from_secs(1);
        let early = stand.header(ahead, 3);
        assert!(stand.ask(&early, target).is_ok());
        stand.clock.advance(WINDOW);
        assert_eq!(
            stand.ask(&early, target),
            Err(Refused::Replayed),
            "remembered as long as it counts"
        );
    }

    #[test]
    fn what_was_signed_before_a_restart_is_worth_nothing_after_it() {
        let before = stand(false);
        let headers = before.header(before.clock.now(), 1);
        let after = Stand {
            gate: Gate::new(Arc::clone(&before.gate.peers), {
                before.clock.advance(SignedDuration::from_secs(2));
                before.clock.clone()
            }),
            ..before
        };
        assert!(matches!(
            after.ask(&headers, "/v1/catalogue?x=1"),
            Err(Refused::WrongTime(_))
        ));
    }

    #[test]
    fn a_device_out_of_service_is_told_so_and_a_stranger_is_not() {
        let stand = stand(true);
        let headers = stand.header(stand.clock.now(), 1);
        assert_eq!(stand.ask(&headers, "/v1/catalogue?x=1"), Err(Refused::Revoked));
        let stranger = Stand {
            key: SigningKey::generate(&[9; 32]),
            ..stand
        };
        let headers = stranger.header(stranger.clock.now(), 2);
        assert_eq!(stranger.ask(&headers, "/v1/catalogue?x=1"), Err(Refused::Unknown));
        assert_eq!(Refused::Unknown.answer().status(), StatusCode::UNAUTHORIZED);
        assert_eq!(Refused::Revoked.answer().status(), StatusCode::FORBIDDEN);
    }
}
