//! From the invitation to a procedure: life events, categories, search, requirements.

use super::draw::Draw;
use super::finish::Answer;
use super::form::FormRun;
use super::search_box::{Accepts, Typing};
use super::turn::turn_queue;
use super::view::{Block, Button, Face, Fact, Item, Keyboard, KeyboardKind, TextSize, Tone, View, Words};
use super::{Effect, Input, Key, Outcome, Session, State};
use crate::domain::id::Moment;
use crate::domain::procedure::{
    CategoryId, ChannelKind, Cost, Fact as Known, Holder, LifeEventId, Procedure, ProcedureId, ProcessingTime,
};
use crate::domain::search::{self, Hit};
use crate::i18n::{self, Language};

/// A place among the procedures.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Home { page: usize },
    LifeEvent { id: LifeEventId, page: usize },
    Categories { page: usize },
    Category { id: CategoryId, page: usize },
    Search(Typing),
    Procedure(ProcedureId),
}

impl Session {
    pub(super) fn step_browse(&mut self, input: Input, moment: Moment) -> Vec<Effect> {
        match input {
            Input::Home => self.go_home(),
            Input::Back => {
                self.trail.pop();
                if self.trail.is_empty() {
                    return self.wipe(moment.now, Outcome::Left);
                }
            }
            Input::LifeEvent(id) => self.trail.push(Place::LifeEvent { id, page: 0 }),
            Input::Categories => self.trail.push(Place::Categories { page: 0 }),
            Input::Category(id) => self.trail.push(Place::Category { id, page: 0 }),
            Input::OpenSearch => self
                .trail
                .push(Place::Search(Typing::new("", Accepts::Plain, 40))),
            Input::Procedure(id) => self.trail.push(Place::Procedure(id)),
            Input::Page(by) => {
                if let Some(
                    Place::Home { page }
                    | Place::LifeEvent { page, .. }
                    | Place::Categories { page }
                    | Place::Category { page, .. },
                ) = self.trail.last_mut()
                {
                    *page = page.saturating_add_signed(isize::try_from(by).unwrap_or(0));
                }
            }
            Input::Typed(letters) => {
                if let Some(Place::Search(typing)) = self.trail.last_mut() {
                    typing.typed(&letters);
                }
            }
            Input::Key(key) => self.search_key(key),
            Input::Missed => {
                self.state = State::Missed(Typing::new("", Accepts::Code, super::missed::LONGEST))
            }
            Input::EnterCode => self.state = State::Code(Typing::new("", Accepts::Code, 8)),
            Input::TakeTurn(queue) => self.take_turn(queue),
            Input::PrintList => return self.print_list(),
            Input::StartForm => self.start_form(moment),
            // A touch meant for a screen that is gone.
            _ => {}
        }
        Vec::new()
    }

    fn search_key(&mut self, key: Key) {
        let Some(Place::Search(typing)) = self.trail.last_mut() else {
            return;
        };
        if key == Key::Enter {
            // «Continuar» on the keyboard opens the best result.
            let best = self.setup.index.search(typing.text(), 1).into_iter().next();
            if let Some(best) = best {
                self.trail.push(Place::Procedure(best.procedure));
            }
        } else {
            typing.key(key);
        }
    }

    fn print_list(&mut self) -> Vec<Effect> {
        let Some(Place::Procedure(id)) = self.trail.last() else {
            return Vec::new();
        };
        vec![Effect::PrintList {
            procedure: id.clone(),
            language: self.language(),
        }]
    }

    fn start_form(&mut self, moment: Moment) {
        let Some(Place::Procedure(id)) = self.trail.last() else {
            return;
        };
        if self.around.storage_full {
            self.state = State::Answer(Box::new(Answer::storage_full()));
            return;
        }
        let run = self
            .setup
            .catalogue
            .procedure(id)
            .and_then(|procedure| {
                Some((
                    procedure,
                    self.setup.forms.get(procedure.form.as_ref()?.as_str())?,
                ))
            })
            .and_then(|(procedure, form)| FormRun::begin(procedure, form.clone(), self, moment));
        self.state = match run {
            Some(run) => State::Filling(Box::new(run)),
            None => State::Answer(Box::new(Answer::form_not_ready())),
        };
    }

    pub(super) fn show_attract(&self, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::Attract, Words::default());
        if !self.setup.hours.is_empty() {
            view.place_note = format!("{} · {}", self.setup.office_kind, self.setup.hours);
        }
        let count = self.setup.catalogue.procedures().len().to_string();
        let promise = |icon, words: String| Item {
            icon,
            words: words.into(),
            ..Item::default()
        };
        let languages = Language::ALL
            .map(|language| Item {
                words: Words {
                    text: i18n::say(language, "language-name"),
                    beside: i18n::beside(language, "start").unwrap_or_default(),
                },
                note: i18n::say(language, "start"),
                action: draw.on(Input::Start(language)),
                chosen: language == Language::Spanish,
                icon: "arrow-right",
            })
            .to_vec();
        view.blocks = vec![
            Block::Drawing,
            Block::Display(draw.say("attract-title")),
            Block::Text(draw.say("attract-help")),
            Block::Promises(vec![
                promise("list-checks", draw.fill("attract-procedures", &[("n", &count)])),
                promise("ticket", draw.say("attract-turn")),
                promise("receipt", draw.say("attract-receipt")),
            ]),
            Block::Heading(draw.say("attract-choose")),
            Block::Languages(languages),
        ];
        if self.setup.landscape && self.comfort.size == TextSize::Huge {
            // Beside the languages these letters have room for the invitation alone.
            view.blocks.retain(|block| !matches!(block, Block::Promises(_)));
        }
        let now = self.comfort;
        let size = if now.size == TextSize::Normal {
            TextSize::Huge
        } else {
            TextSize::Normal
        };
        let theme = match now.theme {
            super::view::Theme::Dark => super::view::Theme::Normal,
            super::view::Theme::Normal | super::view::Theme::Clear => super::view::Theme::Dark,
        };
        let first = if self.around.voice {
            draw.button("headphones", "bar-voice", Input::Listen)
        } else {
            draw.button(
                "circle-half",
                "bar-contrast",
                Input::Comfort(super::Comfort { theme, ..now }),
            )
        };
        view.bottom = vec![
            draw.button(
                "text-aa",
                "bar-large",
                Input::Comfort(super::Comfort { size, ..now }),
            ),
            first,
            draw.button("person-arms-spread", "bar-access", Input::Accessibility),
            draw.button("chats-circle", "bar-help", Input::Help),
        ];
        view
    }

    pub(super) fn show_browse(&self, draw: &mut Draw<'_>) -> View {
        match self.trail.last() {
            None => self.show_home(0, draw),
            Some(Place::Home { page }) => self.show_home(*page, draw),
            Some(Place::LifeEvent { id, page }) => self.show_life_event(id, *page, draw),
            Some(Place::Categories { page }) => self.show_categories(*page, draw),
            Some(Place::Category { id, page }) => self.show_category(id, *page, draw),
            Some(Place::Search(typing)) => self.show_search(typing, draw),
            Some(Place::Procedure(id)) => self.show_procedure(id, draw),
        }
    }

    /// Large letters turn the home into pages; the turn stands on each of them.
    fn show_home(&self, page: usize, draw: &mut Draw<'_>) -> View {
        let title = draw.words("home-title");
        let mut view = draw.page(Face::Home, title);
        let language = self.language();
        if self.setup.landscape && self.comfort.size == TextSize::Normal {
            view.help = draw.say("home-help");
        }
        let (one_page, tiles_a_page, rows_a_page) =
            match (self.comfort.size, self.is_low(), self.setup.landscape) {
                (TextSize::Normal, false, _) => (true, 6, 4),
                (TextSize::Normal, true, false) | (TextSize::Large, false, _) => (false, 6, 4),
                (TextSize::Normal | TextSize::Large, true, true) => (false, 2, 2),
                (TextSize::Large, true, false) | (TextSize::Huge, false, _) => (false, 3, 2),
                (TextSize::Huge, true, _) => (false, 1, 1),
            };
        let tile_pages = 6_usize.div_ceil(tiles_a_page);
        let pages = if one_page {
            1
        } else {
            tile_pages + 4_usize.div_ceil(rows_a_page)
        };
        let page = page.min(pages - 1);
        let shows = |first: usize, count: usize| move |at: &usize| (first..first + count).contains(at);
        let tiles: Vec<usize> = (0..6).filter(shows(page * tiles_a_page, tiles_a_page)).collect();
        let first_row = if pages == 1 {
            0
        } else {
            page.saturating_sub(tile_pages) * rows_a_page
        };
        let rows: Vec<usize> = (0..4).filter(shows(first_row, rows_a_page)).collect();
        if page == 0 {
            let text = draw.say(if self.comfort.size == TextSize::Huge {
                "home-search-short"
            } else {
                "home-search"
            });
            let search = draw.item("magnifying-glass", text, String::new(), Input::OpenSearch);
            view.blocks.push(Block::SearchBox(search));
        }
        let roomy = self.comfort.size != TextSize::Huge && !self.is_low();
        if page < tile_pages {
            let events = self.setup.catalogue.life_events();
            let items = tiles
                .iter()
                .filter_map(|at| events.get(*at))
                .map(|event| {
                    let name = event.name.get(language).to_owned();
                    draw.item(
                        icon(&event.icon),
                        name,
                        String::new(),
                        Input::LifeEvent(event.identifier.clone()),
                    )
                })
                .collect();
            if roomy {
                view.blocks.push(Block::Heading(draw.say("home-events")));
            }
            view.blocks.push(Block::Tiles(items));
        }
        if pages == 1 || page >= tile_pages {
            let most = self.setup.catalogue.top_ranked(3);
            let items = rows
                .iter()
                .map(|at| match most.get(*at) {
                    Some(procedure) => self.procedure_row(procedure, draw),
                    None => {
                        let count = self.setup.catalogue.procedures().len().to_string();
                        let all = draw.fill("home-all", &[("n", &count)]);
                        let note = draw.say("home-all-note");
                        draw.item("", all, note, Input::Categories)
                    }
                })
                .collect();
            if roomy {
                view.blocks.push(Block::Heading(draw.say("home-most")));
            }
            view.blocks.push(Block::Rows(items));
        }
        if pages > 1 {
            view.blocks.push(pager(page, pages, draw));
        }
        view.primary = Some(draw.button("ticket", "home-turn", Input::TakeTurn(None)));
        if pages == 1 || page == pages - 1 {
            view.secondary = Some(draw.button("qr-code", "home-code", Input::EnterCode));
        }
        let first = draw.button("translate", "bar-language", Input::Back);
        view.bottom = draw.bottom(first);
        view
    }

    fn procedure_row(&self, procedure: &Procedure, draw: &mut Draw<'_>) -> Item {
        let name = procedure.list_name(self.language()).to_owned();
        let down = turn_queue(procedure).is_some_and(|queue| self.outage(&queue).is_some());
        let note = if down {
            draw.say("queue-down-short")
        } else {
            cost_words(procedure, self.language(), draw)
        };
        draw.item("", name, note, Input::Procedure(procedure.identifier.clone()))
    }

    fn show_life_event(&self, id: &LifeEventId, page: usize, draw: &mut Draw<'_>) -> View {
        let event = self.setup.catalogue.life_event(id);
        let title = event
            .map(|event| event.name.get(self.language()).to_owned())
            .unwrap_or_default();
        self.show_list(title, &self.setup.catalogue.in_life_event(id), page, draw)
    }

    fn show_category(&self, id: &CategoryId, page: usize, draw: &mut Draw<'_>) -> View {
        let language = self.language();
        let name = self
            .setup
            .catalogue
            .category(id)
            .map(|category| category.name.get(language).to_owned());
        let mut procedures: Vec<&Procedure> = self.setup.catalogue.in_category(id).collect();
        procedures.sort_by_cached_key(|procedure| {
            (
                procedure.rank.unwrap_or(u16::MAX),
                search::fold(procedure.list_name(language)),
            )
        });
        self.show_list(name.unwrap_or_default(), &procedures, page, draw)
    }

    fn show_list(&self, title: String, procedures: &[&Procedure], page: usize, draw: &mut Draw<'_>) -> View {
        let mut view = draw.page(Face::List, title.into());
        let fit = self.rows_that_fit();
        let pages = procedures.len().div_ceil(fit).max(1);
        let page = page.min(pages - 1);
        let rows = procedures
            .iter()
            .skip(page * fit)
            .take(fit)
            .map(|procedure| self.procedure_row(procedure, draw))
            .collect();
        view.blocks = vec![Block::Rows(rows)];
        if pages > 1 {
            view.blocks.push(pager(page, pages, draw));
        }
        view.bottom = draw.bottom_back();
        view
    }

    fn show_categories(&self, page: usize, draw: &mut Draw<'_>) -> View {
        let title = draw.words("list-all-title");
        let mut view = draw.page(Face::List, title);
        view.help = draw.say("list-all-help");
        let language = self.language();
        let fit = match (self.setup.landscape, self.comfort.size) {
            (false, TextSize::Normal) => 14,
            (false, TextSize::Large) => 8,
            (false, TextSize::Huge) => 4,
            (true, TextSize::Normal) => 12,
            (true, TextSize::Large) => 6,
            (true, TextSize::Huge) => 2,
        };
        let fit = if self.is_low() { (fit / 2).max(1) } else { fit };
        let categories = self.setup.catalogue.categories();
        let pages = categories.len().div_ceil(fit).max(1);
        let page = page.min(pages - 1);
        let tiles = categories
            .iter()
            .skip(page * fit)
            .take(fit)
            .map(|category| {
                let icon = icon(&category.icon);
                let name = category.name.get(language).to_owned();
                draw.item(
                    icon,
                    name,
                    String::new(),
                    Input::Category(category.identifier.clone()),
                )
            })
            .collect();
        view.blocks = vec![Block::Tiles(tiles)];
        if pages > 1 {
            view.blocks.push(pager(page, pages, draw));
        }
        view.bottom = draw.bottom_back();
        view
    }

    /// How many rows of a list fit on a page of this screen.
    pub(super) fn rows_that_fit(&self) -> usize {
        match (self.setup.landscape, self.is_low(), self.comfort.size) {
            (false, false, TextSize::Normal) => 8,
            (false, false, TextSize::Large)
            | (true, false, TextSize::Normal)
            | (false, true, TextSize::Normal) => 5,
            (false, false, TextSize::Huge)
            | (true, false, TextSize::Large)
            | (false, true, TextSize::Large) => 3,
            (true, false, TextSize::Huge)
            | (false, true, TextSize::Huge)
            | (true, true, TextSize::Normal) => 2,
            (true, true, TextSize::Large | TextSize::Huge) => 1,
        }
    }

    fn show_search(&self, typing: &Typing, draw: &mut Draw<'_>) -> View {
        let title = draw.words("search-title");
        let mut view = draw.page(Face::Search, title);
        let fit = match (self.setup.landscape, self.comfort.size) {
            _ if self.is_low() => 1,
            (false, TextSize::Normal) => 4,
            (false, TextSize::Large) => 2,
            (true, TextSize::Normal) => 2,
            _ => 1,
        };
        view.blocks = vec![Block::Field {
            label: draw.say("search-label"),
            value: typing.text().to_owned(),
            placeholder: draw.say("search-placeholder"),
            counter: String::new(),
            wrong: false,
        }];
        let text = typing.text().trim();
        if text.chars().count() >= 2 {
            let found = self.setup.index.search(text, fit);
            let rows = |hits: Vec<Hit>, draw: &mut Draw<'_>| {
                let items = hits
                    .iter()
                    .filter_map(|hit| self.setup.catalogue.procedure(&hit.procedure))
                    .map(|procedure| self.procedure_row(procedure, draw))
                    .collect();
                Block::Rows(items)
            };
            if found.is_empty() {
                view.blocks.push(Block::Note {
                    tone: Tone::Info,
                    icon: "info",
                    title: draw.fill("search-none-title", &[("text", text)]),
                    text: draw.say("search-none-text"),
                });
                let nearest = self.setup.index.nearest(text, fit.saturating_sub(2).max(1));
                if !(self.is_low() && self.setup.landscape) {
                    view.blocks.push(rows(nearest, draw));
                }
            } else if self.is_low() && self.setup.landscape {
                // No row of results fits under the line beside the keys; «Continuar» opens the best.
                let best = found
                    .first()
                    .and_then(|hit| self.setup.catalogue.procedure(&hit.procedure));
                let name = best
                    .map(|best| best.list_name(self.language()))
                    .unwrap_or_default();
                view.blocks
                    .push(Block::Text(draw.fill("search-best", &[("name", name)])));
            } else {
                view.blocks.push(rows(found, draw));
            }
        }
        view.keyboard = Some(keyboard(KeyboardKind::Text, typing, draw));
        view.primary = Some(draw.button("arrow-right", "form-continue", Input::Key(Key::Enter)));
        view.bottom = draw.bottom_back();
        view
    }

    fn show_procedure(&self, id: &ProcedureId, draw: &mut Draw<'_>) -> View {
        let Some(procedure) = self.setup.catalogue.procedure(id) else {
            return self.show_home(0, draw);
        };
        let language = self.language();
        let mut view = draw.page(Face::Procedure, procedure.shown_name(language).to_owned().into());
        let category = self.setup.catalogue.category(&procedure.thematic_area);
        let area = category
            .map(|category| category.name.get(language))
            .unwrap_or_default();
        view.over_title = format!("{area}\n{}", procedure.has_competent_authority);
        let form = procedure
            .form
            .as_ref()
            .filter(|form| self.setup.forms.contains_key(form.as_str()));
        let mut facts = vec![Fact {
            icon: "money",
            label: draw.say("procedure-cost"),
            value: cost_words(procedure, language, draw),
            change: None,
        }];
        if let Some(minutes) = procedure.minutes_here.filter(|_| form.is_some()) {
            facts.push(Fact {
                icon: "clock",
                label: draw.say("procedure-time"),
                value: draw.fill("procedure-minutes", &[("n", &minutes.to_string())]),
                change: None,
            });
        }
        facts.push(Fact {
            icon: "seal-check",
            label: draw.say("procedure-answer"),
            value: time_words(procedure, language, draw),
            change: None,
        });
        view.blocks = vec![Block::Facts(facts)];
        let needs: Vec<Item> = procedure
            .has_input
            .iter()
            .map(|need| Item {
                words: capital(need.name.get(language)).into(),
                note: match &need.who_has_it {
                    Holder::State(_) => draw.say("procedure-city-has"),
                    Holder::Citizen => need
                        .detail
                        .as_ref()
                        .map(|detail| detail.get(language).to_owned())
                        .unwrap_or_default(),
                },
                chosen: matches!(need.who_has_it, Holder::State(_)),
                ..Item::default()
            })
            .collect();
        if !needs.is_empty() {
            let heading = if procedure.has_input.iter().all(|need| need.confirmed) {
                "procedure-needs"
            } else {
                "procedure-needs-typical"
            };
            view.blocks.push(Block::Heading(draw.say(heading)));
            view.blocks.push(Block::Checklist(needs));
        }
        // What is not to be had today stands before what to bring: nobody reads on in vain.
        let mut first = view.blocks.len().min(1);
        let mut note = |tone, icon, title: String, text: String| {
            let block = Block::Note {
                tone,
                icon,
                title,
                text,
            };
            if tone == Tone::Warn {
                view.blocks.insert(first, block);
                first += 1;
            } else {
                view.blocks.push(block);
            }
        };
        if let Some(eligibility) = procedure.eligibility.value() {
            note(
                Tone::Info,
                "info",
                draw.say("procedure-for-you"),
                eligibility.get(language).to_owned(),
            );
        }
        let queue = turn_queue(procedure);
        let shut = queue.as_deref().and_then(|queue| self.shut(queue));
        let outage = queue.as_deref().and_then(|queue| self.outage(queue));
        if form.is_some() {
            // Said before anybody types: what is not to be had today, and what is all the same.
            if let (Some(queue), Some(shut)) = (&queue, shut) {
                let title = draw.fill("queue-shut-title", &[("queue", &self.queue_name(queue))]);
                let text = format!("{} {}", self.shut_words(shut, draw), draw.say("queue-shut-form"));
                note(Tone::Warn, "ticket", title, text);
            } else if let Some(said) = outage {
                let text = self.outage_words(said, "queue-down-form", draw);
                note(Tone::Warn, "warning", draw.say("queue-down-title"), text);
            }
            if self.around.offline {
                note(Tone::Warn, "plugs", String::new(), draw.say("procedure-offline"));
            }
            view.primary = Some(draw.button("arrow-right", "procedure-start", Input::StartForm));
        } else if let Some(queue) = queue {
            if let Some(shut) = shut {
                let title = draw.fill("queue-shut-title", &[("queue", &self.queue_name(&queue))]);
                note(Tone::Warn, "ticket", title, self.shut_words(shut, draw));
                // It keeps its place and says why, instead of taking a touch in vain.
                view.primary = Some(Button {
                    icon: "ticket",
                    words: self.shut_short(shut, draw).into(),
                    action: None,
                });
            } else {
                match outage {
                    Some(said) => {
                        let text = self.outage_words(said, "queue-down-turn", draw);
                        note(Tone::Warn, "warning", draw.say("queue-down-title"), text);
                    }
                    None => note(
                        Tone::Info,
                        "ticket",
                        draw.say("procedure-not-here"),
                        draw.say("procedure-not-here-text"),
                    ),
                }
                view.primary = Some(draw.button("ticket", "procedure-turn", Input::TakeTurn(Some(queue))));
            }
        } else {
            let title = draw.say("procedure-online");
            let channels: Vec<String> = procedure
                .has_channel
                .iter()
                .map(|channel| draw.say(channel_key(channel.kind)))
                .collect();
            let channel = channels.join(", ");
            note(
                Tone::Info,
                "info",
                title,
                draw.fill("procedure-online-text", &[("channel", &channel)]),
            );
        }
        let print = draw.button("printer", "procedure-print", Input::PrintList);
        if view.primary.is_some() {
            view.secondary = Some(print);
        } else {
            view.primary = Some(print);
        }
        view.bottom = draw.bottom_back();
        self.sheets(view, false, draw)
    }
}

/// A fact in words, honest about what nobody confirmed.
fn fact_words<T>(fact: &Known<T>, words: impl Fn(&T) -> String, unknown: &str, draw: &Draw<'_>) -> String {
    match fact {
        Known::Confirmed(value) => words(value),
        Known::Unconfirmed(value) => draw.fill("unconfirmed", &[("value", &words(value))]),
        Known::Unknown => draw.say(unknown),
    }
}

fn cost_words(procedure: &Procedure, language: Language, draw: &Draw<'_>) -> String {
    let words = |cost: &Cost| match cost {
        Cost::Free => draw.say("cost-free"),
        Cost::Described(text) => text.get(language).to_owned(),
    };
    fact_words(&procedure.has_cost, words, "cost-unknown", draw)
}

fn time_words(procedure: &Procedure, language: Language, draw: &Draw<'_>) -> String {
    let words = |time: &ProcessingTime| match time {
        ProcessingTime::Immediate => draw.say("time-immediate"),
        ProcessingTime::Described(text) => text.get(language).to_owned(),
    };
    fact_words(&procedure.processing_time, words, "to-confirm", draw)
}

fn channel_key(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::InPerson => "channel-in-person",
        ChannelKind::Online => "channel-online",
        ChannelKind::Kiosk => "channel-kiosk",
        ChannelKind::Phone => "channel-phone",
        ChannelKind::Email => "channel-email",
        ChannelKind::Sms => "channel-sms",
        ChannelKind::Whatsapp => "channel-whatsapp",
        ChannelKind::App => "channel-app",
        ChannelKind::Bank => "channel-bank",
        ChannelKind::Card => "channel-card",
        ChannelKind::SocialMedia => "channel-social",
        ChannelKind::Internal => "channel-internal",
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// A name from the catalogue as one of the icons we ship.
fn icon(name: &str) -> &'static str {
    const KNOWN: [&str; 24] = [
        "storefront",
        "house-line",
        "hand-heart",
        "paw-print",
        "hard-hat",
        "flower-tulip",
        "files",
        "file-text",
        "money",
        "scales",
        "users-three",
        "megaphone",
        "list-checks",
        "receipt",
        "info",
        "shield-check",
        "gauge",
        "house-simple",
        "seal-check",
        "note-pencil",
        "heartbeat",
        "warning",
        "ticket",
        "user",
    ];
    KNOWN
        .into_iter()
        .find(|known| *known == name)
        .unwrap_or("file-text")
}

pub(super) fn pager(page: usize, pages: usize, draw: &mut Draw<'_>) -> Block {
    pager_of(page, pages, Input::Page, draw)
}

/// A pager whose ends give `turn`.
pub(super) fn pager_of(page: usize, pages: usize, turn: fn(i32) -> Input, draw: &mut Draw<'_>) -> Block {
    let mut end = |icon, key: &str, by, there: bool| Button {
        icon,
        words: draw.words(key),
        action: if there { draw.on(turn(by)) } else { None },
    };
    let before = end("caret-up", "pager-before", -1, page > 0);
    let after = end("caret-down", "pager-after", 1, page + 1 < pages);
    let place = draw.fill(
        "pager-place",
        &[("n", &(page + 1).to_string()), ("of", &pages.to_string())],
    );
    Block::Pager { before, place, after }
}

pub(super) fn keyboard(kind: KeyboardKind, typing: &Typing, draw: &Draw<'_>) -> Keyboard {
    Keyboard {
        kind,
        shift: typing.shift,
        digits: typing.digits,
        words: super::view::KeyWords {
            shift: draw.say("key-shift"),
            back: draw.say("key-back"),
            clear: draw.say("key-clear"),
            space: draw.say("key-space"),
        },
    }
}
