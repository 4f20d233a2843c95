//! What central may tell a device: a short list, each order signed, for one device, once, and not for ever.
//!
//! Begin at [`Order::open`], which is what a device believes; [`OrderResult`] is what it answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::seal::{Signed, SigningKey, VerifyingKey};
use crate::domain::submission::micros;

/// What central's signature of an order begins with.
pub const ORDER_DOMAIN: &str = "VSP1//fleet-order//";
/// Most bytes of what an order brings back.
pub const ATTACHMENT_MAX: usize = 256 * 1024;

/// What may be ordered; there is nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// Begin the program again, as soon as nobody is at the device.
    Restart,
    /// Look for an update now and install it, as soon as nobody is at the device.
    UpdateNow,
    /// Send the newest lines of the log, which hold nothing personal.
    FetchLogs,
    /// Send a picture of the screen; only while no session is open.
    ScreenPicture,
}

impl OrderKind {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Restart,
        Self::UpdateNow,
        Self::FetchLogs,
        Self::ScreenPicture,
    ];

    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::UpdateNow => "update_now",
            Self::FetchLogs => "fetch_logs",
            Self::ScreenPicture => "screen_picture",
        }
    }

    /// The kind of a word.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Version of this shape: 1.
    pub v: u8,
    /// Its id; a device does each once.
    pub id: Uuid,
    /// For whom.
    pub device: String,
    /// Name of the device's key, where central knows one: a machine that took its place does not do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// What: a word of [`OrderKind`].
    pub kind: String,
    /// When it was given, by central's clock.
    #[serde(with = "micros")]
    pub issued_at: Timestamp,
    /// From when on nobody does it any more.
    #[serde(with = "micros")]
    pub expires_at: Timestamp,
}

/// Why a device does not do what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum OrderRefused {
    /// Not signed by central.
    #[error("The order is not signed by a key of central that this device knows; write it under order_keys")]
    NotSigned,
    /// For somebody else.
    #[error("The order is for another device")]
    OtherDevice,
    /// Its time is over.
    #[error("The order came too late; give it again")]
    Expired,
    /// A kind that this version does not know.
    #[error("This version does not know the order; update it first")]
    Unknown,
}

impl OrderRefused {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotSigned => "not_signed",
            Self::OtherDevice => "other_device",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }
}

/// An order that is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declined {
    /// Which, where central gave it and should hear why.
    pub order: Option<Uuid>,
    /// Why.
    pub why: OrderRefused,
}

impl Declined {
    /// Central need not hear of what it did not give, or not to this device.
    fn unheard(why: OrderRefused) -> Self {
        Self { order: None, why }
    }
}

/// Who a device is, for orders.
#[derive(Clone, Debug)]
pub struct Obeyer {
    /// Its id.
    pub device: String,
    /// Name of its key.
    pub kid: String,
    /// Whom it obeys.
    pub keys: Vec<VerifyingKey>,
}

impl Order {
    /// Signs it.
    pub fn seal(&self, key: &SigningKey) -> Signed {
        Signed::new(ORDER_DOMAIN, self, key)
    }

    /// Reads an order that reached `me` at `now`; a refusal that central should hear of names the order.
    ///
    /// That it was done before is for the device's store to say.
    ///
    /// # Errors
    /// Says why it is not done.
    pub fn open(signed: &Signed, me: &Obeyer, now: Timestamp) -> Result<(Self, OrderKind), Declined> {
        let order: Self = signed
            .read(ORDER_DOMAIN, &me.keys)
            .ok_or(Declined::unheard(OrderRefused::NotSigned))?;
        if order.device != me.device || order.kid.as_ref().is_some_and(|kid| *kid != me.kid) {
            return Err(Declined::unheard(OrderRefused::OtherDevice));
        }
        let refused = |why| Declined {
            order: Some(order.id),
            why,
        };
        if order.expires_at <= now {
            return Err(refused(OrderRefused::Expired));
        }
        match OrderKind::of(&order.kind).filter(|_| order.v == 1) {
            Some(kind) => Ok((order, kind)),
            None => Err(refused(OrderRefused::Unknown)),
        }
    }
}

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderEnd {
    /// It was done, or begun where its end cannot be told any more.
    Done,
    /// It was tried and did not work.
    Failed,
    /// It was refused.
    Refused,
    /// The device was begun again in the middle; nobody knows.
    Interrupted,
    /// Nobody fetched it in time.
    Expired,
}

impl OrderEnd {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Interrupted => "interrupted",
            Self::Expired => "expired",
        }
    }

    /// The end of a word.
    pub fn of(code: &str) -> Option<Self> {
        [
            Self::Done,
            Self::Failed,
            Self::Refused,
            Self::Interrupted,
            Self::Expired,
        ]
        .into_iter()
        .find(|end| end.code() == code)
    }
}

/// What a device says of an order; signed by the device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderResult {
    /// The order.
    pub id: Uuid,
    /// Who did it.
    pub device: String,
    /// How it ended.
    pub end: OrderEnd,
    /// One word more, such as `session_open`; may be empty.
    #[serde(default)]
    pub detail: String,
    /// When, by the device's clock.
    #[serde(with = "micros")]
    pub at: Timestamp,
    /// `text/plain` or `image/png`, where it brings something back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
    /// What it brings back, in base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<String>,
}

impl OrderResult {
    /// Whether it may be kept.
    pub fn is_sound(&self) -> bool {
        super::is_device(&self.device)
            && (self.detail.is_empty() || super::is_word(&self.detail))
            && self
                .media
                .as_deref()
                .is_none_or(|media| matches!(media, "text/plain" | "image/png"))
            && self
                .attachment
                .as_ref()
                .is_none_or(|text| text.len() <= ATTACHMENT_MAX / 3 * 4 + 8)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_500_000).expect("a time")
    }

    fn order() -> Order {
        Order {
            v: 1,
            id: Uuid::from_u128(7),
            device: "K2".into(),
            kid: Some("abcd".into()),
            kind: "restart".into(),
            issued_at: now(),
            expires_at: now() + SignedDuration::from_hours(1),
        }
    }

    #[test]
    fn a_device_obeys_central_for_itself_in_time_and_what_it_knows() {
        let central = SigningKey::generate(&[1; 32]);
        let me = Obeyer {
            device: "K2".into(),
            kid: "abcd".into(),
            keys: vec![central.verifying()],
        };
        let open = |order: Order, key: &SigningKey, after| {
            Order::open(&order.seal(key), &me, now() + SignedDuration::from_mins(after))
                .map(|(_, kind)| kind)
                .map_err(|declined| (declined.order.is_some(), declined.why))
        };
        assert_eq!(open(order(), &central, 5), Ok(OrderKind::Restart));
        let other = SigningKey::generate(&[2; 32]);
        assert_eq!(open(order(), &other, 5), Err((false, OrderRefused::NotSigned)));
        assert_eq!(open(order(), &central, 61), Err((true, OrderRefused::Expired)));
        let elsewhere = Order {
            device: "K3".into(),
            ..order()
        };
        assert_eq!(
            open(elsewhere, &central, 5),
            Err((false, OrderRefused::OtherDevice))
        );
        let exchanged = Order {
            kid: Some("ef01".into()),
            ..order()
        };
        assert_eq!(
            open(exchanged, &central, 5),
            Err((false, OrderRefused::OtherDevice))
        );
        let shell = Order {
            kind: "run_shell".into(),
            ..order()
        };
        assert_eq!(open(shell, &central, 5), Err((true, OrderRefused::Unknown)));
        let mut changed = order().seal(&central);
        changed.body = changed.body.replace("restart", "update_now");
        let refused = Order::open(&changed, &me, now()).map_err(|declined| declined.why);
        assert_eq!(refused, Err(OrderRefused::NotSigned));
    }
}
