//! Keeps batches: all or nothing, in one transaction behind the sequencer.

use std::collections::HashMap;

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use tokio_postgres::types::ToSql;
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
        let sequencer = if arrival.deliveries.is_empty() {
            "SELECT epoch, last FROM sequencer"
        } else {
            "SELECT epoch, last FROM sequencer FOR UPDATE"
        };
        let row = tx.query_one(&tx.prepare_cached(sequencer).await?, &[]).await?;
        let (mut epoch, last): (String, i64) = (row.get(0), row.get(1));
        if let Some(word) = &arrival.last_word
            && let Some(said) = word.unproven().filter(|said| said.server_epoch == epoch)
            && !stands(&tx, &said).await?
            // Nearly always it stands, so that the signature need not be looked at while others wait for the lock.
            && word.read(&[key.verifying()]).is_some()
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
        insert(tx, &new, last, stamp).await?;
    }
    Ok(verdicts)
}

fn uuid_of(delivery: &Delivery) -> Uuid {
    delivery.item.id.0
}

async fn known(tx: &Transaction<'_>, deliveries: &[Delivery]) -> Result<HashMap<Uuid, Known>, StoreError> {
    let ids: Vec<Uuid> = deliveries.iter().map(uuid_of).collect();
    let statement = tx
        .prepare_cached(
            "SELECT i.id, i.hash, i.server_seq, i.received_at, s.ack_body, s.ack_signature, s.ack_epoch, s.ack_kid
             FROM submission_id i
             JOIN submission s ON s.server_seq=i.server_seq AND s.received_at=i.received_at
             WHERE i.id = ANY($1)",
        )
        .await?;
    let rows = tx.query(&statement, &[&ids]).await?;
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
    let statement = tx
        .prepare_cached(
            "SELECT i.device_id, i.outbox_epoch, i.device_seq, i.hash
             FROM submission_id i
             JOIN (SELECT DISTINCT d, e, s - n AS s FROM unnest($1::text[], $2::text[], $3::bigint[]) AS w(d, e, s),
                          generate_series(0, 1) AS n) w
               ON i.device_id=w.d AND i.outbox_epoch=w.e AND i.device_seq=w.s",
        )
        .await?;
    let rows = tx.query(&statement, &[&devices, &epochs, &seqs]).await?;
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

/// Writes all of a batch with one statement a table, and moves the sequencer on.
///
/// The four statements go out one after the other without waiting in between; the answers come together.
async fn insert(
    tx: &Transaction<'_>,
    new: &[New<'_>],
    last: i64,
    stamp: &Stamp<'_>,
) -> Result<(), StoreError> {
    let ids = tx
        .prepare_cached(
            "INSERT INTO submission_id (id, hash, server_seq, received_at, office, device_id, outbox_epoch, device_seq,
                                        doubt)
             SELECT id, hash, seq, $8, office, device, epoch, count, doubt
             FROM unnest($1::uuid[], $2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                         $9::text[]) AS n(id, hash, seq, office, device, epoch, count, doubt)",
        )
        .await?;
    let bodies = tx
        .prepare_cached(
            "INSERT INTO submission (server_seq, submission_id, hash, signature, envelope, office, device_id, device_seq,
                                     procedure, procedure_name, form_id, form_version, code, queue, created_at,
                                     received_at, received_from, ack_body, ack_signature, ack_epoch, ack_kid)
             SELECT seq, id, hash, signature, envelope, office, device, count, procedure, procedure_name, form_id,
                    form_version, code, queue, created_at, $19, sender, ack_body, ack_signature, $20, $21
             FROM unnest($1::bigint[], $2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[], $6::text[], $7::text[],
                         $8::bigint[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[],
                         $15::bigint[], $16::text[], $17::text[], $18::text[])
                  AS n(seq, id, hash, signature, envelope, office, device, count, procedure, procedure_name, form_id,
                       form_version, code, queue, created_at, sender, ack_body, ack_signature)",
        )
        .await?;
    let moved = tx.prepare_cached("UPDATE sequencer SET last=$1").await?;
    let called = tx.prepare_cached("SELECT pg_notify($1, $2)").await?;

    let received_at = stamp.now.as_microsecond();
    let reached = new.last().map_or(last, |item| item.server_seq);
    let (call, kid) = (reached.to_string(), stamp.key.kid());
    let columns = Columns::of(new);
    let id_values: [&(dyn ToSql + Sync); 9] = [
        &columns.ids,
        &columns.hashes,
        &columns.seqs,
        &columns.offices,
        &columns.devices,
        &columns.epochs,
        &columns.counts,
        &received_at,
        &columns.doubts,
    ];
    let body_values: [&(dyn ToSql + Sync); 21] = [
        &columns.seqs,
        &columns.ids,
        &columns.hashes,
        &columns.signatures,
        &columns.envelopes,
        &columns.offices,
        &columns.devices,
        &columns.counts,
        &columns.procedures,
        &columns.procedure_names,
        &columns.form_ids,
        &columns.form_versions,
        &columns.codes,
        &columns.queues,
        &columns.created,
        &columns.senders,
        &columns.ack_bodies,
        &columns.ack_signatures,
        &received_at,
        &stamp.epoch,
        &kid,
    ];
    let (reached, channel): ([&(dyn ToSql + Sync); 1], [&(dyn ToSql + Sync); 2]) =
        ([&reached], [&CHANNEL, &call]);
    futures_util::future::try_join4(
        tx.execute(&ids, &id_values),
        tx.execute(&bodies, &body_values),
        tx.execute(&moved, &reached),
        tx.execute(&called, &channel),
    )
    .await?;
    Ok(())
}

/// The items of a batch turned on their side: an array for each column.
struct Columns<'a> {
    ids: Vec<Uuid>,
    hashes: Vec<&'a [u8]>,
    signatures: Vec<&'a [u8]>,
    envelopes: Vec<&'a [u8]>,
    seqs: Vec<i64>,
    offices: Vec<&'a str>,
    devices: Vec<&'a str>,
    epochs: Vec<&'a str>,
    counts: Vec<i64>,
    doubts: Vec<Option<&'static str>>,
    procedures: Vec<&'a str>,
    procedure_names: Vec<&'a str>,
    form_ids: Vec<&'a str>,
    form_versions: Vec<&'a str>,
    codes: Vec<String>,
    queues: Vec<Option<&'a str>>,
    created: Vec<i64>,
    senders: Vec<&'a str>,
    ack_bodies: Vec<&'a str>,
    ack_signatures: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(new: &'a [New<'a>]) -> Self {
        let header = |one: &'a New<'a>| &one.delivery.header;
        let item = |one: &'a New<'a>| &one.delivery.item;
        Self {
            ids: new.iter().map(|one| uuid_of(one.delivery)).collect(),
            hashes: new.iter().map(|one| item(one).hash.0.as_slice()).collect(),
            signatures: new.iter().map(|one| item(one).signature.as_slice()).collect(),
            envelopes: new.iter().map(|one| item(one).envelope.as_slice()).collect(),
            seqs: new.iter().map(|one| one.server_seq).collect(),
            offices: new.iter().map(|one| header(one).office.as_str()).collect(),
            devices: new.iter().map(|one| header(one).device_id.as_str()).collect(),
            epochs: new.iter().map(|one| header(one).outbox_epoch.as_str()).collect(),
            counts: new.iter().map(|one| i64::from(header(one).device_seq)).collect(),
            doubts: new.iter().map(|one| one.doubt).collect(),
            procedures: new.iter().map(|one| header(one).procedure.as_str()).collect(),
            procedure_names: new
                .iter()
                .map(|one| header(one).procedure_name.as_str())
                .collect(),
            form_ids: new.iter().map(|one| header(one).form_id.as_str()).collect(),
            form_versions: new.iter().map(|one| header(one).form_version.as_str()).collect(),
            codes: new.iter().map(|one| header(one).code.plain()).collect(),
            queues: new.iter().map(|one| header(one).queue.as_deref()).collect(),
            created: new
                .iter()
                .map(|one| header(one).created_at.as_microsecond())
                .collect(),
            senders: new.iter().map(|one| one.delivery.sender.as_str()).collect(),
            ack_bodies: new.iter().map(|one| one.ack.body.as_str()).collect(),
            ack_signatures: new.iter().map(|one| one.ack.signature.as_str()).collect(),
        }
    }
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
    let statement = tx
        .prepare_cached("SELECT hash FROM submission_id WHERE id=$1 AND server_seq=$2 AND received_at=$3")
        .await?;
    let found = tx
        .query_opt(
            &statement,
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
    let statement = tx
        .prepare_cached(
            "SELECT current_setting('synchronous_commit') IN ('on', 'remote_apply')
                AND current_setting('synchronous_standby_names') <> ''
                AND EXISTS (SELECT 1 FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum'))",
        )
        .await?;
    let row = tx.query_one(&statement, &[]).await?;
    Ok(row.get(0))
}
