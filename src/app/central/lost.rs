//! What central once signed for and lacks since it was restored from a copy that was too old.
//!
//! A hub keeps name, code and hash of each submission for more than a year after its body went, so whoever restores
//! holds the hub's file against central's and learns whose receipts are without a case. Begin at [`lost`].

use crate::store::municipal::Municipal;
use crate::store::outbox::{self, SignedFor};
use crate::store::{Db, StoreError};

/// How many are compared at once.
const PAGE: u32 = 500;

/// What came of holding a sender's file against central's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// How many the sender has central's word for.
    pub signed_for: u64,
    /// Missing here, and the sender's sealed body is still there: it comes again by itself.
    pub coming: u64,
    /// Missing here for good: its citizen has a receipt, and nobody has the form.
    pub gone: Vec<SignedFor>,
}

/// Holds what a sender (a hub or a kiosk) has central's word for against what is here.
///
/// # Errors
/// When either file cannot be read.
pub async fn lost(store: &Municipal, sender: &Db) -> Result<Lost, StoreError> {
    let (mut lost, mut after) = (Lost::default(), 0);
    loop {
        let page = sender.read(move |conn| outbox::signed_for(conn, after, PAGE))?;
        let Some(last) = page.last() else {
            return Ok(lost);
        };
        after = last.seq;
        for one in page {
            lost.signed_for += 1;
            if store.find(one.id).await?.is_some() {
                continue;
            }
            if one.has_body {
                lost.coming += 1;
            } else {
                lost.gone.push(one);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::seal::SigningKey;
    use crate::domain::submission::durable::Mark;
    use crate::domain::submission::peers::{Arrival, Delivery};
    use crate::domain::submission::tests::header;
    use crate::domain::submission::transit::Outcome;
    use crate::domain::submission::{Acknowledgement, Item};

    #[tokio::test]
    async fn only_what_nobody_has_any_more_is_gone() {
        let (sender, key) = (
            Db::memory(crate::store::kiosk::SCHEMA).expect("opens").db,
            SigningKey::generate(&[1; 32]),
        );
        let now = header(1).created_at;
        let items: Vec<Item> = sender
            .write(move |conn| {
                let key = SigningKey::generate(&[1; 32]);
                let mut items = Vec::new();
                for n in 0..4_i64 {
                    let place = outbox::place(conn, "kiosk-1")?;
                    let mut header = header(place.device_seq);
                    (header.outbox_epoch, header.prev_hash) = (place.outbox_epoch, place.prev_hash);
                    let item = Item::sign(header.submission_id, n.to_be_bytes().to_vec(), &key);
                    outbox::enqueue(conn, &header, &item, now)?;
                    items.push(item);
                }
                outbox::take(conn, now, 3, 1000)?;
                for (item, place) in items.iter().take(3).zip(1..) {
                    let ack = Acknowledgement {
                        body: "word".into(),
                        signature: "s".into(),
                    };
                    let outcome = Outcome::Received {
                        ack,
                        server_epoch: "old".into(),
                        server_seq: place,
                    };
                    outbox::settle(conn, &[(item.id, outcome)], now)?;
                }
                // The first two were in a copy that nobody has any more, and their bodies went.
                let mark = Mark {
                    server_epoch: "old".into(),
                    server_seq: 2,
                };
                outbox::durable(conn, &mark, now)?;
                let hour = SignedDuration::from_hours(1);
                outbox::purge(conn, hour, now + hour * 2)?;
                Ok(items)
            })
            .await
            .expect("written");
        let central = Municipal::Sqlite(Db::memory(crate::store::central::SCHEMA).expect("opens").db);
        let mut first = header(1);
        first.submission_id = items[0].id;
        let arrival = Arrival {
            deliveries: vec![Delivery {
                header: first,
                item: items[0].clone(),
                sender: "hub".into(),
            }],
            last_word: None,
        };
        central.keep(arrival, &key, now).await.expect("kept");
        let found = lost(&central, &sender).await.expect("compared");
        assert_eq!(
            (found.signed_for, found.coming),
            (3, 1),
            "the fourth was never handed in"
        );
        let gone: Vec<_> = found.gone.iter().map(|one| one.id).collect();
        assert_eq!(gone, [items[1].id]);
        assert_eq!(found.gone[0].code, header(2).code);
    }
}
