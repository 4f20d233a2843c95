//! What the line itself forbids: nobody loses a turn because somebody changed a setting.

use super::check::{Faults, Problem};
use super::{QueueSettings, Settings};
use crate::domain::office::{CounterState, Office, Refusal};
use crate::domain::ticket::{CounterNumber, QueueId, Series, Ticket};

impl Office {
    /// Checks that `settings` may take the place of those of `version`, now.
    ///
    /// # Errors
    /// [`Refusal::SettingsStale`] when somebody else was faster, [`Refusal::SettingsFaulty`] for what is wrong with the
    /// document, [`Refusal::SettingsInUse`] for what would take a turn, a number or a counter from somebody.
    pub(in crate::domain::office) fn may_configure(
        &self,
        version: u64,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        let present = self.setup.version;
        if version != present {
            return Err(Refusal::SettingsStale { present });
        }
        let faults = settings.new_faults(&self.setup.written);
        if !faults.is_empty() {
            return Err(Refusal::SettingsFaulty(faults));
        }
        // An old fault may become one that no office works with.
        if settings.setup(&self.setup.base(), version + 1).is_err() {
            return Err(Refusal::SettingsFaulty(settings.faults()));
        }
        let mut faults = Faults::default();
        for queue in &self.setup.written.queues {
            self.check_queue(queue, settings.queue(&queue.id), &mut faults);
        }
        for counter in &self.setup.written.counters {
            if settings.counter(counter.number).is_none() {
                self.check_counter(counter.number, &mut faults);
            }
        }
        if faults.0.is_empty() {
            Ok(())
        } else {
            Err(Refusal::SettingsInUse(faults.0))
        }
    }

    fn check_queue(&self, before: &QueueSettings, after: Option<&QueueSettings>, faults: &mut Faults) {
        let field = |name: &str| format!("queues.{}.{name}", before.id);
        let goes = after.is_none_or(|after| after.retired && !before.retired);
        let open = self.open_turns(&QueueId(before.id.clone()));
        if goes && open > 0 {
            let queue = before.name.clone();
            faults.add(field("retired"), Problem::QueueHasTurns { queue, open });
        }
        let renumbered = after.is_none_or(|after| after.series != before.series);
        if renumbered && self.has_numbers_out(&Series(before.series.clone())) {
            faults.add(field("series"), Problem::NumbersOut(before.series.clone()));
        }
    }

    fn check_counter(&self, number: u16, faults: &mut Faults) {
        let here = CounterNumber(number);
        let field = format!("counters.{number}.number");
        let closed = |counter: &crate::domain::office::Counter| {
            counter.state == CounterState::Closed && counter.ticket.is_none()
        };
        if !self.counter(here).is_none_or(closed) {
            faults.add(field.clone(), Problem::CounterOpen { counter: number });
        }
        let parked = self
            .parked()
            .filter(|ticket| ticket.counter == Some(here))
            .count();
        if parked > 0 {
            let counter = number;
            faults.add(field, Problem::CounterHasParked { counter, parked });
        }
    }

    /// Turns of a queue that are not over.
    pub fn open_turns(&self, queue: &QueueId) -> usize {
        let of = |ticket: &&Ticket| ticket.queue == *queue && !ticket.status.is_final();
        self.tickets.values().filter(of).count()
    }

    /// Whether a number of this series was given today, or is promised to a kiosk.
    fn has_numbers_out(&self, series: &Series) -> bool {
        let given = self.tickets.values().any(|ticket| ticket.series == *series);
        given || self.numbers.get(series).is_some_and(|numbers| numbers.is_out())
    }
}
