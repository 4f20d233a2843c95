//! Contrast of every pair of colours that meets on a screen, computed from the colours as they are compiled.

use std::collections::HashMap;

/// Text on its background, and what it needs.
const TEXT: [(&str, &str, f64); 26] = [
    ("ink", "paper", 7.0),
    ("ink", "surface", 7.0),
    ("ink", "sunken", 7.0),
    ("ink", "pressed", 7.0),
    ("ink", "bad-soft", 7.0),
    ("ink", "good-soft", 7.0),
    ("ink", "warn-soft", 7.0),
    ("ink-soft", "paper", 7.0),
    ("ink-soft", "surface", 7.0),
    ("ink-soft", "sunken", 7.0),
    ("action", "paper", 7.0),
    ("action", "surface", 7.0),
    ("action", "sunken", 7.0),
    ("on-action", "action", 7.0),
    ("on-action", "action-pressed", 7.0),
    ("on-bar", "bar", 7.0),
    ("on-bar-soft", "bar", 7.0),
    ("on-chosen", "chosen", 7.0),
    ("on-accent", "accent", 7.0),
    ("bad", "paper", 7.0),
    ("bad", "surface", 7.0),
    ("bad", "bad-soft", 7.0),
    ("good", "good-soft", 7.0),
    ("warn", "warn-soft", 7.0),
    // Not available, and the sill of the bar.
    ("on-off", "off", 4.5),
    ("accent", "bar", 4.5),
];

/// Parts that must be seen: borders and the keypad's rings.
const PARTS: [(&str, &str, f64); 7] = [
    ("edge", "paper", 3.0),
    ("edge", "surface", 3.0),
    ("edge", "sunken", 3.0),
    ("focus-outer", "paper", 3.0),
    ("focus-outer", "surface", 3.0),
    ("focus-inner", "focus-outer", 3.0),
    ("focus-inner", "action", 3.0),
];

/// The colours of `tokens.slint`: name to normal, dark, clear.
fn colours() -> HashMap<String, [u32; 3]> {
    let text = include_str!("../../ui/slint/theme/tokens.slint");
    let mut found = HashMap::new();
    for line in text.lines().map(str::trim) {
        let Some(rest) = line.strip_prefix("out property <color> ") else {
            continue;
        };
        let Some((name, values)) = rest.split_once(": root.pick(") else {
            continue;
        };
        let values: Vec<u32> = values
            .split(['#', ',', ')'])
            .filter_map(|part| {
                u32::from_str_radix(part.trim(), 16)
                    .ok()
                    .filter(|_| part.trim().len() == 6)
            })
            .collect();
        let values: [u32; 3] = values
            .try_into()
            .unwrap_or_else(|_| panic!("three colours: {line}"));
        found.insert(name.to_owned(), values);
    }
    found
}

/// Relative luminance of WCAG 2.
fn luminance(colour: u32) -> f64 {
    let part = |shift: u32| {
        let c = f64::from((colour >> shift) & 0xFF) / 255.0;
        if c <= 0.03928 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0)
}

fn contrast(a: u32, b: u32) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_pair_of_colours_has_the_contrast_it_needs() {
    let colours = colours();
    let mut short = Vec::new();
    for (over, under, least) in TEXT.iter().chain(&PARTS) {
        for (at, theme) in ["normal", "dark", "clear"].iter().enumerate() {
            let is = contrast(colours[*over][at], colours[*under][at]);
            if is < *least {
                short.push(format!("{over} on {under}, {theme}: {is:.1} of {least}"));
            }
        }
    }
    assert!(short.is_empty(), "{}", short.join("\n"));
}

#[test]
fn the_measure_itself_is_right() {
    assert!((contrast(0x000000, 0xFFFFFF) - 21.0).abs() < 0.01);
    assert!((contrast(0x777777, 0xFFFFFF) - 4.48).abs() < 0.01);
}
