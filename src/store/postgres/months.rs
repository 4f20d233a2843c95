//! One partition a month, made before it is needed.

use std::collections::HashSet;

use deadpool_postgres::Transaction;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::store::StoreError;

/// The months that have a partition for certain.
#[derive(Debug, Default)]
pub(super) struct Months {
    made: HashSet<Date>,
}

impl Months {
    /// Makes the partitions of the month of `now` and of the next.
    pub(super) async fn make(&mut self, tx: &Transaction<'_>, now: Timestamp) -> Result<(), StoreError> {
        let first = month_of(now);
        for month in [first, next(first)] {
            if !self.made.contains(&month) {
                tx.batch_execute(&partition(month)).await?;
                self.made.insert(month);
            }
        }
        Ok(())
    }
}

fn month_of(now: Timestamp) -> Date {
    now.to_zoned_datetime(TimeZone::UTC).date().first_of_month()
}

fn next(month: Date) -> Date {
    month.saturating_add(1.month())
}

fn partition(month: Date) -> String {
    let micros = |date: Date| {
        date.to_zoned_datetime(TimeZone::UTC)
            .map_or(i64::MAX, |at| at.timestamp().as_microsecond())
    };
    format!(
        "CREATE TABLE IF NOT EXISTS submission_{:04}_{:02} PARTITION OF submission FOR VALUES FROM ({}) TO ({})",
        month.year(),
        month.month(),
        micros(month),
        micros(next(month)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_meet_without_a_gap() {
        let december = month_of("2026-12-31T23:59:59.999999Z".parse().expect("time"));
        let sql = partition(december);
        assert!(sql.contains("submission_2026_12"), "{sql}");
        assert!(
            sql.contains("FROM (1796083200000000) TO (1798761600000000)"),
            "{sql}"
        );
        assert!(
            partition(next(december))
                .contains("submission_2027_01 PARTITION OF submission FOR VALUES FROM (1798761600000000)")
        );
    }
}
