//! How many are before me and how long it will take: a forward play of the real rule.

use jiff::{SignedDuration, Timestamp};

use super::{CounterState, Office};
use crate::domain::event::Estimate;
use crate::domain::id::TicketId;
use crate::domain::queue::{Candidate, Decision, Line, Profile, choose, pick};
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
        let mut play = Play::new(self, None);
        let team = play.team(profile);
        let mut tickets = Vec::with_capacity(count);
        while tickets.len() < count {
            match play.call(team) {
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
        let mine = self.setup.queues.iter().position(|setup| setup.id == *queue)?;
        let means: Vec<SignedDuration> = self
            .setup
            .queues
            .iter()
            .map(|setup| self.service_mean(&setup.id))
            .collect();
        let mut play = Play::new(self, Some((mine, lane, place)));
        let mut serving = 0;
        let mut desks: Vec<Desk> = Vec::with_capacity(self.counters.len());
        for (number, profile) in self.profiles() {
            let Some(counter) = self.counters.get(&number) else {
                continue;
            };
            if counter.state != CounterState::Open {
                continue;
            }
            serving += i64::from(profile.serves(queue));
            let ticket = counter.ticket.and_then(|id| self.tickets.get(&id));
            desks.push(Desk {
                team: play.team(profile),
                free: ticket.map_or(SignedDuration::ZERO, |ticket| self.residual(ticket, now)),
            });
        }
        if serving == 0 {
            return None;
        }
        let ahead = self.ahead(queue, lane, place);
        let mut passed = 0;
        let mut clock = SignedDuration::ZERO;
        for _ in 0..PLAYED_CALLS {
            let Some(index) = (0..desks.len()).min_by_key(|index| desks[*index].free) else {
                break;
            };
            clock = desks[index].free;
            match play.call(desks[index].team) {
                Some(Called::Me) => return Some(range(clock)),
                Some(Called::Other(other, _)) => {
                    if other == mine {
                        passed += 1;
                    }
                    desks[index].free = clock.saturating_add(means[other]);
                }
                // Nobody for this desk: it stays idle in this play.
                None => {
                    desks.swap_remove(index);
                }
            }
        }
        let rest = i64::from(ahead.saturating_sub(passed));
        let more = means[mine].as_secs().saturating_mul(rest) / serving;
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

struct Desk {
    team: usize,
    free: SignedDuration,
}

enum Called {
    Me,
    /// Somebody of this queue, by its place in the setup.
    Other(usize, TicketId),
}

/// Desks that serve the same and count their runs together.
struct Team<'a> {
    profile: &'a Profile,
    /// Queues of each tier, by their place in the setup, and the run of the tier.
    tiers: Vec<(Vec<usize>, u8)>,
}

/// A copy of the lines that only remembers who stands at the head of each.
///
/// It is played for every ticket that is issued, so that nothing is looked up twice in it.
struct Play<'a> {
    office: &'a Office,
    /// For each queue the heads of its preferred and its general side.
    heads: Vec<[Option<Candidate>; 2]>,
    /// For whom it is played: queue, lane and place.
    me: Option<(usize, Lane, Place)>,
    teams: Vec<Team<'a>>,
}

impl<'a> Play<'a> {
    fn new(office: &'a Office, me: Option<(usize, Lane, Place)>) -> Self {
        let mut play = Self {
            office,
            heads: Vec::with_capacity(office.setup.queues.len()),
            me,
            teams: Vec::new(),
        };
        for queue in 0..office.setup.queues.len() {
            let heads = [true, false].map(|preferred| play.head_after(queue, preferred, Place::FRONT));
            play.heads.push(heads);
        }
        play
    }

    /// The team of desks with this profile.
    fn team(&mut self, profile: &'a Profile) -> usize {
        let known = self.teams.iter().position(|team| team.profile == profile);
        known.unwrap_or_else(|| {
            let setup = &self.office.setup.queues;
            let tiers = (1..).zip(&profile.tiers).map(|(tier, served)| {
                let queues = (0..setup.len()).filter(|queue| served.contains(&setup[*queue].id));
                (queues.collect(), self.office.runs.get(&profile.name, tier))
            });
            self.teams.push(Team {
                profile,
                tiers: tiers.collect(),
            });
            self.teams.len() - 1
        })
    }

    fn call(&mut self, team: usize) -> Option<Called> {
        let max_run = self.office.setup.max_run;
        for (queues, run) in &mut self.teams[team].tiers {
            let heads = &self.heads;
            let head = |side: usize| {
                let heads = queues
                    .iter()
                    .filter_map(|queue| Some((*queue, heads[*queue][side]?)));
                heads.min_by_key(|(_, head)| head.place)
            };
            let (preferred, general) = (head(0), head(1));
            let candidates = (preferred.map(|head| head.1), general.map(|head| head.1));
            let Some((chosen, rule)) = pick(candidates.0, candidates.1, *run, max_run) else {
                continue;
            };
            *run = rule.run_after(*run, max_run.get());
            let is_preferred = chosen.lane.is_preferred();
            let queue = if is_preferred { preferred } else { general }?.0;
            if self
                .me
                .is_some_and(|(mine, _, place)| (mine, place) == (queue, chosen.place))
            {
                return Some(Called::Me);
            }
            let side = usize::from(!is_preferred);
            self.heads[queue][side] = self.head_after(queue, is_preferred, chosen.place);
            return Some(Called::Other(queue, chosen.ticket));
        }
        None
    }

    /// The first of one side of a queue behind `after`.
    fn head_after(&self, queue: usize, preferred: bool, after: Place) -> Option<Candidate> {
        let id = &self.office.setup.queues[queue].id;
        let line: &Line = self.office.lines.get(id)?;
        line.head_after(preferred, after).or_else(|| {
            // The newcomer of the play stands behind everybody of its lane.
            let (mine, lane, place) = self.me?;
            let newcomer = place == Place::LAST && mine == queue && lane.is_preferred() == preferred;
            newcomer.then_some(Candidate {
                ticket: TicketId(uuid::Uuid::nil()),
                lane,
                place,
            })
        })
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
