//! The numbers of one series on one day: online from 1 without a gap, leased blocks high above them.

use std::collections::BTreeSet;

use jiff::{Timestamp, ToSpan};

use crate::domain::ticket::{BusinessDate, KioskId};

/// Days after the one it was granted on during which a block stays promised: a weekend and a day more.
pub const LEASE_DAYS: i64 = 3;
/// Most numbers one request may ask for.
pub(super) const LEASE_MAX: u32 = 200;

/// What was given and what is promised.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Numbers {
    last_online: u32,
    lease_from: u32,
    blocks: Vec<Block>,
    /// Leased numbers that came in as tickets today.
    taken: BTreeSet<u32>,
}

#[derive(Clone, PartialEq, Debug)]
struct Block {
    kiosk: KioskId,
    from: u32,
    to: u32,
    granted: BusinessDate,
    granted_at: Timestamp,
}

/// Last business date on which a block granted on `granted` may be used.
pub(super) fn valid_through(granted: BusinessDate) -> BusinessDate {
    BusinessDate(granted.0.checked_add(LEASE_DAYS.days()).unwrap_or(granted.0))
}

impl Numbers {
    pub(super) fn new(lease_from: u32) -> Self {
        Self {
            last_online: 0,
            lease_from,
            blocks: Vec::new(),
            taken: BTreeSet::new(),
        }
    }

    /// Starts again at 1; blocks that are still promised stay closed to everybody else.
    pub(super) fn open_day(&mut self, date: BusinessDate) {
        self.last_online = 0;
        self.taken.clear();
        self.blocks.retain(|block| valid_through(block.granted) >= date);
    }

    pub(super) fn continue_from(&mut self, from: u32, lease_from: u32) {
        self.last_online = self.last_online.max(from.saturating_sub(1));
        self.lease_from = self.lease_from.max(lease_from);
    }

    pub(super) fn lease(
        &mut self,
        kiosk: KioskId,
        from: u32,
        to: u32,
        (granted, granted_at): (BusinessDate, Timestamp),
    ) {
        self.blocks.push(Block {
            kiosk,
            from,
            to,
            granted,
            granted_at,
        });
    }

    /// When the block of a number was promised.
    pub(super) fn promised_at(&self, number: u32) -> Option<Timestamp> {
        self.block_of(number).map(|block| block.granted_at)
    }

    fn block_of(&self, number: u32) -> Option<&Block> {
        self.blocks
            .iter()
            .find(|block| (block.from..=block.to).contains(&number))
    }

    pub(super) fn use_number(&mut self, number: u32, leased: bool) {
        if leased {
            self.taken.insert(number);
        } else {
            self.last_online = self.last_online.max(number);
        }
    }

    /// The next number for someone at the hub: the lowest above the last that nobody else may hold.
    pub(super) fn next_online(&self) -> u32 {
        let mut number = self.last_online + 1;
        loop {
            match self.block_of(number) {
                Some(block) => number = block.to + 1,
                None if self.taken.contains(&number) => number += 1,
                None => return number,
            }
        }
    }

    /// A fresh block of `count` numbers that were never given to anybody.
    pub(super) fn next_block(&self, count: u32) -> (u32, u32) {
        let above = self.blocks.iter().map(|block| block.to + 1).max().unwrap_or(0);
        let taken = self.taken.last().map_or(0, |last| last + 1);
        let from = self.lease_from.max(above).max(taken).max(self.last_online + 1);
        (from, from + count - 1)
    }

    /// Whether a ticket of today already has the number, or the hub might.
    pub(super) fn is_used(&self, number: u32) -> bool {
        number <= self.last_online && !self.is_promised(number) || self.taken.contains(&number)
    }

    /// Whether another kiosk was promised the number.
    pub(super) fn is_promised_to_other(&self, kiosk: Option<&KioskId>, number: u32) -> bool {
        self.block_of(number)
            .is_some_and(|block| Some(&block.kiosk) != kiosk)
    }

    /// Whether any number was given today or is promised.
    pub(super) fn is_out(&self) -> bool {
        self.last_online > 0 || !self.taken.is_empty() || !self.blocks.is_empty()
    }

    fn is_promised(&self, number: u32) -> bool {
        self.block_of(number).is_some()
    }
}
