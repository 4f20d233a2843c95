//! Keeps batches: all or nothing, in one transaction behind the sequencer.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use uuid::Uuid;

use super::{CHANNEL, Postgres};
use crate::clock::{from_micros, random};
use crate::domain::seal::{SigningKey, hex};
use crate::domain::submission::durable::Mark;
use crate::domain::submission::peers::{Arrival, Delivery};
use crate::domain::submission::{AckBody, Acknowledgement, Verdict};
use crate::store::StoreError;
use crate::store::inbox::{Stamp, acknowledge};
use crate::store::lives::Why;

/// What is known of an id already.
struct Known {
    hash: Vec<u8>,
    server_seq: i64,
    received_at: i64,
    ack: Acknowledgement,
    epoch: String,
    kid: String,
}

/// An item that is new, with its place and the word for it.
struct New<'a> {
    delivery: &'a Delivery,
    server_seq: i64,
    ack: Acknowledgement,
    doubt: Option<&'static str>,
}

impl Postgres {
    /// Keeps a batch: one verdict for each item in order, and how far copies reach.
    ///
    /// # Errors
    /// When the server does not answer: then nothing of it was kept, or nobody knows, and the sender tries again.
    pub async fn keep(
        &self,
        arrival: &Arrival,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<(Vec<Verdict>, Mark), StoreError> {
        let mut client = self.pool.get().await?;
        let tx = client.transaction().await?;
        let lock = if arrival.deliveries.is_empty() {
            ""
        } else {
            " FOR UPDATE"
        };
        let row = tx
            .query_one(&format!("SELECT epoch, last FROM sequencer{lock}"), &[])
            .await?;
        let (mut epoch, last): (String, i64) = (row.get(0), row.get(1));
        let word = arrival
            .last_word
            .as_ref()
            .and_then(|word| word.read(&[key.verifying()]))
            .filter(|word| word.server_epoch == epoch);
        if let Some(word) = word
            && !stands(&tx, &word).await?
        {
            epoch = rotate(&tx, Why::SenderKnowsMore, now).await?;
        }
        let stamp = Stamp {
            epoch: &epoch,
            now,
            key,
        };
        let verdicts = if arrival.deliveries.is_empty() {
            Vec::new()
        } else {
            self.months.lock().await.make(&tx, now).await?;
            keep_all(&tx, &arrival.deliveries, last, &stamp).await?
        };
        let reach = if has_standby(&tx).await? {
            tx.query_one("SELECT last FROM sequencer", &[]).await?.get(0)
        } else {
            0
        };
        tx.commit().await?;
        let mark = Mark {
            server_epoch: epoch,
            server_seq: reach,
        };
        Ok((verdicts, mark))
    }
}

async fn keep_all(
    tx: &Transaction<'_>,
    deliveries: &[Delivery],
    last: i64,
    stamp: &Stamp<'_>,
) -> Result<Vec<Verdict>, StoreError> {
    let known = known(tx, deliveries).await?;
    let mut chain = chain(tx, deliveries).await?;
    let mut new: Vec<New<'_>> = Vec::new();
    let mut verdicts = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        let item = &delivery.item;
        if let Some(known) = known.get(&uuid_of(delivery)) {
            verdicts.push(again(tx, delivery, known, stamp).await?);
            continue;
        }
        // The same id twice in one batch.
        if let Some(first) = new.iter().find(|first| first.delivery.item.id == item.id) {
            if first.delivery.item.hash == item.hash {
                verdicts.push(Verdict::Duplicate(first.ack.clone()));
            } else {
                alarm(tx, "conflict", delivery, stamp.now).await?;
                verdicts.push(Verdict::Conflict);
            }
            continue;
        }
        let server_seq = last + 1 + i64::try_from(new.len()).unwrap_or(i64::MAX);
        let ack = acknowledge(item, server_seq, stamp.now, stamp);
        let doubt = chain.doubt(delivery);
        if let Some(kind) = doubt {
            alarm(tx, kind, delivery, stamp.now).await?;
        }
        verdicts.push(Verdict::Accepted(ack.clone()));
        new.push(New {
            delivery,
            server_seq,
            ack,
            doubt,
        });
    }
    if !new.is_empty() {
        insert(tx, &new, stamp).await?;
        let reached = new.last().map_or(last, |item| item.server_seq);
        tx.execute("UPDATE sequencer SET last=$1", &[&reached]).await?;
        tx.execute("SELECT pg_notify($1, $2)", &[&CHANNEL, &reached.to_string()])
            .await?;
    }
    Ok(verdicts)
}

fn uuid_of(delivery: &Delivery) -> Uuid {
    delivery.item.id.0
}

async fn known(tx: &Transaction<'_>, deliveries: &[Delivery]) -> Result<HashMap<Uuid, Known>, StoreError> {
    let ids: Vec<Uuid> = deliveries.iter().map(uuid_of).collect();
    let rows = tx
        .query(
            "SELECT i.id, i.hash, i.server_seq, i.received_at, s.ack_body, s.ack_signature, s.ack_epoch, s.ack_kid
             FROM submission_id i
             JOIN submission s ON s.server_seq=i.server_seq AND s.received_at=i.received_at
             WHERE i.id = ANY($1)",
            &[&ids],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| {
            let known = Known {
                hash: row.get(1),
                server_seq: row.get(2),
                received_at: row.get(3),
                ack: Acknowledgement {
                    body: row.get(4),
                    signature: row.get(5),
                },
                epoch: row.get(6),
                kid: row.get(7),
            };
            (row.get(0), known)
        })
        .collect())
}

async fn again(
    tx: &Transaction<'_>,
    delivery: &Delivery,
    known: &Known,
    stamp: &Stamp<'_>,
) -> Result<Verdict, StoreError> {
    let item = &delivery.item;
    if known.hash != item.hash.0 {
        alarm(tx, "conflict", delivery, stamp.now).await?;
        return Ok(Verdict::Conflict);
    }
    if known.epoch == stamp.epoch && known.kid == stamp.key.kid() {
        return Ok(Verdict::Duplicate(known.ack.clone()));
    }
    // Signed in an earlier life or with an earlier key: the sender needs today's word.
    let ack = acknowledge(item, known.server_seq, from_micros(known.received_at), stamp);
    tx.execute(
        "UPDATE submission SET ack_body=$3, ack_signature=$4, ack_epoch=$5, ack_kid=$6
         WHERE server_seq=$1 AND received_at=$2",
        &[
            &known.server_seq,
            &known.received_at,
            &ack.body,
            &ack.signature,
            &stamp.epoch,
            &stamp.key.kid(),
        ],
    )
    .await?;
    Ok(Verdict::Duplicate(ack))
}

/// Which items stand at the places around those that arrive, for the devices' own counts.
struct Chain {
    places: HashMap<(String, String, i64), Vec<String>>,
}

async fn chain(tx: &Transaction<'_>, deliveries: &[Delivery]) -> Result<Chain, StoreError> {
    let of = |pick: fn(&Delivery) -> &str| deliveries.iter().map(|d| pick(d).to_owned()).collect::<Vec<_>>();
    let devices = of(|d| &d.header.device_id);
    let epochs = of(|d| &d.header.outbox_epoch);
    let seqs: Vec<i64> = deliveries
        .iter()
        .map(|d| i64::from(d.header.device_seq))
        .collect();
    let rows = tx
        .query(
            "SELECT i.device_id, i.outbox_epoch, i.device_seq, i.hash
             FROM submission_id i
             JOIN (SELECT DISTINCT d, e, s - n AS s FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w(d, e, s),
                          generate_series(0, 1) AS n) w
               ON i.device_id=w.d AND i.outbox_epoch=w.e AND i.device_seq=w.s",
            &[&devices, &epochs, &seqs],
        )
        .await?;
    let mut places: HashMap<_, Vec<String>> = HashMap::new();
    for row in rows {
        let hash: Vec<u8> = row.get(3);
        places
            .entry((row.get(0), row.get(1), row.get(2)))
            .or_default()
            .push(hex(&hash));
    }
    Ok(Chain { places })
}

impl Chain {
    /// What about a new item contradicts what its device handed in before; it counts for the next one then.
    fn doubt(&mut self, delivery: &Delivery) -> Option<&'static str> {
        let header = &delivery.header;
        let seq = i64::from(header.device_seq);
        let at = |seq| (header.device_id.clone(), header.outbox_epoch.clone(), seq);
        let before = self.places.get(&at(seq - 1));
        let follows = before.is_none_or(|hashes| {
            header
                .prev_hash
                .as_ref()
                .is_some_and(|hash| hashes.contains(hash))
        });
        let here = self.places.entry(at(seq)).or_default();
        let doubt = match (here.is_empty(), follows) {
            (false, _) => Some("fork"),
            (true, false) => Some("chain"),
            (true, true) => None,
        };
        here.push(delivery.item.hash.to_hex());
        doubt
    }
}

async fn insert(tx: &Transaction<'_>, new: &[New<'_>], stamp: &Stamp<'_>) -> Result<(), StoreError> {
    let ids = tx
        .prepare_cached(
            "INSERT INTO submission_id (id, hash, server_seq, received_at, office, device_id, outbox_epoch, device_seq,
                                        doubt)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .await?;
    let bodies = tx
        .prepare_cached(
            "INSERT INTO submission (server_seq, submission_id, hash, signature, envelope, office, device_id, device_seq,
                                     procedure, procedure_name, form_id, form_version, code, queue, created_at,
                                     received_at, received_from, ack_body, ack_signature, ack_epoch, ack_kid)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)",
        )
        .await?;
    let received_at = stamp.now.as_microsecond();
    // Sent one after the other without waiting in between; the answers come together.
    let writes = new.iter().map(|one| {
        let (ids, bodies) = (&ids, &bodies);
        async move {
            let (header, item) = (&one.delivery.header, &one.delivery.item);
            let (id, seq) = (uuid_of(one.delivery), i64::from(header.device_seq));
            let (hash, signature) = (item.hash.0.as_slice(), item.signature.as_slice());
            tx.execute(
                ids,
                &[
                    &id,
                    &hash,
                    &one.server_seq,
                    &received_at,
                    &header.office,
                    &header.device_id,
                    &header.outbox_epoch,
                    &seq,
                    &one.doubt,
                ],
            )
            .await?;
            tx.execute(
                bodies,
                &[
                    &one.server_seq,
                    &id,
                    &hash,
                    &signature,
                    &item.envelope,
                    &header.office,
                    &header.device_id,
                    &seq,
                    &header.procedure,
                    &header.procedure_name,
                    &header.form_id,
                    &header.form_version,
                    &header.code.plain(),
                    &header.queue,
                    &header.created_at.as_microsecond(),
                    &received_at,
                    &one.delivery.sender,
                    &one.ack.body,
                    &one.ack.signature,
                    &stamp.epoch,
                    &stamp.key.kid(),
                ],
            )
            .await
        }
    });
    futures_util::future::try_join_all(writes).await?;
    Ok(())
}

async fn alarm(
    tx: &Transaction<'_>,
    kind: &'static str,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<(), StoreError> {
    tracing::error!(
        kind,
        submission = %delivery.item.id,
        device = %delivery.header.device_id,
        sender = %delivery.sender,
        "a submission contradicts an earlier one"
    );
    tx.execute(
        "INSERT INTO inbox_alarm (at, kind, submission_id, hash, device_id, sender) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING",
        &[
            &now.as_microsecond(),
            &kind,
            &uuid_of(delivery),
            &delivery.item.hash.0.as_slice(),
            &delivery.header.device_id,
            &delivery.sender,
        ],
    )
    .await?;
    Ok(())
}

/// Whether the very thing that `word` speaks of is here; see [`crate::store::inbox::stands`].
async fn stands(tx: &Transaction<'_>, word: &AckBody) -> Result<bool, StoreError> {
    let id = word.submission_id.0;
    let found = tx
        .query_opt(
            "SELECT hash FROM submission_id WHERE id=$1 AND server_seq=$2 AND received_at=$3",
            &[&id, &word.server_seq, &word.received_at.as_microsecond()],
        )
        .await?;
    Ok(found.is_some())
}

/// Begins a new life and says why. Returns its epoch.
pub(super) async fn rotate(tx: &Transaction<'_>, why: Why, now: Timestamp) -> Result<String, StoreError> {
    let epoch = hex(&random::<16>());
    let server_seq: i64 = tx
        .query_one("UPDATE sequencer SET epoch=$1 RETURNING last", &[&epoch])
        .await?
        .get(0);
    tx.execute(
        "INSERT INTO life (at, epoch, why, server_seq) VALUES ($1, $2, $3, $4)",
        &[&now.as_microsecond(), &epoch, &why.word(), &server_seq],
    )
    .await?;
    tracing::error!(
        why = why.word(),
        server_seq,
        "the store begins a new life: senders hand in again"
    );
    Ok(epoch)
}

/// Whether a commit is only answered once another server has it on its disk as well.
///
/// A copy made by PostgreSQL's own tools cannot be checked from here, so only a synchronous standby counts.
async fn has_standby(tx: &Transaction<'_>) -> Result<bool, StoreError> {
    let row = tx
        .query_one(
            "SELECT current_setting('synchronous_commit') IN ('on', 'remote_apply')
                AND current_setting('synchronous_standby_names') <> ''
                AND EXISTS (SELECT 1 FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum'))",
            &[],
        )
        .await?;
    Ok(row.get(0))
}
