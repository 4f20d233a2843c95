//! What is said when a device is let in: its code and key go up, what it needs to serve comes down.
//!
//! Nothing in the answer is secret; the device's private key never travels.

use serde::{Deserialize, Serialize};

/// Where a code is redeemed, below the address of the office or of central.
pub const ENROL_PATH: &str = "/v1/devices/enrol";
/// Where a hub vouches for a device of its office.
pub const VOUCH_PATH: &str = "/v1/devices";

/// Where a hub says that a device of its office is out of service.
pub const UNVOUCH_PATH: &str = "/v1/devices/revoke";

/// `POST /v1/devices/enrol`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EnrolWire {
    /// Version of the protocol: 1.
    pub v: u8,
    /// The one-time code.
    pub code: String,
    /// The device's public key, `ventanilla-ed25519-public-1 …`.
    pub public_key: String,
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolledWire {
    /// Version of the protocol: 1.
    pub v: u8,
    /// The device's name from now on.
    pub device: String,
    /// Id of its office.
    pub office: String,
    /// What the device must know to serve.
    #[serde(flatten)]
    pub welcome: WelcomeWire,
}

/// What a device must know to serve, as far as whoever lets it in knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WelcomeWire {
    /// Public keys that sign for what was received.
    #[serde(default)]
    pub receipt_keys: Vec<String>,
    /// Central's public keys, whose orders the device obeys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_keys: Vec<String>,
    /// To whom the device seals.
    #[serde(default)]
    pub recipients: Vec<RecipientWire>,
    /// The office, where it is a kiosk that is let in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceWire>,
    /// Certificate (PEM) of the server's own authority, where it has one: the device believes no other from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// Where receipts are checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_url: Option<String>,
}

/// A public key to seal to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipientWire {
    /// `municipality` or `office`.
    pub role: String,
    /// `ventanilla-hpke-public-1 …`.
    pub key: String,
}

/// The office a kiosk stands in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceWire {
    /// Its id.
    pub id: String,
    /// «Quitumbe».
    pub name: String,
    /// «Administración Zonal».
    pub kind: String,
    /// IANA zone.
    pub zone: String,
    /// Hour at which its day begins.
    pub day_cut_hour: u8,
}

/// `POST /v1/devices` and `POST /v1/devices/revoke`: a hub says that this device is one of its office, or no longer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VouchWire {
    /// Version of the protocol: 1.
    pub v: u8,
    /// The device.
    pub device: String,
    /// Its office.
    pub office: String,
    /// Its public key.
    pub public_key: String,
}
