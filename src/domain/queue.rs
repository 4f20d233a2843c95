//! Who is next: two lanes, in order of arrival, "priority, at most K in a row".
//!
//! The choice depends on places and one small counter only, never on a clock, so that two people who wait never
//! swap places by themselves.
//! With a fixed profile the i-th waiting general is called within (K+1)·i contested calls and the i-th preferred
//! within i + ⌈i/K⌉: neither lane starves. Begin at [`choose`].

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::id::TicketId;
use super::ticket::{Lane, Place, QueueId};

/// How many preferred tickets may be called in a row while a general one waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MaxRun(u8);

impl MaxRun {
    /// A bound between 1 and 9.
    pub fn new(k: u8) -> Option<Self> {
        (1..=9).contains(&k).then_some(Self(k))
    }

    /// The number painted on the wall.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Default for MaxRun {
    fn default() -> Self {
        Self(2)
    }
}

/// The two lines of one queue, by place.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Line {
    preferred: BTreeMap<Place, (TicketId, Lane)>,
    general: BTreeMap<Place, TicketId>,
}

impl Line {
    /// Puts a ticket at its place.
    pub fn insert(&mut self, lane: Lane, place: Place, ticket: TicketId) {
        if lane.is_preferred() {
            self.preferred.insert(place, (ticket, lane));
        } else {
            self.general.insert(place, ticket);
        }
    }

    /// Takes a ticket out.
    pub fn remove(&mut self, lane: Lane, place: Place) {
        if lane.is_preferred() {
            self.preferred.remove(&place);
        } else {
            self.general.remove(&place);
        }
    }

    /// Waiting tickets of both lanes.
    pub fn len(&self) -> usize {
        self.preferred.len() + self.general.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waiting preferred tickets.
    pub fn preferred_len(&self) -> usize {
        self.preferred.len()
    }

    /// How many of one side stand before `place`.
    pub fn before(&self, preferred: bool, place: Place) -> usize {
        // A newcomer stands behind everybody, and counting ten thousand one by one takes longer than writing them.
        fn count<T>(side: &BTreeMap<Place, T>, place: Place) -> usize {
            match side.last_key_value() {
                Some((last, _)) if *last >= place => side.range(..place).count(),
                Some(_) | None => side.len(),
            }
        }
        if preferred {
            count(&self.preferred, place)
        } else {
            count(&self.general, place)
        }
    }

    /// The first of one side that stands behind `after`.
    pub fn head_after(&self, preferred: bool, after: Place) -> Option<Candidate> {
        let range = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        if preferred {
            let (&place, &(ticket, lane)) = self.preferred.range(range).next()?;
            Some(Candidate { ticket, lane, place })
        } else {
            let (&place, &ticket) = self.general.range(range).next()?;
            Some(Candidate {
                ticket,
                lane: Lane::General,
                place,
            })
        }
    }

    /// Where the `nth` of one side stands, from 1; the last one's place where there are fewer.
    pub fn place_of(&self, preferred: bool, nth: usize) -> Option<Place> {
        let pick = |places: &mut dyn Iterator<Item = Place>| places.take(nth).last();
        if preferred {
            pick(&mut self.preferred.keys().copied())
        } else {
            pick(&mut self.general.keys().copied())
        }
    }

    /// All waiting tickets, by place.
    pub fn by_arrival(&self) -> Vec<TicketId> {
        let mut all: Vec<(Place, TicketId)> = self
            .preferred
            .iter()
            .map(|(place, (ticket, _))| (*place, *ticket))
            .chain(self.general.iter().map(|(place, ticket)| (*place, *ticket)))
            .collect();
        all.sort_unstable_by_key(|(place, _)| *place);
        all.into_iter().map(|(_, ticket)| ticket).collect()
    }
}

/// Queues a counter serves: the first tier, and the next only while the first has nobody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    /// Name under which contested choices are counted; counters of one profile share the count.
    pub name: String,
    /// Queues of each tier.
    pub tiers: Vec<Vec<QueueId>>,
}

impl Profile {
    /// Whether a counter of this profile may ever call from `queue`.
    pub fn serves(&self, queue: &QueueId) -> bool {
        self.tiers.iter().flatten().any(|served| served == queue)
    }
}

/// The head of a lane at the moment of a choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Candidate {
    /// Which ticket.
    pub ticket: TicketId,
    /// Its lane.
    pub lane: Lane,
    /// Its place.
    #[serde(flatten)]
    pub place: Place,
}

/// Which rule made the choice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Only one lane had anybody.
    OnlyLane,
    /// Both had; the preferred go first.
    PriorityFirst,
    /// Both had; K preferred went already, so it is the general lane's turn.
    GeneralAfterRun,
    /// Somebody chose it out of turn and said why.
    OutOfTurn,
}

impl Rule {
    /// The run after a call that it decided.
    pub fn run_after(self, run: u8, max_run: u8) -> u8 {
        match self {
            Self::OnlyLane | Self::OutOfTurn => run,
            Self::PriorityFirst => run.saturating_add(1).min(max_run),
            Self::GeneralAfterRun => 0,
        }
    }
}

/// Why a ticket was called: enough to check the rule afterwards.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// The profile whose run is counted.
    pub profile: String,
    /// The tier that had somebody, from 1; 0 for a call out of turn.
    pub tier: u8,
    /// The heads of the lanes: the preferred one first, then the general one.
    pub candidates: Vec<Candidate>,
    /// Contested calls in a row that took a preferred ticket, before this one.
    pub run: u8,
    /// K.
    pub max_run: u8,
    /// What decided.
    pub rule: Rule,
}

impl Decision {
    /// The run after this call.
    pub fn run_after(&self) -> u8 {
        self.rule.run_after(self.run, self.max_run)
    }
}

/// Runs of contested preferred calls, by profile and tier, of one day.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Runs(HashMap<(String, u8), u8>);

impl Runs {
    /// The run of a profile's tier.
    pub fn get(&self, profile: &str, tier: u8) -> u8 {
        self.0.get(&(profile.to_owned(), tier)).copied().unwrap_or(0)
    }

    /// Notes what a decision did to its run.
    pub fn note(&mut self, decision: &Decision) {
        self.0
            .insert((decision.profile.clone(), decision.tier), decision.run_after());
    }

    /// A new day.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Chooses who is next for a counter of `profile`; `None` only when nobody it may serve waits.
pub fn choose(
    profile: &Profile,
    lines: &BTreeMap<QueueId, Line>,
    runs: &Runs,
    max_run: MaxRun,
) -> Option<(Candidate, Decision)> {
    for (index, queues) in profile.tiers.iter().enumerate() {
        let tier = u8::try_from(index + 1).unwrap_or(u8::MAX);
        let head = |preferred: bool| head(queues, lines, preferred);
        let run = runs.get(&profile.name, tier);
        if let Some((chosen, rule)) = pick(head(true), head(false), run, max_run) {
            let decision = Decision {
                profile: profile.name.clone(),
                tier,
                candidates: [head(true), head(false)].into_iter().flatten().collect(),
                run,
                max_run: max_run.get(),
                rule,
            };
            return Some((chosen, decision));
        }
    }
    None
}

/// The first of one side over some queues.
pub fn head(queues: &[QueueId], lines: &BTreeMap<QueueId, Line>, preferred: bool) -> Option<Candidate> {
    queues
        .iter()
        .filter_map(|queue| lines.get(queue)?.head_after(preferred, Place::FRONT))
        .min_by_key(|candidate| candidate.place)
}

/// The rule itself, between the heads of the two sides.
pub fn pick(
    preferred: Option<Candidate>,
    general: Option<Candidate>,
    run: u8,
    max_run: MaxRun,
) -> Option<(Candidate, Rule)> {
    match (preferred, general) {
        (Some(only), None) | (None, Some(only)) => Some((only, Rule::OnlyLane)),
        (Some(preferred), Some(_)) if run < max_run.get() => Some((preferred, Rule::PriorityFirst)),
        (Some(_), Some(general)) => Some((general, Rule::GeneralAfterRun)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ticket(n: u64) -> TicketId {
        TicketId(uuid::Uuid::from_u128(u128::from(n)))
    }

    fn profile() -> Profile {
        Profile {
            name: "t".into(),
            tiers: vec![vec!["t".into()], vec!["c".into()]],
        }
    }

    /// Serves everybody of `lanes` and returns the lanes in the order of the calls.
    fn serve(lanes: &[Lane], k: u8) -> Vec<(u64, Lane)> {
        let mut line = Line::default();
        for (n, lane) in (1..).zip(lanes) {
            line.insert(*lane, Place::at(n), ticket(n));
        }
        let mut lines = BTreeMap::from([(QueueId::from("t"), line)]);
        let mut runs = Runs::default();
        let mut order = Vec::new();
        while let Some((chosen, decision)) =
            choose(&profile(), &lines, &runs, MaxRun::new(k).expect("1 to 9"))
        {
            runs.note(&decision);
            order.push((chosen.place.arrival_seq, chosen.lane));
            lines
                .get_mut(&QueueId::from("t"))
                .expect("the queue")
                .remove(chosen.lane, chosen.place);
        }
        order
    }

    #[test]
    fn two_preferred_then_one_general() {
        use Lane::{General as G, Priority as P};
        let order: Vec<u64> = serve(&[G, G, P, P, P, P, G], 2)
            .into_iter()
            .map(|(n, _)| n)
            .collect();
        assert_eq!(order, [3, 4, 1, 5, 6, 2, 7]);
    }

    #[test]
    fn the_second_tier_waits_for_the_first_to_be_empty() {
        let mut first = Line::default();
        first.insert(Lane::General, Place::at(9), ticket(9));
        let mut second = Line::default();
        second.insert(Lane::Priority, Place::at(1), ticket(1));
        let lines = BTreeMap::from([(QueueId::from("t"), first), (QueueId::from("c"), second)]);
        let (chosen, decision) =
            choose(&profile(), &lines, &Runs::default(), MaxRun::default()).expect("somebody");
        assert_eq!((chosen.place, decision.tier), (Place::at(9), 1));
    }

    proptest! {
        /// P5 and P6: order within a lane, and both bounds, for every K and every crowd.
        #[test]
        fn neither_lane_starves(preferred in prop::collection::vec(any::<bool>(), 0..120), k in 1_u8..=9) {
            let lanes: Vec<Lane> =
                preferred.iter().map(|p| if *p { Lane::Priority } else { Lane::General }).collect();
            let order = serve(&lanes, k);
            prop_assert_eq!(order.len(), lanes.len());
            for side in [true, false] {
                let calls: Vec<(usize, u64)> = order.iter().enumerate()
                    .filter(|(_, (_, lane))| lane.is_preferred() == side)
                    .map(|(at, (n, _))| (at + 1, *n))
                    .collect();
                prop_assert!(calls.windows(2).all(|pair| pair[0].1 < pair[1].1));
                for (i, (call, _)) in (1_usize..).zip(calls) {
                    let bound = if side { i + i.div_ceil(usize::from(k)) } else { (usize::from(k) + 1) * i };
                    prop_assert!(call <= bound, "the {i}th was call {call}, bound {bound}");
                }
            }
        }
    }
}
