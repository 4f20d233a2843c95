//! What a kiosk offers: catalogue, forms, and whom to seal to.
//!
//! A newer one is made ready beside the present one and taken as a whole between two citizens: the session says when,
//! and what it hands over before that moment is still of the earlier one. Begin at [`Offers`] and [`renew`].

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tracing::{error, info};

use super::{Shell, setup};
use crate::app::StartError;
use crate::app::outbox::confirm::Sealer;
use crate::domain::procedure::bundle::Bundle;
use crate::domain::session::{Input, Setup};

/// What belongs together.
pub(super) struct Offer {
    /// Catalogue and forms, with the hash that names them.
    pub setup: Arc<Setup>,
    /// Seals to the keys that the catalogue names.
    pub sealer: Sealer,
}

/// The present offer, and those that the session was told of.
pub(super) struct Offers {
    present: RwLock<Arc<Offer>>,
    waiting: Mutex<Vec<Arc<Offer>>>,
}

impl Offers {
    pub(super) fn new(first: Offer) -> Self {
        Self {
            present: RwLock::new(Arc::new(first)),
            waiting: Mutex::default(),
        }
    }

    /// What is offered now.
    pub(super) fn present(&self) -> Arc<Offer> {
        Arc::clone(&self.present.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn propose(&self, offer: Offer) -> Arc<Setup> {
        let setup = Arc::clone(&offer.setup);
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::new(offer));
        setup
    }

    /// The session serves with this one from here on; those that waited before it are forgotten.
    pub(super) fn adopt(&self, edition: &str) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = waiting.iter().rposition(|offer| offer.setup.edition == edition) else {
            error!(
                edition,
                "the session serves with a catalogue that nobody made ready"
            );
            return;
        };
        let offer = waiting.drain(..=at).next_back();
        if let Some(offer) = offer {
            *self.present.write().unwrap_or_else(PoisonError::into_inner) = offer;
            info!(edition, "a new catalogue serves");
        }
    }
}

/// Makes a newer catalogue ready and tells the session of it.
///
/// # Errors
/// When it cannot be served with; the present one goes on.
pub(super) async fn renew(shell: &Arc<Shell>, bundle: Bundle) -> Result<(), StartError> {
    let made = {
        let shell = Arc::clone(shell);
        // Compiling every form takes a moment that belongs to whoever is at the screen.
        tokio::task::spawn_blocking(move || {
            let present = shell.offers.present();
            let landscape = present.setup.landscape;
            let setup = setup::read(&shell.config, Some(&bundle), landscape)?;
            let recipients = setup::recipients(&shell.config.recipients, Some(&bundle))?;
            Ok::<_, StartError>(Offer {
                setup: Arc::new(setup),
                sealer: Sealer {
                    recipients,
                    ..present.sealer.clone()
                },
            })
        })
    };
    let offer = made.await.map_err(|_| StartError::Setup {
        what: "The new catalogue".to_owned(),
        problem: "making it ready was broken off".to_owned(),
    })??;
    let setup = shell.offers.propose(offer);
    shell.outlet.post(Input::Offered(setup));
    Ok(())
}

#[cfg(test)]
#[path = "offer_tests.rs"]
mod tests;
