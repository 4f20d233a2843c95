//! Years of a small city in seconds: the real senders, the real router, the real files, backups and restores,
//! with a network, clocks and a fate that come out of one seed.
//!
//! Run one seed again with `VENTANILLA_SEED=42 cargo test sim`. After each step the promises are checked; at the
//! end the network heals and everything must be where it belongs. Each deliberate fault of [`Fault`] must be found.

mod dice;
mod world;

use dice::Dice;
use world::{Broken, World};

/// How many seeds run without being asked for more by `VENTANILLA_SEEDS`.
const SEEDS: u64 = 200;
const STEPS: usize = 60;

/// A mistake that the checks must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// None: the product as it is.
    None,
    /// Bodies go as soon as the server said that it has them.
    PurgeOnReceipt,
    /// The server tells what it has, not what a copy has.
    MarkWithoutCopy,
    /// A server that was set back goes on as if nothing had happened.
    NoNewLife,
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn run(seed: u64, fault: Fault) -> Result<(), Broken> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(async {
            let mut dice = Dice::new(seed);
            let mut world = World::new(&mut dice, fault);
            for _ in 0..STEPS {
                world.step(&mut dice).await;
                world.check()?;
            }
            world.heal().await?;
            world.lose_everything_after_the_last_copy().await
        })
}

#[test]
fn nothing_is_lost_and_nothing_is_doubled_in_any_history() {
    let seeds = match number("VENTANILLA_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("VENTANILLA_SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        if let Err(broken) = run(seed, Fault::None) {
            panic!("seed {seed}: {broken}\nrun it again with VENTANILLA_SEED={seed}");
        }
    }
}

#[test]
fn the_same_seed_is_the_same_history() {
    let told = |seed| {
        let mut dice = Dice::new(seed);
        (0..50).map(|_| dice.below(1000)).collect::<Vec<_>>()
    };
    assert_eq!(told(3), told(3));
    assert_ne!(told(3), told(4));
}

/// Runs seeds until the fault shows.
#[track_caller]
fn is_found(fault: Fault, promises: &[&str]) {
    let found = (0..100).find_map(|seed| run(seed, fault).err());
    let broken = found.unwrap_or_else(|| panic!("{fault:?} was not found in a hundred histories"));
    let said = broken.to_string();
    assert!(
        promises.iter().any(|promise| said.starts_with(promise)),
        "{fault:?}: {said}"
    );
}

#[test]
fn letting_go_on_receipt_is_found() {
    is_found(Fault::PurgeOnReceipt, &["I1", "I3", "I4"]);
}

#[test]
fn a_mark_without_a_copy_is_found() {
    is_found(Fault::MarkWithoutCopy, &["I1", "I3"]);
}

#[test]
fn a_restore_without_a_new_life_is_found() {
    is_found(Fault::NoNewLife, &["I4"]);
}
