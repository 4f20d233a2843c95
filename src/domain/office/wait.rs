//! How many are before me and how long it will take: a forward play of the real rule.

use jiff::{SignedDuration, Timestamp};

use super::{CounterState, Office};
use crate::domain::event::Estimate;
use crate::domain::id::TicketId;
use crate::domain::queue::{Candidate, Decision, Profile, Runs, choose, pick};
use crate::domain::ticket::{Lane, Place, QueueId, Ticket};

/// How many calls are played before the rest is extrapolated; enough for half an hour of a large office.
const PLAYED_CALLS: u32 = 48;
/// Weight of the configured service time, in attentions.
const PRIOR_WEIGHT: i32 = 5;

impl Office {
    /// People of the same queue who will be called before a ticket at this place, by the rule, if nobody else comes.
    pub fn ahead(&self, queue: &QueueId, lane: Lane, place: Place) -> u32 {
        let Some(line) = self.lines.get(queue) else {
            return 0;
        };
        let k = usize::from(self.setup.max_run.get());
        let run = self
            .profiles()
            .find(|(_, profile)| profile.tiers.first().is_some_and(|tier| tier.contains(queue)))
            .map_or(0, |(_, profile)| usize::from(self.runs.get(&profile.name, 1)));
        let preferred = line.preferred_len();
        let general = line.len() - preferred;
        let ahead = if lane.is_preferred() {
            let before = line.before(true, place);
            before + general.min((run + before) / k)
        } else {
            let before = line.before(false, place);
            before + preferred.min(k.saturating_sub(run) + k * before)
        };
        u32::try_from(ahead).unwrap_or(u32::MAX)
    }

    /// How long someone who took a general ticket now would wait; `None` without an open counter.
    pub fn estimate_new(&self, queue: &QueueId, lane: Lane, now: Timestamp) -> Option<Estimate> {
        self.estimate(queue, lane, Place::LAST, now)
    }

    /// How long a waiting ticket still waits; `None` without an open counter.
    pub fn estimate_of(&self, ticket: &Ticket, now: Timestamp) -> Option<Estimate> {
        self.estimate(&ticket.queue, ticket.lane, ticket.place, now)
    }

    /// The next `count` tickets a counter of `profile` would call, by the rule, if nobody else came or called.
    pub fn upcoming(&self, profile: &Profile, count: usize) -> Vec<TicketId> {
        let nobody = QueueId::from("");
        let mut play = Play::new(self, &nobody, Lane::General, Place::FRONT);
        let mut tickets = Vec::with_capacity(count);
        while tickets.len() < count {
            match play.call(profile) {
                Some(Called::Other(_, ticket)) => tickets.push(ticket),
                Some(Called::Me) | None => break,
            }
        }
        tickets
    }

    /// Who a counter of `profile` would call now, and why.
    pub fn preview(&self, profile: &Profile) -> Option<(Candidate, Decision)> {
        choose(profile, &self.lines, &self.runs, self.setup.max_run)
    }

    /// Mean attention of a queue: the last thirty, pulled towards the configured time.
    pub fn service_mean(&self, queue: &QueueId) -> SignedDuration {
        let prior = self
            .setup
            .queue(queue)
            .map_or(SignedDuration::from_mins(8), |queue| queue.service);
        let (sum, count) = self.service.get(queue).map_or((SignedDuration::ZERO, 0), |legs| {
            let sum = legs
                .iter()
                .fold(SignedDuration::ZERO, |sum, leg| sum.saturating_add(*leg));
            (sum, i32::try_from(legs.len()).unwrap_or(i32::MAX))
        });
        sum.saturating_add(prior * PRIOR_WEIGHT) / (count + PRIOR_WEIGHT)
    }

    fn estimate(&self, queue: &QueueId, lane: Lane, place: Place, now: Timestamp) -> Option<Estimate> {
        let mut desks: Vec<Desk<'_>> = self
            .profiles()
            .filter_map(|(number, profile)| {
                let counter = self.counters.get(&number)?;
                (counter.state == CounterState::Open).then(|| Desk {
                    profile,
                    free: counter
                        .ticket
                        .and_then(|id| self.tickets.get(&id))
                        .map_or(SignedDuration::ZERO, |ticket| self.residual(ticket, now)),
                })
            })
            .collect();
        let serving = desks.iter().filter(|desk| desk.profile.serves(queue)).count();
        if serving == 0 {
            return None;
        }
        let ahead = self.ahead(queue, lane, place);
        let mut play = Play::new(self, queue, lane, place);
        let mut passed = 0;
        let mut clock = SignedDuration::ZERO;
        for _ in 0..PLAYED_CALLS {
            let Some(index) = (0..desks.len()).min_by_key(|index| desks[*index].free) else {
                break;
            };
            clock = desks[index].free;
            match play.call(desks[index].profile) {
                Some(Called::Me) => return Some(range(clock)),
                Some(Called::Other(other, _)) => {
                    if other == *queue {
                        passed += 1;
                    }
                    desks[index].free = clock.saturating_add(self.service_mean(&other));
                }
                // Nobody for this desk: it stays idle in this play.
                None => {
                    desks.swap_remove(index);
                }
            }
        }
        let rest = i32::try_from(ahead.saturating_sub(passed)).unwrap_or(i32::MAX);
        let desks = i32::try_from(serving).unwrap_or(1).max(1);
        let more = self.service_mean(queue).as_secs().saturating_mul(i64::from(rest)) / i64::from(desks);
        Some(range(clock.saturating_add(SignedDuration::from_secs(more))))
    }

    /// What is left of an attention; at least a quarter of the mean, because it was not over yet.
    fn residual(&self, ticket: &Ticket, now: Timestamp) -> SignedDuration {
        let mean = self.service_mean(&ticket.queue);
        let since = ticket.started_at.or(ticket.last_called_at).unwrap_or(now);
        let spent = now.duration_since(since).max(SignedDuration::ZERO);
        mean.saturating_sub(spent).max(mean / 4)
    }
}

struct Desk<'a> {
    profile: &'a Profile,
    free: SignedDuration,
}

enum Called {
    Me,
    Other(QueueId, TicketId),
}

/// A copy of the lines that only remembers how far each was called.
struct Play<'a> {
    office: &'a Office,
    queue: &'a QueueId,
    lane: Lane,
    place: Place,
    taken: Vec<(Place, Place)>,
    runs: Runs,
}

impl<'a> Play<'a> {
    fn new(office: &'a Office, queue: &'a QueueId, lane: Lane, place: Place) -> Self {
        Self {
            office,
            queue,
            lane,
            place,
            taken: vec![(Place::FRONT, Place::FRONT); office.setup.queues.len()],
            runs: office.runs.clone(),
        }
    }

    fn call(&mut self, profile: &Profile) -> Option<Called> {
        for (index, queues) in profile.tiers.iter().enumerate() {
            let tier = u8::try_from(index + 1).unwrap_or(u8::MAX);
            let preferred = self.head(queues, true);
            let general = self.head(queues, false);
            let run = self.runs.get(&profile.name, tier);
            let heads = (preferred.map(|head| head.1), general.map(|head| head.1));
            let Some((chosen, rule)) = pick(heads.0, heads.1, run, self.office.setup.max_run) else {
                continue;
            };
            self.runs.note(&Decision {
                profile: profile.name.clone(),
                tier,
                candidates: Vec::new(),
                run,
                max_run: self.office.setup.max_run.get(),
                rule,
            });
            let is_preferred = chosen.lane.is_preferred();
            let from = if is_preferred { preferred } else { general }?.0;
            let queue = &self.office.setup.queues[from].id;
            if queue == self.queue && chosen.place == self.place {
                return Some(Called::Me);
            }
            let cursor = &mut self.taken[from];
            if is_preferred {
                cursor.0 = chosen.place;
            } else {
                cursor.1 = chosen.place;
            }
            return Some(Called::Other(queue.clone(), chosen.ticket));
        }
        None
    }

    /// The oldest of one side over some queues, with the index of its queue.
    fn head(&self, queues: &[QueueId], preferred: bool) -> Option<(usize, Candidate)> {
        self.office
            .setup
            .queues
            .iter()
            .enumerate()
            .filter(|(_, setup)| queues.contains(&setup.id))
            .filter_map(|(index, setup)| {
                let (taken_preferred, taken_general) = self.taken[index];
                let after = if preferred { taken_preferred } else { taken_general };
                let head = self.office.lines.get(&setup.id)?.head_after(preferred, after);
                // The newcomer of the play stands behind everybody of its lane.
                let newcomer = (self.place == Place::LAST
                    && setup.id == *self.queue
                    && self.lane.is_preferred() == preferred)
                    .then(|| Candidate {
                        ticket: TicketId(uuid::Uuid::nil()),
                        lane: self.lane,
                        place: self.place,
                    });
                head.or(newcomer).map(|head| (index, head))
            })
            .min_by_key(|(_, head)| head.place)
    }
}

/// A fifth less to a fifth more, rounded outwards to five minutes.
fn range(wait: SignedDuration) -> Estimate {
    let minutes = u32::try_from(wait.as_secs().max(0) / 60).unwrap_or(u32::MAX / 8);
    let from_minutes = minutes * 4 / 25 * 5;
    let to_minutes = (minutes * 6).div_ceil(25) * 5;
    Estimate {
        from_minutes,
        to_minutes: to_minutes.max(from_minutes + 5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_rounded_outwards_to_five_minutes() {
        let of = |minutes| {
            let range = range(SignedDuration::from_mins(minutes));
            (range.from_minutes, range.to_minutes)
        };
        assert_eq!(of(0), (0, 5));
        assert_eq!(of(3), (0, 5));
        assert_eq!(of(8), (5, 10));
        assert_eq!(of(25), (20, 30));
        assert_eq!(of(50), (40, 60));
    }
}
