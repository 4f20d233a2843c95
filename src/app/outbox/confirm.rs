//! The moment of confirming: seal, sign, enqueue, all in the caller's transaction.

use jiff::Timestamp;
use rusqlite::Connection;

use crate::domain::id::{Moment, SubmissionId};
use crate::domain::receipt::{self, Code, fingerprint};
use crate::domain::seal::{Recipient, Role, SealError, SigningKey, header_of, seal};
use crate::domain::submission::{Content, Hash, Header, Item};
use crate::store::{StoreError, outbox};

/// What a device seals and signs with.
#[derive(Clone, Debug)]
pub struct Sealer {
    /// The device.
    pub device_id: String,
    /// Its office.
    pub office: String,
    /// The device's key.
    pub key: SigningKey,
    /// The municipality's key, and the office's where a counter continues cases.
    pub recipients: Vec<Recipient>,
}

/// What is confirmed, without what the citizen said.
#[derive(Clone, Debug)]
pub struct Case {
    /// Made when the form was opened, so that two taps on confirm are one submission.
    pub id: SubmissionId,
    /// Id of the form.
    pub form_id: String,
    /// Version of the form.
    pub form_version: String,
    /// SHA-256 of the catalogue, hexadecimal.
    pub catalogue: String,
    /// Id of the procedure.
    pub procedure: String,
    /// Its name in Spanish.
    pub procedure_name: String,
    /// Queue where a person continues the case; the office can read it only then.
    pub queue: Option<String>,
}

/// What goes on the paper and the screen, once the transaction is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// The submission.
    pub id: SubmissionId,
    /// The code a person reads: `QT7M-4K2P`.
    pub code: Code,
    /// The signed text of the QR.
    pub token: String,
    /// `9F3A 61C0 44D2 0B7E`.
    pub fingerprint: String,
    /// Hash of the envelope.
    pub hash: Hash,
    /// When it was confirmed.
    pub at: Timestamp,
}

impl Sealer {
    /// Seals `content`, signs it and keeps it for sending; nothing of it is on the disk in the clear.
    ///
    /// A second call with the same id changes nothing and gives the first one's receipt.
    /// `seed` is 32 fresh random bytes.
    pub fn confirm(
        &self,
        conn: &Connection,
        case: &Case,
        content: &Content,
        moment: Moment,
        seed: &[u8; 32],
    ) -> Result<Confirmed, StoreError> {
        if let Some(earlier) = self.find(conn, case.id)? {
            return Ok(earlier);
        }
        let place = outbox::place(conn, &self.device_id)?;
        let header = Header {
            v: 1,
            submission_id: case.id,
            office: self.office.clone(),
            device_id: self.device_id.clone(),
            device_seq: place.device_seq,
            outbox_epoch: place.outbox_epoch,
            form_id: case.form_id.clone(),
            form_version: case.form_version.clone(),
            catalogue: case.catalogue.clone(),
            created_at: moment.now,
            procedure: case.procedure.clone(),
            procedure_name: case.procedure_name.clone(),
            code: free_code(conn, moment.random)?,
            queue: case.queue.clone(),
            prev_hash: place.prev_hash,
        };
        let recipients: Vec<Recipient> = self
            .recipients
            .iter()
            .filter(|recipient| recipient.role == Role::Municipality || case.queue.is_some())
            .cloned()
            .collect();
        let envelope = seal(&content.to_bytes(), &header, &recipients, seed).map_err(refused)?;
        let item = Item::sign(case.id, envelope, &self.key);
        outbox::enqueue(conn, &header, &item, moment.now)?;
        Ok(self.confirmed(&header, item.hash))
    }

    /// The receipt of an earlier submission of this device, to print it again.
    pub fn find(&self, conn: &Connection, id: SubmissionId) -> Result<Option<Confirmed>, StoreError> {
        let Some(item) = outbox::find(conn, id)? else {
            return Ok(None);
        };
        let header = header_of(&item.envelope).map_err(refused)?;
        Ok(Some(self.confirmed(&header, item.hash)))
    }

    fn confirmed(&self, header: &Header, hash: Hash) -> Confirmed {
        Confirmed {
            id: header.submission_id,
            code: header.code,
            token: receipt::issue(header, hash, &self.key),
            fingerprint: fingerprint(hash),
            hash,
            at: header.created_at,
        }
    }
}

/// A code that no other submission in this file has; the last candidate is taken as it is, for codes may repeat.
fn free_code(conn: &Connection, random: [u8; 16]) -> Result<Code, StoreError> {
    let candidate = |n: usize| {
        let mut bytes = [0; 5];
        bytes.copy_from_slice(&random[n * 5..n * 5 + 5]);
        // The first bytes are in the id as well: a code must not follow from it.
        Code::from_random(mix(bytes, &random))
    };
    for n in 0..2 {
        let code = candidate(n);
        if !outbox::has_code(conn, code)? {
            return Ok(code);
        }
    }
    Ok(candidate(2))
}

fn mix(bytes: [u8; 5], random: &[u8; 16]) -> [u8; 5] {
    use sha2::{Digest, Sha256};
    let hash = Sha256::new()
        .chain_update(b"ventanilla/code/1")
        .chain_update(bytes)
        .chain_update(random)
        .finalize();
    let mut mixed = [0; 5];
    mixed.copy_from_slice(&hash[..5]);
    mixed
}

fn refused(problem: SealError) -> StoreError {
    StoreError::Sqlite(rusqlite::Error::ToSqlConversionFailure(Box::new(problem)))
}
