//! Reads what was kept.

use tokio_postgres::Row;

use super::Postgres;
use crate::clock::from_micros;
use crate::domain::id::SubmissionId;
use crate::domain::receipt::Code;
use crate::domain::submission::{Hash, Item};
use crate::store::StoreError;
use crate::store::inbox::{DeviceRow, InboxRow, Wanted};
use crate::store::lives::LifeRow;

const COLUMNS: &str = "server_seq, submission_id, hash, office, device_id, device_seq, procedure, procedure_name, \
                       form_id, form_version, code, queue, created_at, received_at";

fn unreadable() -> StoreError {
    StoreError::Unreadable { what: "submission" }
}

fn array<const N: usize>(bytes: Vec<u8>) -> Result<[u8; N], StoreError> {
    bytes.try_into().map_err(|_| unreadable())
}

fn inbox_row(row: &Row) -> Result<InboxRow, StoreError> {
    Ok(InboxRow {
        server_seq: row.get(0),
        id: SubmissionId(row.get(1)),
        hash: Hash(array(row.get(2))?),
        office: row.get(3),
        device_id: row.get(4),
        device_seq: u32::try_from(row.get::<_, i64>(5)).map_err(|_| unreadable())?,
        procedure: row.get(6),
        procedure_name: row.get(7),
        form_id: row.get(8),
        form_version: row.get(9),
        code: row.get::<_, String>(10).parse().map_err(|_| unreadable())?,
        queue: row.get(11),
        created_at: from_micros(row.get(12)),
        received_at: from_micros(row.get(13)),
    })
}

impl Postgres {
    /// The submissions that are asked for, in order.
    pub async fn list(&self, wanted: &Wanted) -> Result<Vec<InboxRow>, StoreError> {
        let client = self.pool.get().await?;
        let rows = client
            .query(
                &format!(
                    "SELECT {COLUMNS} FROM submission
                     WHERE server_seq>$1 AND ($3::text IS NULL OR procedure=$3) AND ($4::text IS NULL OR office=$4)
                     ORDER BY server_seq LIMIT $2"
                ),
                &[
                    &wanted.after,
                    &i64::from(wanted.limit),
                    &wanted.procedure,
                    &wanted.office,
                ],
            )
            .await?;
        rows.iter().map(inbox_row).collect()
    }

    /// One submission.
    pub async fn find(&self, id: SubmissionId) -> Result<Option<InboxRow>, StoreError> {
        let client = self.pool.get().await?;
        // By way of the narrow table, so that only one month is looked at.
        let row = client
            .query_opt(
                &format!(
                    "SELECT {COLUMNS} FROM submission
                     WHERE (server_seq, received_at) =
                         (SELECT server_seq, received_at FROM submission_id WHERE id=$1)"
                ),
                &[&id.0],
            )
            .await?;
        row.as_ref().map(inbox_row).transpose()
    }

    /// The submissions with this code on their paper, the newest first; five at the most.
    pub async fn by_code(&self, code: Code) -> Result<Vec<InboxRow>, StoreError> {
        let client = self.pool.get().await?;
        let rows = client
            .query(
                &format!("SELECT {COLUMNS} FROM submission WHERE code=$1 ORDER BY server_seq DESC LIMIT 5"),
                &[&code.plain()],
            )
            .await?;
        rows.iter().map(inbox_row).collect()
    }

    /// The sealed bytes, if they still are those that were acknowledged; nothing where they were erased.
    pub async fn sealed(&self, id: SubmissionId) -> Result<Option<Item>, StoreError> {
        let client = self.pool.get().await?;
        let row = client
            .query_opt(
                "SELECT hash, signature, envelope FROM submission
                 WHERE octet_length(envelope) > 0 AND (server_seq, received_at) =
                     (SELECT server_seq, received_at FROM submission_id WHERE id=$1)",
                &[&id.0],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        let (hash, envelope) = (Hash(array(row.get(0))?), row.get::<_, Vec<u8>>(2));
        if Hash::of(&envelope) != hash {
            tracing::error!(submission = %id, "a kept envelope is no longer what was acknowledged");
            return Err(StoreError::Unreadable { what: "envelope" });
        }
        Ok(Some(Item {
            id,
            hash,
            signature: array(row.get(1))?,
            envelope,
        }))
    }

    /// Lets the server overwrite what erased contents left behind.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let client = self.pool.get().await?;
        Ok(client.batch_execute("VACUUM submission").await?)
    }

    /// What arrived from each device and what is missing in between.
    pub async fn devices(&self) -> Result<Vec<DeviceRow>, StoreError> {
        let client = self.pool.get().await?;
        let rows = client
            .query(
                "SELECT device_id, max(office), outbox_epoch, max(device_seq), max(received_at),
                        count(DISTINCT device_seq), count(doubt)
                 FROM submission_id GROUP BY device_id, outbox_epoch ORDER BY device_id, max(server_seq)",
                &[],
            )
            .await?;
        let mut found = Vec::new();
        for row in rows {
            let small = |n: i64| u32::try_from(n).map_err(|_| unreadable());
            let mut device = DeviceRow {
                device_id: row.get(0),
                office: row.get(1),
                outbox_epoch: row.get(2),
                last_seq: small(row.get(3))?,
                last_received: from_micros(row.get(4)),
                missing: Vec::new(),
                doubts: small(row.get(6))?,
            };
            if row.get::<_, i64>(5) < i64::from(device.last_seq) {
                let missing = client
                    .query(
                        "SELECT n FROM generate_series(1, $3::bigint) AS n
                         WHERE NOT EXISTS (SELECT 1 FROM submission_id
                                           WHERE device_id=$1 AND outbox_epoch=$2 AND device_seq=n)
                         ORDER BY n LIMIT 20",
                        &[
                            &device.device_id,
                            &device.outbox_epoch,
                            &i64::from(device.last_seq),
                        ],
                    )
                    .await?;
                for row in missing {
                    device.missing.push(small(row.get(0))?);
                }
            }
            found.push(device);
        }
        Ok(found)
    }

    /// The lives that were begun because something was restored, the newest first.
    pub async fn lives(&self) -> Result<Vec<LifeRow>, StoreError> {
        let client = self.pool.get().await?;
        let rows = client
            .query(
                "SELECT at, why, server_seq FROM life ORDER BY seq DESC LIMIT 50",
                &[],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| LifeRow {
                at: from_micros(row.get(0)),
                why: row.get(1),
                server_seq: row.get(2),
            })
            .collect())
    }

    /// How many submissions contradicted earlier ones.
    pub async fn alarms(&self) -> Result<u32, StoreError> {
        let client = self.pool.get().await?;
        let row = client.query_one("SELECT count(*) FROM inbox_alarm", &[]).await?;
        Ok(u32::try_from(row.get::<_, i64>(0)).unwrap_or(u32::MAX))
    }
}
